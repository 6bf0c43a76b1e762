package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// acquire takes the lock of one entry, waiting for whoever makes it now. Lock files stay: to remove
// one that another process has just opened would give two processes a lock each.
func (d *Dir) acquire(ctx context.Context, kind, key string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(d.root, lockDir, kind+"-"+Key(key)[:16]), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking cache entry: %w", err)
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, fmt.Errorf("locking cache entry: %w", err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("waiting for another maker of a cache entry: %w", context.Cause(ctx))
		case <-time.After(wait):
		}
	}
}

// claimTemp makes this process's scratch folder and holds a lock beside it for as long as the
// process lives, so that others can tell a living owner from a dead one. One who sweeps may lock the
// new file for a moment before we do, and even take it for a dead one's: then another is made.
func (d *Dir) claimTemp() error {
	for {
		f, err := os.CreateTemp(filepath.Join(d.root, tempDir), "p-*.lock")
		if err != nil {
			return err
		}
		if err := lockFile(f); err != nil {
			f.Close()
			return err
		}
		if ours(f) {
			d.lock, d.temp = f, strings.TrimSuffix(f.Name(), ".lock")
			return os.Mkdir(d.temp, 0o700)
		}
		f.Close()
	}
}

// lockFile waits for the lock of a file that others hold for a moment only.
func lockFile(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// ours says whether an open file is still the one of its name.
func ours(f *os.File) bool {
	there, err := os.Stat(f.Name())
	if err != nil {
		return false
	}
	open, err := f.Stat()
	return err == nil && os.SameFile(there, open)
}

// sweep removes the scratch folders whose owners are dead. What can't be removed now (another
// user's, say) is left for another time: it is only room on the disk.
func (d *Dir) sweep() {
	locks, _ := filepath.Glob(filepath.Join(d.root, tempDir, "p-*.lock"))
	for _, name := range locks {
		if name == d.lock.Name() {
			continue
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if oldEnough(f) && unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil && ours(f) {
			_ = removeTree(strings.TrimSuffix(name, ".lock"))
			_ = os.Remove(name)
		}
		f.Close()
	}
}

// oldEnough spares lock files between their making and their locking.
func oldEnough(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && time.Since(st.ModTime()) > time.Second
}

// removeTree removes a folder that may hold read-only folders (as root file systems do).
func removeTree(path string) error {
	err := os.RemoveAll(path)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			_ = os.Chmod(p, 0o700) //nolint:gosec // about to be removed
		}
		return nil
	})
	return os.RemoveAll(path)
}
