package sandbox

import "os"

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

// Changes lists what a sandbox left in its Spec.Upper: a directory before what
// is below it, names of a directory in byte order. It hides how overlayfs
// encodes deletions (character device 0:0, and the extended attribute
// user.overlay.opaque). An entry's extended attributes in the "user.overlay."
// and "trusted.overlay." namespaces are overlayfs's own and belong in no image.
func Changes(upper string) ([]Change, error) { return nil, nil }

// Whiteout marks path, which must not exist, as removed: below it in Spec.Lower
// nothing of that name is visible.
func Whiteout(path string) error { return nil }

// Opaque marks the directory dir as hiding what lower directories have of that
// name.
func Opaque(dir string) error { return nil }
