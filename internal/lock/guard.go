package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Guard waits until nobody else holds the guard of the lock file at path, in this process or another
// one, and holds it until release is called: from reading a lock to writing what was made of it. What
// is locked (flock(2)) is the folder, since the file itself is replaced by each write; nothing is left
// in it. waiting, if not nil, is called once if there is somebody to wait for.
func Guard(ctx context.Context, path string, waiting func()) (release func(), err error) {
	dir := filepath.Dir(path)
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("guarding the lock %s: %w", path, err)
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
		default:
			f.Close()
			return nil, fmt.Errorf("guarding the lock %s: %w", path, err)
		}
		if waiting != nil {
			waiting()
			waiting = nil
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("waiting for another one who writes %s: %w", path, context.Cause(ctx))
		case <-time.After(wait):
		}
	}
}
