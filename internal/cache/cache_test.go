package cache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
)

func open(t *testing.T, root string) *cache.Dir {
	t.Helper()
	d, err := cache.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestFileIsMadeOnce(t *testing.T) {
	d := open(t, t.TempDir())
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			p, _, err := d.File(t.Context(), "word", "k1", func(w io.Writer) error {
				made.Add(1)
				_, err := io.WriteString(w, "hello")
				return err
			})
			if err != nil {
				t.Error(err)
				return
			}
			if b, _ := os.ReadFile(p); string(b) != "hello" {
				t.Errorf("read %q", b)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("made %d times, want once", made.Load())
	}
	if _, hit, _ := d.File(t.Context(), "word", "k1", nil); !hit {
		t.Error("second call is no hit")
	}
}

func TestFailedMakerLeavesNothing(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	boom := errors.New("boom")
	_, _, err := d.Tree(t.Context(), "tree", "k", func(dir string) error {
		if err := os.Mkdir(filepath.Join(dir, "ro"), 0o500); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("err = %v", err)
	}
	if _, ok := d.Path("tree", "k"); ok {
		t.Error("entry exists")
	}
	_, hit, err := d.Tree(t.Context(), "tree", "k", func(dir string) error { return nil })
	if err != nil || hit {
		t.Errorf("second maker: hit=%v err=%v", hit, err)
	}
}

func TestRemoveThenMakeAgain(t *testing.T) {
	d := open(t, t.TempDir())
	put := func(s string) string {
		p, _, err := d.File(t.Context(), "a", "k", func(w io.Writer) error { _, err := io.WriteString(w, s); return err })
		if err != nil {
			t.Fatal(err)
		}
		b, _ := os.ReadFile(p)
		return string(b)
	}
	if put("one") != "one" || put("two") != "one" {
		t.Error("an entry changed")
	}
	if err := d.Remove("a", "k"); err != nil {
		t.Fatal(err)
	}
	if err := d.Remove("a", "k"); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
	if put("two") != "two" {
		t.Error("entry not made again")
	}
}

func TestOthersCannotReachEntries(t *testing.T) {
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	d := open(t, root)
	p, _, err := d.Tree(t.Context(), "unpacked", "abc", func(string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	tmp, cleanup, err := d.Temp("x")
	if err != nil {
		t.Fatal(err)
	}
	defer cleanup()
	for _, path := range []string{p, tmp} {
		closed := false
		for dir := filepath.Dir(path); dir != root; dir = filepath.Dir(dir) {
			st, err := os.Stat(dir)
			if err != nil {
				t.Fatal(err)
			}
			closed = closed || st.Mode().Perm()&0o077 == 0
		}
		if !closed {
			t.Errorf("others can reach %s", path)
		}
	}
}

func TestKeyTellsPartsApart(t *testing.T) {
	if cache.Key("ab", "c") == cache.Key("a", "bc") || cache.Key() == cache.Key("") {
		t.Error("keys collide")
	}
}

func TestNamesStayInside(t *testing.T) {
	d := open(t, t.TempDir())
	for _, key := range []string{"", "..", "a/b", "A", ".x", "a\x00"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("key %q accepted", key)
				}
			}()
			d.Path("k", key)
		}()
	}
}

func TestWaitingEndsWithContext(t *testing.T) {
	root := t.TempDir()
	a, b := open(t, root), open(t, root)
	started, release := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _, _ = a.File(context.Background(), "w", "k", func(io.Writer) error { close(started); <-release; return nil })
	}()
	<-started
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err := b.File(ctx, "w", "k", func(io.Writer) error { return nil })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
	close(release)
	<-done
}

// TestKilledMaker kills a process in the middle of making an entry.
func TestKilledMaker(t *testing.T) {
	root := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "CACHE_TEST_ROOT="+root)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 7)); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	stale, _ := filepath.Glob(filepath.Join(root, "tmp", "p-*"))
	if len(stale) == 0 {
		t.Fatal("the killed process left nothing: the test tests nothing")
	}
	old := time.Now().Add(-time.Minute)
	for _, p := range stale {
		_ = os.Chtimes(p, old, old)
	}
	d := open(t, root)
	for _, p := range stale {
		if _, err := os.Stat(p); err == nil {
			t.Errorf("%s is still there", filepath.Base(p))
		}
	}
	p, hit, err := d.File(t.Context(), "f", "k", func(w io.Writer) error { _, err := io.WriteString(w, "whole"); return err })
	if err != nil || hit {
		t.Fatalf("hit=%v err=%v", hit, err)
	}
	if b, _ := os.ReadFile(p); string(b) != "whole" {
		t.Errorf("read %q", b)
	}
}

// TestManyOpenAtOnce opens and closes a cache from many sides: none takes another's scratch, or its
// lock, for a dead one's.
func TestManyOpenAtOnce(t *testing.T) {
	root := t.TempDir()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				d, err := cache.Open(root)
				if err != nil {
					t.Error(err)
					return
				}
				dir, cleanup, err := d.Temp("x-")
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(dir); err != nil {
					t.Error(err)
				}
				cleanup()
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if left, _ := filepath.Glob(filepath.Join(root, "tmp", "*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestRemovedFromManySides(t *testing.T) {
	d := open(t, t.TempDir())
	for range 20 {
		_, _, err := d.Tree(t.Context(), "tree", "k", func(dir string) error { return os.Mkdir(filepath.Join(dir, "sub"), 0o755) })
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := d.Remove("tree", "k"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if _, ok := d.Path("tree", "k"); ok {
			t.Fatal("it is still there")
		}
	}
}

func TestMain(m *testing.M) {
	if root := os.Getenv("CACHE_TEST_ROOT"); root != "" {
		d, err := cache.Open(root)
		if err != nil {
			panic(err)
		}
		_, _, _ = d.File(context.Background(), "f", "k", func(w io.Writer) error {
			fmt.Fprint(w, "half")
			fmt.Println("waiting")
			select {}
		})
	}
	os.Exit(m.Run())
}
