package source_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/slipway-build/slipway/internal/source"
)

// repo is a git repository of a test.
type repo struct {
	t   *testing.T
	dir string
	n   int
}

func newRepo(t *testing.T) *repo {
	t.Helper()
	r := &repo{t: t, dir: t.TempDir()}
	r.git("init", "--quiet", "--initial-branch=main")
	return r
}

func (r *repo) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	date := fmt.Sprintf("2026-01-02T03:04:%02dZ", r.n)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date,
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *repo) write(name, content string, mode fs.FileMode) {
	r.t.Helper()
	p := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), mode); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repo) commit(msg string) string {
	r.t.Helper()
	r.n++
	r.git("add", "-A")
	r.git("commit", "--quiet", "--allow-empty", "-m", msg)
	return r.git("rev-parse", "HEAD")
}

func mirror(t *testing.T, s *source.Store, url string) *source.Mirror {
	t.Helper()
	m, err := s.Mirror(url)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestBranchFollowsTheRemote(t *testing.T) {
	r := newRepo(t)
	first := r.commit("first\n\nbody")
	s := source.Open(t.TempDir())
	m := mirror(t, s, r.dir)
	rev, err := m.Branch(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	if rev.Commit != first || rev.Subject != "first" || rev.Author != "A" || !rev.Time.Equal(time.Date(2026, 1, 2, 3, 4, 1, 0, time.UTC)) {
		t.Errorf("revision: %+v", rev)
	}
	second := r.commit("second")
	if err := m.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rev, err = m.Branch(t.Context(), "main"); err != nil || rev.Commit != second {
		t.Errorf("after a commit: %v %v", rev.Commit, err)
	}
	r.git("reset", "--quiet", "--hard", first) // a rewind is followed, too
	if err := m.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rev, err = m.Branch(t.Context(), "main"); err != nil || rev.Commit != first {
		t.Errorf("after a rewind: %v %v", rev.Commit, err)
	}
}

func TestMissingBranchSaysWhichThereAre(t *testing.T) {
	r := newRepo(t)
	r.commit("x")
	r.git("branch", "stable")
	m := mirror(t, source.Open(t.TempDir()), r.dir)
	_, err := m.Branch(t.Context(), "master")
	var nb *source.NoBranchError
	if !errors.As(err, &nb) || !strings.Contains(err.Error(), `no branch "master": it has main, stable`) {
		t.Errorf("error: %v", err)
	}
	if _, err := m.Branch(t.Context(), "--help"); !errors.As(err, &nb) {
		t.Errorf("an option for a branch: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	s := source.Open(t.TempDir())
	for _, url := range []string{filepath.Join(t.TempDir(), "nothing"), "http://user:hunter2@127.0.0.1:1/x.git"} {
		m, err := s.Mirror(url)
		if err != nil {
			t.Fatal(err)
		}
		err = m.Fetch(t.Context())
		var fe *source.FetchError
		if !errors.As(err, &fe) {
			t.Fatalf("%s: %v", url, err)
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(m.URL(), "hunter2") {
			t.Errorf("the password shows: %v", err)
		}
		if !strings.Contains(err.Error(), "git ls-remote") {
			t.Errorf("error does not say what to do: %v", err)
		}
	}
}

func TestURLsThatRunCommands(t *testing.T) {
	s := source.Open(t.TempDir())
	for _, url := range []string{"", "-x", "--upload-pack=touch /tmp/x", "ext::sh -c id", "foo::bar", "a\nb"} {
		if _, err := s.Mirror(url); err == nil {
			t.Errorf("%q accepted", url)
		}
	}
}

func TestTags(t *testing.T) {
	r := newRepo(t)
	r.commit("a")
	s := source.Open(t.TempDir())
	check := func(tag string, ahead int) {
		t.Helper()
		rev, err := mirror(t, s, r.dir).Branch(t.Context(), "main")
		if err != nil {
			t.Fatal(err)
		}
		if rev.Tag != tag || rev.Ahead != ahead {
			t.Errorf("%d commits since tag %q, want %d since %q", rev.Ahead, rev.Tag, ahead, tag)
		}
	}
	check("", 1)
	r.git("tag", "v1.2.9")
	check("v1.2.9", 0)
	r.git("tag", "no-number")
	r.commit("b")
	r.commit("c")
	check("v1.2.9", 2)
	r.git("tag", "-a", "-m", "x", "2.0-rc1")
	check("2.0-rc1", 0)
	r.commit("d")
	check("2.0-rc1", 1)
}

func TestTree(t *testing.T) {
	r := newRepo(t)
	r.write("README", "hello", 0o644)
	r.write("bin/run", "#!/bin/sh\n", 0o755)
	r.write("src/pkg/a b\té.py", "x = 1", 0o644)
	for name, target := range map[string]string{"link": "src/pkg", "src/up": "../README", "out": "../../etc/passwd", "abs": "/etc/passwd", "loop": "loop"} {
		if err := os.Symlink(target, filepath.Join(r.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	r.commit("tree")
	m := mirror(t, source.Open(t.TempDir()), r.dir)
	rev, err := m.Branch(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := m.Tree(t.Context(), rev, "")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for name, want := range map[string]string{"README": "hello", "src/up": "hello", "link/a b\té.py": "x = 1", "bin/run": "#!/bin/sh\n"} {
		if b, err := fs.ReadFile(tree, name); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	for _, name := range []string{"out", "abs", "loop", "nothing", "../README", "/README"} {
		if _, err := fs.ReadFile(tree, name); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	if st, _ := fs.Stat(tree, "bin/run"); st.Mode().Perm() != 0o755 {
		t.Errorf("mode %v", st.Mode())
	}
	if l, err := tree.ReadLink("out"); err != nil || l != "../../etc/passwd" {
		t.Errorf("link: %q %v", l, err)
	}
	sub, err := m.Tree(t.Context(), rev, "src")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if _, err := fs.Stat(sub, "pkg"); err != nil {
		t.Error(err)
	}
	if _, err := fs.ReadFile(sub, "up"); err == nil {
		t.Error("a link out of the folder was followed")
	}
	if _, err := m.Tree(t.Context(), rev, "nowhere"); err == nil || !strings.Contains(err.Error(), `no folder "nowhere"`) {
		t.Errorf("error: %v", err)
	}
}

// TestTreeIsAnFS holds the tree against the standard library's own idea of a file system.
func TestTreeIsAnFS(t *testing.T) {
	r := newRepo(t)
	r.write("a/b/c.txt", "c", 0o644)
	r.write("a/d.txt", "d", 0o755)
	r.write("empty", "", 0o644)
	r.commit("x")
	m := mirror(t, source.Open(t.TempDir()), r.dir)
	rev, err := m.Branch(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := m.Tree(t.Context(), rev, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(tree, "a/b/c.txt", "a/d.txt", "empty"); err != nil {
		t.Error(err)
	}
	if err := tree.Close(); err != nil {
		t.Error(err)
	}
	if _, err := tree.ReadFile("empty"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestRepairsAfterKill holds that what a killed git leaves does not stop the next fetch.
func TestRepairsAfterKill(t *testing.T) {
	r := newRepo(t)
	r.commit("x")
	r.git("tag", "v1")
	root := t.TempDir()
	s := source.Open(root)
	m := mirror(t, s, r.dir)
	dirs, _ := filepath.Glob(filepath.Join(root, "*", "HEAD"))
	if len(dirs) != 1 {
		t.Fatalf("mirrors: %v", dirs)
	}
	for _, f := range []string{"packed-refs.lock", "config.lock", "refs/heads/main.lock"} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(dirs[0]), f), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := r.commit("y")
	if err := m.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rev, err := m.Branch(t.Context(), "main"); err != nil || rev.Commit != want {
		t.Errorf("%v %v", rev.Commit, err)
	}
}

func TestHooksOfTheRepositoryDoNotRun(t *testing.T) {
	r := newRepo(t)
	r.commit("x")
	mark := filepath.Join(t.TempDir(), "ran")
	for _, hook := range []string{"post-checkout", "reference-transaction", "post-merge", "pre-receive"} {
		r.write(".git/hooks/"+hook, "#!/bin/sh\ntouch "+mark+"\n", 0o755)
	}
	m := mirror(t, source.Open(t.TempDir()), r.dir)
	if _, err := m.Branch(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a hook ran")
	}
}

func TestDescribe(t *testing.T) {
	if c, err := source.Describe(t.Context(), t.TempDir()); err != nil || c != (source.Checkout{}) {
		t.Errorf("no repository: %+v %v", c, err)
	}
	r := newRepo(t)
	r.write("f", "1", 0o644)
	commit := r.commit("x")
	if c, err := source.Describe(t.Context(), r.dir); err != nil || c.Commit != commit || c.Dirty {
		t.Errorf("clean: %+v %v", c, err)
	}
	r.write("f", "2", 0o644)
	if c, err := source.Describe(t.Context(), r.dir); err != nil || !c.Dirty {
		t.Errorf("dirty: %+v %v", c, err)
	}
}

func TestFetchEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m, err := source.Open(t.TempDir()).Mirror(newRepo(t).dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Fetch(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
}
