package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// hold is a lock on a name: an open file description lock (fcntl(2)) on a file of that name. It is
// held until it is released, or the process dies. The files stay.
type hold struct{ file *os.File }

func (h *hold) release() { h.file.Close() }

// whole is a write lock of a whole file.
func whole() *unix.Flock_t { return &unix.Flock_t{Type: unix.F_WRLCK} }

// try takes the lock of a name; nil where another has it.
func (s *Store) try(name string) (*hold, error) {
	f, err := os.OpenFile(s.lockFile(name), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking records: %w", err)
	}
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, whole())
	if err == nil {
		return &hold{f}, nil
	}
	f.Close()
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return nil, nil //nolint:nilnil // taken is no error
	}
	return nil, fmt.Errorf("locking records: %w", err)
}

// await takes the lock of a name, waiting for whoever has it.
func (s *Store) await(ctx context.Context, name string) (*hold, error) {
	for {
		if h, err := s.try(name); h != nil || err != nil {
			return h, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for another process: %w", context.Cause(ctx))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// taken says whether somebody has the lock of a name, without taking it.
func (s *Store) taken(name string) (bool, error) {
	f, err := os.Open(s.lockFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("looking at a lock of the records: %w", err)
	}
	defer f.Close()
	l := whole()
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, l); err != nil {
		return false, fmt.Errorf("looking at a lock of the records: %w", err)
	}
	return l.Type != unix.F_UNLCK, nil
}

func (s *Store) lockFile(name string) string {
	return filepath.Join(s.locks, url.PathEscape(name)+".lock")
}
