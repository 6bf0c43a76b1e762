package image_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

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
