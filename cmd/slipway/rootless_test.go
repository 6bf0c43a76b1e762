package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/release"
)

// TestRootless builds and deploys as an ordinary user, with a single id, what root builds too: the
// images are the same, and the service answers.
func TestRootless(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("an ordinary user runs all the other tests rootless anyway")
	}
	oracle.Need(t, "git", "apt-get", "dpkg-deb")
	u, err := universe()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "slipway-rootless-") //nolint:usetesting // what TempDir gives is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	copied := filepath.Join(dir, "universe")
	if err := os.CopyFS(copied, os.DirFS(u)); err != nil {
		t.Fatal(err)
	}
	repo, err := os.ReadFile(filepath.Join(copied, "universe.repo"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(copied, "universe.repo"), []byte(strings.ReplaceAll(string(repo), u, copied)), 0o644); err != nil {
		t.Fatal(err)
	}
	// The test itself is the command when it is called slipway, see TestMain.
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "slipway")
	if err := os.WriteFile(program, exe, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}

	root := newUser(t, dir, program, copied, 0)
	user := newUser(t, dir, program, copied, 64_123)
	want, got := root.build(), user.build()
	if diff := cmp.Diff(want.Images, got.Images); diff != "" || len(want.Images) == 0 {
		t.Errorf("images (-root +user):\n%s", diff)
	}
	defer user.run("down", "--env", "stg")
	user.run("deploy", "--env", "stg")
	if body, err := get("http://" + user.address); err != nil || !strings.Contains(body, "Helo") {
		t.Errorf("the service answers %q, %v", body, err)
	}
}

// account is somebody who runs slipway on a service of their own.
type account struct {
	t                           *testing.T
	uid                         int
	home, program, svc, address string
}

func newUser(t *testing.T, dir, program, universe string, uid int) *account {
	t.Helper()
	a := &account{t: t, uid: uid, program: program, home: filepath.Join(dir, "home", string(rune('a'+uid%26)))}
	if err := os.MkdirAll(a.home, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(a.home, uid, uid); err != nil {
		t.Fatal(err)
	}
	a.svc = filepath.Join(a.home, "svc")
	a.exec(exec.Command(filepath.Join(examples(t, dir), "make-repos"), a.svc, universe))
	a.address = freeLoopback(t)
	config := filepath.Join(a.svc, "slipway.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	// A user without a range of ids has a single one to run workloads as.
	edit := strings.NewReplacer("127.0.0.1:8080", a.address, `user: "1001"`, `user: "0"`)
	if err := os.WriteFile(config, []byte(edit.Replace(string(text))), 0o644); err != nil {
		t.Fatal(err)
	}
	return a
}

// examples copies the example to where others can read it.
func examples(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(dir, "greeter")
	if _, err := os.Stat(to); err == nil {
		return to
	}
	if err := os.CopyFS(to, os.DirFS(filepath.Join(root, "examples/greeter"))); err != nil {
		t.Fatal(err)
	}
	return to
}

func (a *account) exec(cmd *exec.Cmd) string {
	a.t.Helper()
	cmd.Dir = a.home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + a.home, "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.uid)}}
	var msg strings.Builder
	cmd.Stderr = &msg
	out, err := cmd.Output()
	if err != nil {
		a.t.Fatalf("uid %d: %v: %v\n%s%s", a.uid, cmd.Args, err, out, msg.String())
	}
	return string(out)
}

func (a *account) run(args ...string) string {
	a.t.Helper()
	return a.exec(exec.Command(a.program, append(args, "-c", a.svc)...))
}

func (a *account) build() release.Snapshot {
	a.t.Helper()
	var s release.Snapshot
	if err := json.Unmarshal([]byte(a.run("build", "--env", "stg", "--format", "json")), &s); err != nil {
		a.t.Fatal(err)
	}
	return s
}
