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

// build builds the helper once per test binary.
var build = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "slipway-test")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	program := filepath.Join(dir, fmt.Sprintf("helper-%d", os.Getpid()))
	cmd := exec.Command("go", "build", "-o", program, helperPackage)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the helper: %w\n%s", err, out)
	}
	defer os.Remove(program)
	data, err := os.ReadFile(program)
	return string(data), err
})

// Files are what Root has besides /bin/helper and some empty directories.
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
	Write(t, filepath.Join(root, "bin/helper"), helper, 0o755)
	for _, dir := range []string{"root", "srv", "run"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
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
