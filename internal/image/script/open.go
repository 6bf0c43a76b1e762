package script

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// open opens a file for reading. An image has files that their own owner may not read, such as
// /etc/shadow, which on disk belong to whoever builds: who is not root opens them for a moment.
func open(root *os.Root, name string) (*os.File, error) {
	f, err := root.Open(name)
	if !errors.Is(err, fs.ErrPermission) || os.Geteuid() == 0 {
		return f, err
	}
	info, statErr := root.Lstat(name)
	if statErr != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	if err := root.Chmod(name, 0o400); err != nil {
		return nil, err
	}
	f, err = root.Open(name)
	if back := root.Chmod(name, info.Mode()); back != nil && err == nil {
		f.Close()
		return nil, back
	}
	return f, err
}

// lockFolders keeps others from seeing a mode that open changes, until unlock is called. Root
// changes none and waits for nobody.
func lockFolders(folders []string) (unlock func(), err error) {
	var held []*os.File
	unlock = func() {
		for _, f := range held {
			f.Close()
		}
	}
	if os.Geteuid() == 0 {
		return unlock, nil
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(folders))) { // all in one order
		f, err := os.Open(name)
		if err != nil {
			unlock()
			return nil, err
		}
		held = append(held, f)
		for err = unix.EINTR; errors.Is(err, unix.EINTR); {
			err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		}
		if err != nil {
			unlock()
			return nil, fmt.Errorf("locking %s: %w", name, err)
		}
	}
	return unlock, nil
}
