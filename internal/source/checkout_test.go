package source_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/source"
)

// A checkout is a repository at the commit, by itself: it refers to nothing outside.
func TestCheckout(t *testing.T) {
	repo := t.TempDir()
	run := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run(repo, "init", "-q", "-b", "main")
	if err := os.WriteFile(filepath.Join(repo, "a"), []byte("one"), 0o755); err != nil {
		t.Fatal(err)
	}
	run(repo, "add", "-A")
	run(repo, "commit", "-q", "-m", "one")
	first := run(repo, "rev-parse", "HEAD")
	run(repo, "commit", "-q", "--allow-empty", "-m", "two")

	m, err := source.Open(t.TempDir()).Mirror(repo)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := m.Commit(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	if err := m.Checkout(t.Context(), r, dir); err != nil {
		t.Fatal(err)
	}
	if got := run(dir, "rev-parse", "HEAD"); got != first {
		t.Errorf("it is at %s, not %s", got, first)
	}
	if out := run(dir, "status", "--porcelain"); out != "" {
		t.Errorf("it is not clean: %s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, ".git/objects/info/alternates")); err == nil {
		t.Error("it needs the mirror's objects")
	}
}
