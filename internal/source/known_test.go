package source_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-build/slipway/internal/source"
)

// TestKnown asks for the same again and again, while something else changes each time.
func TestKnown(t *testing.T) {
	r, mirrors := newRepo(t), t.TempDir()
	r.write("a.txt", "1", 0o644)
	r.commit("one")
	m := mirror(t, source.Open(mirrors), r.dir)
	look := func(tag string, ahead int, content string) {
		t.Helper()
		for range 2 { // the second time from what is kept
			if err := m.Fetch(t.Context()); err != nil {
				t.Fatal(err)
			}
			rev, err := m.Branch(t.Context(), "main")
			if err != nil {
				t.Fatal(err)
			}
			if rev.Tag != tag || rev.Ahead != ahead || rev.Branch != "main" || rev.URL != m.URL() {
				t.Errorf("revision is %+v, want tag %q and %d commits since", rev, tag, ahead)
			}
			tree, err := m.Tree(t.Context(), rev, "")
			if err != nil {
				t.Fatal(err)
			}
			if loaded, err := tree.Load(t.Context(), 1<<20); err != nil || !loaded {
				t.Fatalf("loaded: %v, %v", loaded, err)
			}
			if err := tree.Close(); err != nil {
				t.Fatal(err)
			}
			if got, err := fs.ReadFile(tree, "a.txt"); err != nil || string(got) != content {
				t.Errorf("a.txt is %q, %v, want %q", got, err, content)
			}
		}
	}
	look("", 1, "1")
	r.git("tag", "v1.0")
	look("v1.0", 0, "1")
	r.write("a.txt", "2", 0o644)
	r.commit("two")
	look("v1.0", 1, "2")
	r.git("pack-refs", "--all")
	look("v1.0", 1, "2")
	r.git("tag", "-d", "v1.0")
	look("", 2, "2")

	// What is damaged is not believed.
	kept, err := filepath.Glob(filepath.Join(mirrors, "*.known", "*"))
	if err != nil || len(kept) == 0 {
		t.Fatal("nothing is kept", err)
	}
	for _, file := range kept {
		if err := os.WriteFile(file, []byte("damaged, but long enough to have a checksum at its head"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	look("", 2, "2")
}

func TestLoadBound(t *testing.T) {
	r := newRepo(t)
	r.write("a.txt", "12345678", 0o644)
	r.commit("one")
	m := mirror(t, source.Open(t.TempDir()), r.dir)
	if err := m.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	rev, err := m.Branch(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := m.Tree(t.Context(), rev, "")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if loaded, err := tree.Load(t.Context(), 7); err != nil || loaded {
		t.Errorf("loaded beyond the bound: %v, %v", loaded, err)
	}
	if got, err := fs.ReadFile(tree, "a.txt"); err != nil || string(got) != "12345678" {
		t.Errorf("a.txt is %q, %v", got, err)
	}
}
