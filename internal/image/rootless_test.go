package image_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// childVariable makes the test program a process that builds an image: of the packages in the
// folder that it names, with a cache beside them.
const childVariable = "IMAGE_TEST_CHILD"

// child builds the image and prints its digest.
func child(dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.rpm"))
	if err != nil {
		return err
	}
	packages, err := lockFiles(paths)
	if err != nil {
		return err
	}
	c, err := cache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		return err
	}
	defer c.Close()
	b := &image.Builder{Cache: c}
	img, err := b.Base(context.Background(), image.BaseSpec{Packages: packages, Arch: "x86_64"})
	if err != nil {
		return err
	}
	d, err := img.Digest()
	fmt.Println(d)
	return err
}

// childIn copies packages into a folder of the given user and gives a command that builds them.
func childIn(t *testing.T, packages []image.BasePackage, uid int) (*exec.Cmd, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "slipway-image-") //nolint:usetesting // another user cannot reach t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, p := range packages {
		data, err := os.ReadFile(p.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(p.Path)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "image.test")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, uid, uid); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = []string{childVariable + "=" + dir, "PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	return cmd, dir
}

// TestRootless builds as an ordinary user that the machine does not know of: the image is the same.
func TestRootless(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	text := rpmwrite.Text
	secret := text("/etc/secret", "s")
	secret.Group, secret.Mode = "mail", rpm.ModeRegular|0o640
	// Nobody but root may read these, and a folder that nobody may enter.
	shadow, locked := text("/etc/shadow", "root:*:1::::::\n"), text("/etc/locked/f", "f")
	shadow.Mode, locked.Mode = rpm.ModeRegular, rpm.ModeRegular
	untouched := text("/etc/untouched", "u")
	untouched.Mode = rpm.ModeRegular
	lockedDir := rpmwrite.Dir("/etc/locked")
	lockedDir.Mode = rpm.ModeDirectory
	post := "echo changed >>/etc/secret; rm /etc/old; rm -r /etc/dir; mkdir /etc/dir; echo x >/etc/dir/new; " +
		"echo web:*:1:::::: >>/etc/shadow; echo g >/etc/secrets; chmod 0 /etc/secrets; : >>/etc/untouched"
	packages := build(t, append(sample(), shell(t, "rm", "mkdir", "chmod"), talkative("a"), rpmwrite.Spec{
		Name: "p", Requires: requires("shell", "setup", "a"),
		Provides: []rpm.Dependency{{Name: "user(db)", Sense: rpm.Equal, EVR: rpm.EVR{Version: "dSBkYiAtICJEYXRhIGJhc2UiIC92YXIvbGliL2RiIC0A"}}},
		Files:    []rpmwrite.File{secret, shadow, lockedDir, locked, untouched, text("/etc/old", "o"), rpmwrite.Dir("/etc/dir"), text("/etc/dir/x", "x")},
		Scripts:  []rpm.Script{script(rpm.ScriptPost, post)},
	})...)
	want := digest(t, base(t, builder(t), packages))
	const ordinary = 12345
	cmd, _ := childIn(t, packages, ordinary)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := strings.TrimSpace(string(out)); got != want {
		t.Errorf("an ordinary user gets %s, root %s", got, want)
	}
}
