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

// TestKilled kills a build again and again, at random moments. What it left must not matter: the
// next one makes the same image, and no process, mount or scratch folder stays.
func TestKilled(t *testing.T) {
	packages := append(sample(), shell(t), talkative("a"), talkative("b"))
	for i := range 20 {
		big := strings.Repeat(fmt.Sprintf("line %d\n", i), 50000)
		packages = append(packages, rpmwrite.Spec{Name: fmt.Sprintf("big%d", i), Files: []rpmwrite.File{rpmwrite.Text(fmt.Sprintf("/usr/share/big%d", i), big)}})
	}
	built := build(t, packages...)
	want := digest(t, base(t, builder(t), built))
	first, dir := childIn(t, built, os.Getuid())
	kills, seed := 10, rand.Uint64()
	if os.Getenv("SLIPWAY_TEST_DEEP") != "" {
		kills = 200
	}
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		cmd := *first
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.ExpFloat64() * float64(150*time.Millisecond)))
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
	// Sandboxes of killed builds end by themselves, which takes them a moment.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		using := usersOf(t, dir)
		if len(using) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("processes still have mounts in %s: %v", dir, using)
		}
	}
	time.Sleep(1100 * time.Millisecond) // younger scratch may be that of a process that begins
	c, err := cache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*", "tmp", "*")); err != nil || len(left) > 0 {
		t.Errorf("scratch is left: %v, %v", left, err)
	}
}

// usersOf are the processes in whose mount namespaces something lies in a folder.
func usersOf(t *testing.T, dir string) []string {
	t.Helper()
	lists, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var using []string
	for _, list := range lists {
		if mounts, err := os.ReadFile(list); err == nil && strings.Contains(string(mounts), dir) {
			using = append(using, list)
		}
	}
	return using
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
