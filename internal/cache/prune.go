package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Usage says how much of a kind there is.
type Usage struct {
	Kind    string
	Entries int
	// Bytes are those of the disk; what hard links share counts once.
	Bytes int64
	// LastUsed is when an entry of the kind was used last.
	LastUsed time.Time
}

// Usage lists what the cache has, by kind.
func (d *Dir) Usage(ctx context.Context) ([]Usage, error) {
	items, err := d.survey(ctx)
	if err != nil {
		return nil, err
	}
	return sum(items), nil
}

// Limits say what Prune leaves.
type Limits struct {
	// OlderThan removes what was not used for so long; 0 removes nothing for that.
	OlderThan time.Duration
	// MaxBytes removes what was not used for longest, until so much is left; 0 is no limit.
	MaxBytes int64
	// All removes everything.
	All bool
	// DryRun only says what would be removed.
	DryRun bool
	// Wait is how long to wait until nobody else uses the cache; 0 does not.
	Wait time.Duration
}

// Pruned is what Prune did.
type Pruned struct {
	Removed []Usage // by kind
	Held    []Usage // what would have been removed, but is held
}

// ErrInUse says that another process has the cache open.
var ErrInUse = errors.New("another slipway uses the cache now, so nothing was removed")

// Prune removes entries. It does so only when no other Dir of the folder is open, in whatever process
// (ErrInUse), and whoever opens one meanwhile waits. This Dir must not be used by anybody else
// meanwhile. Entries go one by one: one that is cut short has removed some.
func (d *Dir) Prune(ctx context.Context, l Limits) (p Pruned, err error) {
	if err := d.claimAlone(ctx, l.Wait); err != nil {
		return p, err
	}
	defer func() {
		err = errors.Join(err, unix.Flock(int(d.users.Fd()), unix.LOCK_SH))
	}()
	items, err := d.survey(ctx)
	if err != nil {
		return p, err
	}
	var removed, kept []item
	for _, it := range l.condemned(items, time.Now()) {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
			break
		}
		if held(it.path) {
			kept = append(kept, it)
			continue
		}
		if !l.DryRun {
			if err = d.removePath(it.path); err != nil {
				break
			}
		}
		removed = append(removed, it)
	}
	return Pruned{Removed: sum(removed), Held: sum(kept)}, err
}

// claimAlone waits until nobody else uses the cache.
func (d *Dir) claimAlone(ctx context.Context, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		err := unix.Flock(int(d.users.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			return fmt.Errorf("locking the cache: %w", err)
		}
		// Who fails to get the lock alone may have lost the one it had.
		if err := unix.Flock(int(d.users.Fd()), unix.LOCK_SH); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("locking the cache: %w", err)
		}
		if time.Now().After(deadline) {
			return ErrInUse
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// condemned lists what goes, what was used longest ago first.
func (l Limits) condemned(items []item, now time.Time) []item {
	slices.SortStableFunc(items, func(a, b item) int { return a.used.Compare(b.used) })
	total := int64(0)
	for _, it := range items {
		total += it.bytes
	}
	var out []item
	for _, it := range items {
		old := l.OlderThan > 0 && now.Sub(it.used) > l.OlderThan
		large := l.MaxBytes > 0 && total > l.MaxBytes
		if l.All || old || large {
			out = append(out, it)
			total -= it.bytes
		}
	}
	return out
}

func (d *Dir) removePath(path string) error {
	dir, cleanup, err := d.Temp("pruned-")
	if err != nil {
		return err
	}
	defer cleanup()
	if err := os.Rename(path, filepath.Join(dir, "old")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing cache entry: %w", err)
	}
	return nil
}

// item is an entry, or a folder or file that a stage keeps in the cache under a name of its own (the
// mirrors of repositories).
type item struct {
	kind, path string
	bytes      int64
	used       time.Time
}

// survey measures everything but locks and scratch.
func (d *Dir) survey(ctx context.Context) ([]item, error) {
	kinds, err := os.ReadDir(d.root)
	if err != nil {
		return nil, fmt.Errorf("reading the cache: %w", err)
	}
	seen := map[[2]uint64]bool{}
	var items []item
	for _, k := range kinds {
		if !k.IsDir() || k.Name() == tempDir || k.Name() == lockDir {
			continue
		}
		folder := filepath.Join(d.root, k.Name())
		paths, err := entries(folder)
		if err != nil {
			return nil, fmt.Errorf("reading the cache: %w", err)
		}
		for _, p := range paths {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			it, err := measure(k.Name(), p, seen)
			if errors.Is(err, fs.ErrNotExist) {
				continue // another process has just replaced it
			} else if err != nil {
				return nil, fmt.Errorf("reading the cache: %w", err)
			}
			items = append(items, it)
		}
	}
	return items, nil
}

// entries lists what a kind has: below folders of two letters of their keys, or directly.
func entries(folder string) (paths []string, err error) {
	list, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		path := filepath.Join(folder, e.Name())
		if !e.IsDir() || len(e.Name()) > 2 {
			paths = append(paths, path)
			continue
		}
		inner, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, i := range inner {
			paths = append(paths, filepath.Join(path, i.Name()))
		}
	}
	return paths, nil
}

// measure sums up a file or a tree. It reads folders, which may set their access time, so that is put
// back.
func measure(kind, path string, seen map[[2]uint64]bool) (item, error) {
	top, err := os.Lstat(path)
	if err != nil {
		return item{}, err
	}
	it := item{kind: kind, path: path, used: accessed(top)}
	if it.used.Before(top.ModTime()) {
		it.used = top.ModTime()
	}
	err = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) {
			return fs.SkipDir // of a root file system: what it holds is small
		}
		if err != nil {
			return err
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		sys, ok := st.Sys().(*syscall.Stat_t)
		if !ok {
			it.bytes += st.Size()
			return nil
		}
		if inode := [2]uint64{sys.Dev, sys.Ino}; sys.Nlink > 1 && !e.IsDir() {
			if seen[inode] {
				return nil
			}
			seen[inode] = true
		}
		it.bytes += sys.Blocks * 512
		return nil
	})
	if top.IsDir() {
		setAccessed(path, accessed(top))
	}
	return it, err
}

// sum adds up by kind, sorted.
func sum(items []item) []Usage {
	var out []Usage
	for _, it := range items {
		i := slices.IndexFunc(out, func(u Usage) bool { return u.Kind == it.kind })
		if i < 0 {
			i = len(out)
			out = append(out, Usage{Kind: it.kind})
		}
		out[i].Entries++
		out[i].Bytes += it.bytes
		if it.used.After(out[i].LastUsed) {
			out[i].LastUsed = it.used
		}
	}
	slices.SortFunc(out, func(a, b Usage) int { return strings.Compare(a.Kind, b.Kind) })
	return out
}
