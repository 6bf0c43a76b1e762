// Package cache keeps what was made under the hash of what went into it.
//
// A cache is a folder. An entry is a file or a folder in it, found by a kind (a short word such as
// "rpm" or "fragment") and a key (the hash of every input that could change the entry). Entries are
// immutable: whoever finds one may read it without asking further, and whoever makes one that is
// already there throws the new one away. Hence a cache is never wrong, only missing, and deleting
// any part of it while nothing runs loses nothing but time.
//
// Entries are written to a temporary name and renamed, so a reader never sees half of one, and a
// process that is killed leaves only a temporary name, which a later Open removes. Makers of the
// same entry wait for each other, between goroutines and between processes (flock on a file that
// the kernel lets go of when a process dies).
//
// When an entry was used last is kept as its access time, to the hour. Prune goes by it; it never runs
// beside another user of the cache, and leaves alone what a process holds that does not have the cache
// open (Hold).
//
// Folders are the owner's alone: entries may be the files of root file systems, programs with a
// set-user-id bit among them, which other users of the machine must not reach.
//
// The package does not check what an entry holds: a stage whose entries could be damaged by the
// disk stores a checksum in them and looks at it.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Dir is a cache folder. It is safe for concurrent use, also by several processes.
type Dir struct {
	root string
	// temp is the folder of this process's scratch entries; its lock file is held while we live.
	temp string
	lock *os.File
	// users is the lock that says that we use the cache, since opened.
	users  *os.File
	opened time.Time
}

const (
	tempDir = "tmp"
	lockDir = "locks"
)

// Open makes the folder where it does not exist and removes what processes that were killed left
// behind in it.
func Open(root string) (*Dir, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("opening cache: %w", err)
	}
	for _, d := range []string{tempDir, lockDir} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o700); err != nil {
			return nil, fmt.Errorf("opening cache: %w", err)
		}
	}
	d := &Dir{root: root}
	if err := d.claimUse(); err != nil {
		return nil, fmt.Errorf("opening cache %s: %w", root, err)
	}
	if err := d.claimTemp(); err != nil {
		d.users.Close()
		return nil, fmt.Errorf("opening cache %s: %w", root, err)
	}
	d.sweep()
	return d, nil
}

// Root is the absolute path of the folder.
func (d *Dir) Root() string { return d.root }

// Close removes the scratch folder of this process. Entries stay.
func (d *Dir) Close() error {
	err := removeTree(d.temp)
	return errors.Join(err, os.Remove(d.lock.Name()), d.lock.Close(), d.users.Close())
}

// Key hashes its parts to a key: sha256 in lowercase hex. Parts are told apart by their lengths, so
// Key("ab", "c") and Key("a", "bc") differ.
func Key(parts ...string) string {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Path gives the place of an entry and whether it is there; one that is counts as used.
func (d *Dir) Path(kind, key string) (string, bool) {
	p := d.place(kind, key)
	st, err := os.Lstat(p)
	if err == nil {
		d.touch(p, st)
	}
	return p, err == nil
}

// File returns the path of the file kind/key and whether it was there already. Where it was not,
// fill writes its content; when fill or the disk fails, nothing of it stays. What fill is given is an
// *os.File, for one that wants to seek.
func (d *Dir) File(ctx context.Context, kind, key string, fill func(w io.Writer) error) (path string, hit bool, err error) {
	return d.file(ctx, kind, key, fill, (*os.File).Sync)
}

// Checked is File for content with a checksum that whoever opens it verifies. It is not flushed, which
// for a large file takes as long as to make it: a kernel that crashed within seconds of the rename can
// leave a damaged one, and only that.
func (d *Dir) Checked(ctx context.Context, kind, key string, fill func(w io.Writer) error) (path string, hit bool, err error) {
	return d.file(ctx, kind, key, fill, func(*os.File) error { return nil })
}

func (d *Dir) file(ctx context.Context, kind, key string, fill func(w io.Writer) error, flush func(*os.File) error) (path string, hit bool, err error) {
	return d.entry(ctx, kind, key, func(tmp string) error {
		f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := fill(f); err != nil {
			return err
		}
		if err := flush(f); err != nil {
			return err
		}
		return f.Close()
	})
}

// Put is File with the content at hand.
func (d *Dir) Put(ctx context.Context, kind, key string, r io.Reader) (path string, hit bool, err error) {
	return d.File(ctx, kind, key, func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// Tree is File for a folder: fill populates the folder that it is given, which exists and is empty.
// The files in it are not flushed one by one: a folder is cheap to make again, and a kernel that
// crashed within seconds of the rename is the one case in which it could be damaged.
func (d *Dir) Tree(ctx context.Context, kind, key string, fill func(dir string) error) (path string, hit bool, err error) {
	return d.entry(ctx, kind, key, func(tmp string) error {
		if err := os.Mkdir(tmp, 0o700); err != nil {
			return err
		}
		return fill(tmp)
	})
}

// Remove takes an entry away, for a stage that found it damaged. A missing entry is no error.
func (d *Dir) Remove(kind, key string) error {
	p := d.place(kind, key)
	dir, cleanup, err := d.Temp("removed-")
	if err != nil {
		return err
	}
	defer cleanup()
	if err := os.Rename(p, filepath.Join(dir, "old")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing cache entry: %w", err)
	}
	return nil
}

// Temp makes an empty scratch folder on the cache's file system. cleanup removes it, whatever it
// holds by then.
func (d *Dir) Temp(pattern string) (dir string, cleanup func(), err error) {
	dir, err = os.MkdirTemp(d.temp, pattern)
	if err != nil {
		return "", nil, fmt.Errorf("making scratch folder: %w", err)
	}
	return dir, func() { _ = removeTree(dir) }, nil
}

// entry is the one way in which entries come to be.
func (d *Dir) entry(ctx context.Context, kind, key string, fill func(tmp string) error) (string, bool, error) {
	if p, ok := d.Path(kind, key); ok {
		return p, true, nil
	}
	unlock, err := d.acquire(ctx, kind, key)
	if err != nil {
		return "", false, err
	}
	defer unlock()
	p, ok := d.Path(kind, key)
	if ok {
		return p, true, nil
	}
	dir, cleanup, err := d.Temp("entry-")
	if err != nil {
		return "", false, err
	}
	defer cleanup()
	tmp := filepath.Join(dir, "new")
	if err := fill(tmp); err != nil {
		return "", false, err
	}
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		return "", false, fmt.Errorf("storing cache entry: %w", err)
	}
	if err := os.Rename(tmp, p); err != nil {
		return "", false, fmt.Errorf("storing cache entry: %w", err)
	}
	return p, false, nil
}

func (d *Dir) place(kind, key string) string {
	checkName("kind", kind)
	checkName("key", key)
	if len(key) > 2 {
		return filepath.Join(d.root, kind, key[:2], key)
	}
	return filepath.Join(d.root, kind, "_", key)
}

// checkName keeps names inside the folder. Kinds and keys are made by the program (hashes, words of
// its own), so another one is the programmer's mistake.
func checkName(what, name string) {
	ok := name != "" && name[0] != '.' && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
	})
	if !ok {
		panic(fmt.Sprintf("cache: invalid %s %q", what, name))
	}
}
