package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// usersLock is held, shared, by every open Dir, and alone by one that prunes.
const usersLock = "users"

// claimUse says that this process uses the cache, and waits for one that prunes it.
func (d *Dir) claimUse() error {
	f, err := os.OpenFile(filepath.Join(d.root, lockDir, usersLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_SH); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return err
	}
	d.users, d.opened = f, time.Now()
	return nil
}

// usedGrain is how exactly the cache knows when an entry was used. To note it changes the entry's
// change time, by which others tell whether a file is as it was.
const usedGrain = time.Hour

// touch notes that an entry is used: its access time is set, which nothing else here looks at. It is
// not an error when that can't be done, as on a disk of somebody else's.
func (d *Dir) touch(path string, st fs.FileInfo) {
	if accessed(st).Before(d.opened.Add(-usedGrain)) {
		setAccessed(path, time.Now())
	}
}

// Used notes that the entry that a path lies in is used, for one who kept the path and does not ask
// for the entry.
func (d *Dir) Used(path string) {
	rel, err := filepath.Rel(d.root, path)
	parts := strings.Split(rel, string(filepath.Separator))
	if err != nil || !filepath.IsLocal(rel) || len(parts) < 3 {
		return
	}
	entry := filepath.Join(d.root, parts[0], parts[1], parts[2])
	if st, err := os.Lstat(entry); err == nil {
		d.touch(entry, st)
	}
}

// Hold keeps a folder of a cache from being pruned for as long as the process lives or until release
// is called: for one who goes on using it after its Dir is closed, as a mount does.
func Hold(folder string) (release func(), err error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, fmt.Errorf("holding cache entry: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("holding cache entry %s: %w", folder, err)
	}
	return func() { f.Close() }, nil
}

// held says whether somebody holds an entry.
func held(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}

func accessed(st fs.FileInfo) time.Time {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return time.Unix(sys.Atim.Unix())
	}
	return st.ModTime()
}

// setAccessed changes the access time alone.
func setAccessed(path string, at time.Time) {
	stamp, err := unix.TimeToTimespec(at)
	if err != nil {
		return
	}
	_ = unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{stamp, {Nsec: unix.UTIME_OMIT}}, unix.AT_SYMLINK_NOFOLLOW)
}
