// Package sandboxtest makes small root filesystems for tests of whatever runs
// commands in a sandbox. They need nothing from the machine but Go: the one
// program in them, /bin/helper, is built from the package helper below this one.
package sandboxtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

const helperPackage = "github.com/slipway-build/slipway/internal/sandbox/sandboxtest/helper"

// HelperVariable names an environment variable with the path of a helper that is
// built already, for tests that run where nothing can be built.
const HelperVariable = "SLIPWAY_TEST_HELPER"

// build builds the helper, once per test binary, and returns its path. It stays in
// the user's cache.
var build = sync.OnceValues(func() (string, error) {
	if program := os.Getenv(HelperVariable); program != "" {
		return program, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "slipway-test")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	program := filepath.Join(dir, "sandbox-helper")
	own := fmt.Sprintf("%s-%d", program, os.Getpid()) // tests of several packages run at once
	cmd := exec.Command("go", "build", "-o", own, helperPackage)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the helper: %w\n%s", err, out)
	}
	return program, os.Rename(own, program)
})

// files are what Root has besides /bin/helper and some empty directories.
var files = map[string]string{
	"etc/passwd":   "root:x:0:0:root:/root:/bin/sh\nweb:x:1001:1001::/srv:/bin/sh\n",
	"etc/group":    "root:x:0:\nweb:x:1001:\nstaff:x:50:web\n",
	"etc/motd":     "hello\n",
	"etc/dir/a":    "a\n",
	"etc/dir/b":    "b\n",
	"var/lib/data": "data\n",
}

// Root makes a root filesystem in a directory of the test's own. Its programs
// and directories belong to whoever runs the test.
func Root(t testing.TB) string {
	t.Helper()
	helper, err := build()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		Write(t, filepath.Join(root, name), content, 0o644)
	}
	for _, dir := range []string{"bin", "root", "srv", "run"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link(t, helper, filepath.Join(root, "bin/helper"))
	return root
}

// link is a hard link where that is possible, or a copy.
func link(t testing.TB, from, to string) {
	t.Helper()
	if os.Link(from, to) == nil {
		return
	}
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	Write(t, to, string(data), 0o755)
}

// Write writes a file and the directories above it.
func Write(t testing.TB, name, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
