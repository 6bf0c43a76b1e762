package sandbox

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Kind is what happened to a path.
type Kind int

const (
	// Written is an entry that was made or changed; a directory may also be
	// there only because something below it was.
	Written Kind = iota
	// Removed is an entry of a lower directory that is gone.
	Removed
	// Replaced is a directory that was made anew: what lower directories have
	// below it is gone. Entries below that were made follow.
	Replaced
)

// Change is an entry of an upper directory.
type Change struct {
	// Path inside the root filesystem, without a leading slash, slash-separated.
	Path string
	Kind Kind
	// Info is Lstat of the entry; nil for Removed.
	Info os.FileInfo
}

// Overlayfs's own extended attributes, which belong in no image, begin with
// these (Linux, Documentation/filesystems/overlayfs.rst).
const (
	OverlayXattr        = "user.overlay."
	TrustedOverlayXattr = "trusted.overlay."
)

const opaqueXattr = OverlayXattr + "opaque"

// Changes lists what a sandbox left in its Spec.Upper: a directory before what
// is below it, names of a directory in byte order, the root directory itself not.
// It hides how overlayfs encodes deletions (a character device 0:0, and the
// extended attribute user.overlay.opaque).
func Changes(upper string) ([]Change, error) {
	var changes []Change
	err := filepath.WalkDir(upper, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == upper {
			return err
		}
		change, err := changeAt(upper, name, entry)
		if err != nil {
			return err
		}
		changes = append(changes, change)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing changes: %w", err)
	}
	return changes, nil
}

func changeAt(upper, name string, entry fs.DirEntry) (Change, error) {
	relative, err := filepath.Rel(upper, name)
	if err != nil {
		return Change{}, err
	}
	info, err := entry.Info()
	if err != nil {
		return Change{}, err
	}
	change := Change{Path: filepath.ToSlash(relative), Info: info}
	switch {
	case isWhiteout(info):
		change.Kind, change.Info = Removed, nil
	case info.IsDir():
		opaque, err := isOpaque(name)
		if err != nil {
			return Change{}, err
		}
		if opaque {
			change.Kind = Replaced
		}
	}
	return change, nil
}

func isWhiteout(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode().Type() == fs.ModeDevice|fs.ModeCharDevice && st.Rdev == 0
}

func isOpaque(dir string) (bool, error) {
	var value [1]byte
	n, err := unix.Lgetxattr(dir, opaqueXattr, value[:])
	switch err {
	case nil:
		return n == 1 && value[0] == 'y', nil
	case unix.ENODATA, unix.EOPNOTSUPP, unix.ERANGE:
		return false, nil
	}
	return false, &os.PathError{Op: "getxattr", Path: dir, Err: err}
}

// Whiteout marks path, which must not exist, as removed: where it is in one of
// Spec.Lower, nothing of that name is visible from lower ones.
func Whiteout(path string) error {
	if err := unix.Mknod(path, unix.S_IFCHR, 0); err != nil {
		return &os.PathError{Op: "mknod", Path: path, Err: err}
	}
	return nil
}

// Opaque marks the directory dir, in one of Spec.Lower, as hiding what lower
// ones have below that name.
func Opaque(dir string) error {
	if err := unix.Lsetxattr(dir, opaqueXattr, []byte("y"), 0); err != nil {
		return &os.PathError{Op: "setxattr", Path: dir, Err: err}
	}
	return nil
}
