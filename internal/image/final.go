package image

import (
	"context"
	"time"
)

// FinalSpec says what a final image is made of.
type FinalSpec struct {
	Base *Image
	// Files are laid over the base as one layer, in any order. Missing parent directories are made
	// as root's, mode 0755. Two entries of one path are an error.
	Files []FileEntry
	// Config is the whole run-time configuration; nothing is taken over from the base.
	Config Config
}

// FileEntry is a file, directory or symbolic link of a final image.
type FileEntry struct {
	// Path is absolute and clean.
	Path string
	// Mode is a st_mode: type and permissions. Without a type it is a regular file; a symbolic link
	// is S_IFLNK, a directory S_IFDIR, and nothing else is allowed.
	Mode uint32
	// UID and GID of the owner; zero is root.
	UID, GID int
	// ModTime in seconds since 1970.
	ModTime int64
	// Link is the target of a symbolic link.
	Link string
	// Content of a regular file.
	Content []byte
}

// Config is what a container of the image runs, and how.
type Config struct {
	Env map[string]string
	// User as "uid[:gid]" or a name of the image. Empty: root.
	User string
	// WorkDir is where the command starts. Empty: /.
	WorkDir    string
	Entrypoint []string
	Cmd        []string
	// Ports are TCP ports that the image listens on.
	Ports []int
	// Labels go to the configuration, and to the manifest as annotations.
	Labels map[string]string
	// Created is written to the configuration: the newest commit's time, never the time of the
	// build. Zero: that of the base.
	Created time.Time
}

// Final makes a final image. It writes one small layer; the base's blobs are not read.
func (b *Builder) Final(ctx context.Context, spec FinalSpec) (*Image, error) {
	return b.final(ctx, spec)
}
