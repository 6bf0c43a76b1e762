package image_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// TestKilled kills a build again and again, at other moments each time. What it left must not
// matter: the next one makes the same image, and nothing stays mounted.
func TestKilled(t *testing.T) {
	packages := append(sample(), shell(t), talkative("a"), talkative("b"))
	for i := range 20 {
		big := strings.Repeat(fmt.Sprintf("line %d\n", i), 50000)
		packages = append(packages, rpmwrite.Spec{Name: fmt.Sprintf("big%d", i), Files: []rpmwrite.File{rpmwrite.Text(fmt.Sprintf("/usr/share/big%d", i), big)}})
	}
	built := build(t, packages...)
	want := digest(t, base(t, builder(t), built))
	first, dir := childIn(t, built, os.Getuid())
	for i := range 10 {
		cmd := *first
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(10+i*i*4) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	last := *first
	out, err := last.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := strings.TrimSpace(string(out)); got != want {
		t.Errorf("after crashes the image is %s, and should be %s", got, want)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), dir) {
		t.Errorf("something is still mounted in %s", dir)
	}
}

// TestFullDisk builds where the cache's disk fills: the message says once what could not be written
// and where.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	big := make([]byte, 3<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(big)
	packages := build(t, shell(t), talkative("a"), rpmwrite.Spec{Name: "big", Files: []rpmwrite.File{rpmwrite.Text("/usr/share/big", string(big))}})
	want := digest(t, base(t, builder(t), packages))
	disk := t.TempDir()
	for _, size := range []string{"size=2m", "size=4m"} {
		if err := syscall.Mount("test", disk, "tmpfs", 0, size); err != nil {
			t.Skipf("this machine mounts nothing: %v", err)
		}
		func() {
			defer func() { _ = syscall.Unmount(disk, 0) }()
			c, err := cache.Open(filepath.Join(disk, "cache"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			b := &image.Builder{Cache: c}
			_, err = b.Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64"})
			if !errors.Is(err, syscall.ENOSPC) || strings.Count(err.Error(), "no space left") != 1 || !strings.Contains(err.Error(), disk) {
				t.Errorf("%s: error %v", size, err)
			}
			if err := syscall.Mount("test", disk, "tmpfs", syscall.MS_REMOUNT, "size=100m"); err != nil {
				t.Fatal(err)
			}
			if got := digest(t, base(t, b, packages)); got != want {
				t.Errorf("%s: once there is room, the image is %s, and should be %s", size, got, want)
			}
		}()
	}
}
