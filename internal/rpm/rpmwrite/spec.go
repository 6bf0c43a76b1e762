// Package rpmwrite writes RPM v4 packages that rpm, dnf and createrepo_c take
// for their own: signed, with the provides and requires that rpmbuild adds, in
// every compression that distributions use.
//
// The same Spec gives the same bytes. Content is read once and compressed into
// a temporary file, so a package of any size needs little memory.
//
// It serves the RPM universe and tests. Besides good packages it can make
// hostile ones: see Spec.Hostile.
package rpmwrite

import (
	"bytes"
	"io"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Spec is what a package is made of.
type Spec struct {
	Name string
	EVR  rpm.EVR
	Arch string // "noarch", "x86_64", …

	Summary, Description    string // Description is Summary when empty
	License, URL            string
	Group, Vendor, Packager string
	Distribution, BuildHost string
	SourceRPM               string // name-version-release.src.rpm when empty
	BuildTime               int64  // seconds since 1970
	Changelog               []Change

	// Dependencies beside those that are added: the package's own name and
	// version, config(name), interpreters of scripts, rpmlib() features.
	Provides, Requires, Conflicts, Obsoletes    []rpm.Dependency
	Recommends, Suggests, Supplements, Enhances []rpm.Dependency

	Files   []File
	Scripts []rpm.Script

	Compression string // "zstd" when empty, "gzip", "xz", "lzma" or "none"
	Level       int    // of the compression; 0 is its usual level
	LargeFiles  bool   // write the format for files past 4 GiB, which needs none so large

	Key *Signer // nil: unsigned

	Hostile Hostile
}

// Change is one entry of a package's changelog.
type Change struct {
	Time         int64
	Author, Text string
}

// File is one path of a package. A regular file has Content and Size, or is a
// HardLink; ghosts have neither. Directories, links and devices have no content.
type File struct {
	Path         string
	Mode         uint32 // st_mode of Linux; without a type it is a regular file
	Owner, Group string // root when empty
	ModTime      int64  // seconds since 1970
	Flags        rpm.FileFlags
	Caps         string // as cap_to_text(3) writes it: "cap_net_raw=ep"
	Link         string // target, for rpm.ModeLink
	HardLink     string // path of an earlier file of this package that it shares its inode with
	Lang         string
	Rdev         uint32

	Content func() (io.ReadCloser, error)
	Size    int64
}

// Bytes gives Content that reads data.
func Bytes(data []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
}

// Text makes a regular file of mode 0644 that holds the text.
func Text(path, text string) File {
	return File{Path: path, Mode: rpm.ModeRegular | 0o644, Content: Bytes([]byte(text)), Size: int64(len(text))}
}

// Dir makes a directory of mode 0755.
func Dir(path string) File { return File{Path: path, Mode: rpm.ModeDirectory | 0o755} }

// Symlink makes a symbolic link.
func Symlink(path, target string) File {
	return File{Path: path, Mode: rpm.ModeLink | 0o777, Link: target}
}

// Hostile changes a package into one that no rpmbuild makes, for tests of
// readers. The zero value changes nothing.
type Hostile struct {
	// Header and Signature replace entries by tag, or add them, before digests
	// and signature are computed.
	Header, Signature []rpm.Entry
	// Drop and DropSignature leave tags out.
	Drop, DropSignature []rpm.Tag
	// Payload replaces the compressed payload; its digest in the header is
	// that of the replacement.
	Payload []byte
	// Content replaces the bytes of a file in the payload, by path, while the
	// header goes on describing the Spec's file.
	Content map[string][]byte
}
