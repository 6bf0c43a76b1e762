package cache_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/cache"
)

// put makes an entry of so many bytes that was used so long ago, and gives its path.
func put(t *testing.T, d *cache.Dir, kind, key string, size int, ago time.Duration) string {
	t.Helper()
	path, _, err := d.Put(t.Context(), kind, key, strings.NewReader(strings.Repeat("x", size)))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-ago)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
	return path
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestUsage(t *testing.T) {
	d := open(t, t.TempDir())
	put(t, d, "rpm", "aa11", 5000, time.Hour)
	put(t, d, "rpm", "k", 5000, 48*time.Hour)
	tree, _, err := d.Tree(t.Context(), "tree", "bb22", func(dir string) error {
		for _, name := range []string{"one", "sub/two"} {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, make([]byte, 10_000), 0o644); err != nil {
				return err
			}
		}
		return os.Link(filepath.Join(dir, "one"), filepath.Join(dir, "three"))
	})
	if err != nil {
		t.Fatal(err)
	}
	mirror := filepath.Join(d.Root(), "mirrors", "0123456789abcdef")
	if err := os.MkdirAll(mirror, 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 { // to look changes nothing
		usage, err := d.Usage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, u := range usage {
			kinds = append(kinds, u.Kind)
		}
		if !slices.Equal(kinds, []string{"mirrors", "rpm", "tree"}) || usage[1].Entries != 2 || usage[2].Entries != 1 {
			t.Fatalf("got %+v", usage)
		}
		if b := usage[2].Bytes; b < 20_000 || b > 60_000 {
			t.Errorf("two files of 10000 bytes, one of them linked twice, are %d bytes", b)
		}
		if since := time.Since(usage[1].LastUsed); since < 50*time.Minute || since > 2*time.Hour {
			t.Errorf("used %v ago", since)
		}
	}
	// Whoever finds an entry uses it.
	old := time.Now().Add(-72 * time.Hour)
	if err := os.Chtimes(tree, old, old); err != nil {
		t.Fatal(err)
	}
	other := open(t, d.Root())
	other.Used(filepath.Join(tree, "sub", "two"))
	other.Used("/etc/passwd")
	st, err := os.Lstat(tree)
	if err != nil || !st.ModTime().Equal(old) {
		t.Errorf("its time of change is another: %v, %v", st.ModTime(), err)
	}
	usage, err := other.Usage(t.Context())
	if err != nil || time.Since(usage[2].LastUsed) > time.Minute {
		t.Errorf("%+v, %v", usage, err)
	}
}

func TestPrune(t *testing.T) {
	d := open(t, t.TempDir())
	set := func() (old, middle, young string) {
		return put(t, d, "rpm", "old0", 40_000, 72*time.Hour), put(t, d, "rpm", "middle", 40_000, 48*time.Hour), put(t, d, "layer", "young", 40_000, time.Hour)
	}
	for name, tt := range map[string]struct {
		limits cache.Limits
		left   string
	}{
		"nothing": {cache.Limits{}, "old middle young"},
		"age":     {cache.Limits{OlderThan: 60 * time.Hour}, "middle young"},
		"size":    {cache.Limits{MaxBytes: 60_000}, "young"},
		"both":    {cache.Limits{MaxBytes: 100_000, OlderThan: 50 * time.Hour}, "middle young"},
		"all":     {cache.Limits{All: true}, ""},
		"dry run": {cache.Limits{All: true, DryRun: true}, "old middle young"},
	} {
		old, middle, young := set()
		p, err := d.Prune(t.Context(), tt.limits)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, e := range []struct{ name, path string }{{"old", old}, {"middle", middle}, {"young", young}} {
			if there(e.path) {
				left = append(left, e.name)
			}
		}
		removed := 0
		for _, u := range p.Removed {
			removed += u.Entries
		}
		if strings.Join(left, " ") != tt.left || !tt.limits.DryRun && removed != 3-len(left) || tt.limits.DryRun && removed != 3 {
			t.Errorf("%s: %v are left, %+v", name, left, p)
		}
	}
}

// What somebody uses stays.
func TestPruneBesideOthers(t *testing.T) {
	d := open(t, t.TempDir())
	path := put(t, d, "rpm", "old0", 10, 72*time.Hour)
	other, err := cache.Open(d.Root())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Prune(t.Context(), cache.Limits{All: true}); !errors.Is(err, cache.ErrInUse) || !there(path) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Prune(ctx, cache.Limits{All: true, Wait: time.Hour}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// The other is gone; but it left something that is still used.
	tree, _, err := other.Tree(t.Context(), "tree", "bb22", func(string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	release, err := cache.Hold(tree)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := d.Prune(t.Context(), cache.Limits{All: true, Wait: time.Minute})
	if err != nil || !there(tree) || there(path) || len(p.Held) != 1 || p.Held[0].Kind != "tree" {
		t.Errorf("got %+v, %v", p, err)
	}
	release()
	if _, err := d.Prune(t.Context(), cache.Limits{All: true}); err != nil || there(tree) {
		t.Errorf("got %v", err)
	}
	if _, err := cache.Hold(tree); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// Whoever opens a cache waits for one who prunes it.
func TestOpenWaitsForPrune(t *testing.T) {
	root := t.TempDir()
	open(t, root).Close()
	f, err := os.Open(filepath.Join(root, "locks", "users"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		if d, err := cache.Open(root); err != nil {
			t.Error(err)
		} else {
			d.Close()
		}
	}()
	select {
	case <-opened:
		t.Error("it did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	f.Close()
	<-opened
}
