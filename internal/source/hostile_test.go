package source_test

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-build/slipway/internal/source"
)

func TestRedact(t *testing.T) {
	for address, want := range map[string]string{
		"https://user:hunter2@example.com/a.git":  "https://example.com/a.git",
		"https://hunter2@example.com/a.git":       "https://example.com/a.git",
		"https://user:hun%ter2@example.com/a.git": "https://example.com/a.git",
		"https://user:hun/ter2@example.com/a.git": "https://example.com/a.git",
		"https://user:hun@ter2@example.com/a.git": "https://example.com/a.git",
		"ssh://git@example.com/a.git":             "ssh://git@example.com/a.git",
		"ssh://git:hunter2@example.com/a.git":     "ssh://git@example.com/a.git",
		"git@example.com:team/a.git":              "git@example.com:team/a.git",
		"https://example.com/a.git?x=y":           "https://example.com/a.git?x=y",
		"/srv/a@b.git":                            "/srv/a@b.git",
		"":                                        "",
	} {
		if got := source.Redact(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// TestPasswordsStayUnseen looks for them in whatever is said of a mirror that can't be read.
func TestPasswordsStayUnseen(t *testing.T) {
	s := source.Open(t.TempDir())
	for _, address := range []string{"http://user:hunter2@127.0.0.1:1/x.git", "http://hunter2@127.0.0.1:1/x.git", "http://u:%hunter2@127.0.0.1:1/x.git", "http://u:hunter2@127.0.0.1:1/x\n.git"} {
		m, err := s.Mirror(address)
		if err == nil {
			err = m.Fetch(t.Context())
		}
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// object writes an object that git's own commands would refuse to make.
func (r *repo) object(kind, content string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", "hash-object", "-t", kind, "-w", "--stdin", "--literally")
	cmd.Dir, cmd.Stdin = r.dir, strings.NewReader(content)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// tree makes a tree of "mode name id" entries.
func (r *repo) tree(entries ...string) string {
	r.t.Helper()
	var b strings.Builder
	for _, e := range entries {
		i := strings.LastIndex(e, " ")
		id, err := hex.DecodeString(e[i+1:])
		if err != nil {
			r.t.Fatal(err)
		}
		b.WriteString(e[:i] + "\x00" + string(id))
	}
	return r.object("tree", b.String())
}

func TestHostileTrees(t *testing.T) {
	r := newRepo(t)
	r.commit("base")
	blob, long := r.object("blob", "x"), r.object("blob", strings.Repeat("x", 5000))
	sub := r.tree("100644 x " + blob)
	trees := map[string]struct{ tree, want string }{
		"up":              {r.tree("100644 .. " + blob), `path ".." is not allowed`},
		"folder up":       {r.tree("40000 .. " + sub), `path "../x" is not allowed`},
		"dot":             {r.tree("100644 . " + blob), `path "." is not allowed`},
		"slash":           {r.tree("100644 a/../../b " + blob), `is not allowed`},
		"absolute":        {r.tree("100644 /etc/passwd " + blob), `path "/etc/passwd" is not allowed`},
		"repository":      {r.tree("40000 .git " + sub), `path ".git/x" is not allowed`},
		"repository case": {r.tree("40000 a " + r.tree("40000 .GIT "+sub)), `path "a/.GIT/x" is not allowed`},
		"twice":           {r.tree("100644 a "+blob, "100644 a "+blob), `path "a" stands twice`},
		"file and folder": {r.tree("100644 a "+blob, "40000 a "+sub), `path "a/x" is below "a", which is no folder`},
		"folder and file": {r.tree("40000 a "+sub, "100644 a "+blob), `path "a" stands twice`},
		"module and file": {r.tree("160000 a "+blob, "40000 a "+sub), `path "a/x" is below "a", which is no folder`},
		"long link":       {r.tree("120000 a " + long), `a size of 5000 bytes is not allowed`},
		"long path":       {r.tree("100644 " + strings.Repeat("y", 5000) + " " + blob), `is not allowed`},
	}
	branch := func(name string) string { return strings.ReplaceAll(name, " ", "-") }
	for name, tt := range trees {
		r.git("update-ref", "refs/heads/"+branch(name), r.git("commit-tree", "-m", "x", tt.tree))
	}
	m := mirror(t, source.Open(t.TempDir()), r.dir)
	for name, tt := range trees {
		t.Run(name, func(t *testing.T) {
			rev, err := m.Branch(t.Context(), branch(name))
			if err != nil {
				t.Fatal(err)
			}
			_, err = m.Tree(t.Context(), rev, "")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error: %v\nwant: %s", err, tt.want)
			}
		})
	}
}

func TestTextOfStrangers(t *testing.T) {
	r := newRepo(t)
	r.git("config", "user.name", "x") // the environment's wins
	r.n++
	commit := r.git("commit-tree", "-m", "red \x1b[31m\a and \u202eturned\u2069", r.tree())
	r.git("update-ref", "refs/heads/main", commit)
	rev, err := mirror(t, source.Open(t.TempDir()), r.dir).Branch(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	if want := "red \ufffd[31m\ufffd and \ufffdturned\ufffd"; rev.Subject != want {
		t.Errorf("subject %q, want %q", rev.Subject, want)
	}
}

// TestBranchesThatTurnIntoFolders holds that a mirror follows what a remote does with its names.
func TestBranchesThatTurnIntoFolders(t *testing.T) {
	r := newRepo(t)
	commit := r.commit("x")
	r.git("branch", "a")
	m := mirror(t, source.Open(t.TempDir()), r.dir)
	r.git("branch", "-D", "a")
	r.git("branch", "a/b")
	if err := m.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rev, err := m.Branch(t.Context(), "a/b"); err != nil || rev.Commit != commit {
		t.Errorf("%v, %v", rev.Commit, err)
	}
	if _, err := m.Branch(t.Context(), "a"); err == nil {
		t.Error("a branch that the remote dropped is still there")
	}
}

func TestEmptyRepository(t *testing.T) {
	m := mirror(t, source.Open(t.TempDir()), newRepo(t).dir)
	if _, err := m.Branch(t.Context(), "main"); err == nil || !strings.Contains(err.Error(), "it has no branches") {
		t.Errorf("error: %v", err)
	}
}

// TestRepairsHalfMadeMirror holds that what a killed git left behind stops nothing: a mirror half
// made, locks of refs at any depth, a new file of packed refs.
func TestRepairsHalfMadeMirror(t *testing.T) {
	r := newRepo(t)
	r.commit("x")
	r.git("branch", "a/b/c")
	root := t.TempDir()
	m := mirror(t, source.Open(root), r.dir)
	heads, _ := filepath.Glob(filepath.Join(root, "*", "HEAD"))
	if len(heads) != 1 {
		t.Fatalf("mirrors: %v", heads)
	}
	dir := filepath.Dir(heads[0])
	for _, f := range []string{"packed-refs.new", "refs/heads/a/b/c.lock"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, f)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r.git("branch", "-D", "a/b/c") // pruning it rewrites the packed refs
	want := r.commit("y")
	r.git("branch", "a/b/c")
	for _, damage := range []func() error{
		func() error { return nil },
		func() error { return os.RemoveAll(filepath.Join(dir, "objects")) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if err := m.Fetch(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rev, err := m.Branch(t.Context(), "a/b/c"); err != nil || rev.Commit != want {
			t.Errorf("%v, %v", rev.Commit, err)
		}
	}
}

// TestFetchesAtOnce lets several fetch and read a mirror at the same time, as two builds do.
func TestFetchesAtOnce(t *testing.T) {
	r := newRepo(t)
	for i := range 5 {
		r.write(fmt.Sprintf("f%d", i), strings.Repeat("x", i), 0o644)
	}
	r.commit("x")
	root := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			m, err := source.Open(root).Mirror(r.dir)
			if err == nil {
				err = m.Fetch(t.Context())
			}
			var rev source.Revision
			if err == nil {
				rev, err = m.Branch(t.Context(), "main")
			}
			var tree *source.Tree
			if err == nil {
				tree, err = m.Tree(t.Context(), rev, "")
			}
			if err != nil {
				t.Error(err)
				return
			}
			defer tree.Close()
			for i := range 5 {
				if b, err := fs.ReadFile(tree, fmt.Sprintf("f%d", i)); err != nil || len(b) != i {
					t.Errorf("f%d: %q, %v", i, b, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestReaderGoesOn holds that an object which is missing does not spoil the next answers.
func TestReaderGoesOn(t *testing.T) {
	r := newRepo(t)
	r.write("a", "aaa", 0o644)
	r.write("b", "bbb", 0o644)
	r.commit("x")
	root := t.TempDir()
	m := mirror(t, source.Open(root), r.dir)
	rev, err := m.Branch(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := m.Tree(t.Context(), rev, "")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	id := r.git("rev-parse", "HEAD:a")
	objects, _ := filepath.Glob(filepath.Join(root, "*", "objects", id[:2], id[2:]))
	if len(objects) != 1 {
		t.Skip("this git keeps fetched objects packed")
	}
	if err := os.Remove(objects[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(tree, "a"); err == nil || !strings.Contains(err.Error(), "missing in the mirror") {
		t.Errorf("error: %v", err)
	}
	if b, err := fs.ReadFile(tree, "b"); err != nil || string(b) != "bbb" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestDescribeSomebodyElses holds that a repository which git does not trust is not taken for none.
func TestDescribeSomebodyElses(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving a folder away needs root")
	}
	r := newRepo(t)
	r.commit("x")
	if err := os.Lchown(r.dir, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	t.Setenv("GIT_CONFIG_SYSTEM", "/dev/null")
	if c, err := source.Describe(t.Context(), r.dir); err == nil || !strings.Contains(err.Error(), "dubious ownership") {
		t.Errorf("%+v, %v", c, err)
	}
}
