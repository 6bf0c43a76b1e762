package image

import (
	"log/slog"
	"runtime"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/progress"
)

// Builder makes images. The zero value with a Cache is ready to use; its methods may be called
// concurrently.
type Builder struct {
	// Cache holds fragments, blobs, unpacked layers and the results of scripts. Required.
	Cache *cache.Dir
	// Progress is told how far the work is. Nil: nobody is.
	Progress progress.Reporter
	// Log receives warnings, such as an owner that no package defines. Nil: they are dropped.
	Log *slog.Logger
	// Workers bounds how many packages are worked on at a time. Zero: one per processor.
	Workers int
}

// BasePackage is one package of a base image.
type BasePackage struct {
	lock.Package
	// Path is the RPM file, whose signature and checksum were verified.
	Path string
}

// BaseSpec says what a base image is made of.
type BaseSpec struct {
	// Packages may come in any order.
	Packages []BasePackage
	// Arch is rpm's name of the architecture, such as "x86_64".
	Arch string
	// Recorded are numbers that users and groups had in an earlier image; those that a package
	// declares without asking for a number keep them. See Image.IDs.
	Recorded layer.IDs
	Options  Options
}

// Options change the bytes of a base image; they are part of its key.
type Options struct {
	// Compression of the layers. Empty: gzip.
	Compression layer.Compression
	// Level of the compression, as the compressor counts (layer.Compression.Check). Zero: one that is
	// chosen for what is in a package.
	Level int
	// Docker says that the manifest has docker's media types in place of OCI's (image manifest
	// version 2, schema 2); they know no zstd.
	Docker bool
	// NoDocs leaves out files that packages mark as documentation, as rpm --excludedocs does.
	NoDocs bool
	// Languages are the locales whose files stay, as rpm's %_install_langs ("de_AT" includes
	// files of "de"). Empty: all.
	Languages []string
	// DBPath is the absolute path of the RPM database. Empty: where the packages say.
	DBPath string
}

func (b *Builder) workers() int {
	if b.Workers > 0 {
		return b.Workers
	}
	return runtime.GOMAXPROCS(0)
}

func (b *Builder) log() *slog.Logger {
	if b.Log != nil {
		return b.Log
	}
	return slog.New(slog.DiscardHandler)
}
