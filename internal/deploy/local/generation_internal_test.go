package local

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/sandbox"
)

// generationOf makes a generation of n workloads, which all have the image.
func generationOf(n int, image Root) (*generation, error) {
	r := deploy.Release{Snapshot: "s1"}
	for i := range n {
		r.Workloads = append(r.Workloads, deploy.Workload{Name: fmt.Sprintf("w%d", i), Image: "image"})
	}
	return newGeneration("", 1, r, map[string]Root{"image": image}, nil, func() {})
}

func TestEveryWorkloadHasAnAddress(t *testing.T) {
	image := Root{Lower: []string{"/"}, Cmd: []string{"serve"}, ExposedPorts: []int{8080}}
	g, err := generationOf(maxWorkloads, image)
	if err != nil {
		t.Fatal(err)
	}
	spec := g.spec(g.workloads[0], &instance{})
	if len(spec.Forwards) != maxWorkloads-1 {
		t.Errorf("%d forwards", len(spec.Forwards))
	}
	for _, f := range spec.Forwards {
		if !strings.HasPrefix(f.Address, strings.TrimSuffix(sandbox.OutwardNet.Addr().String(), "0")) {
			t.Errorf("address %s", f.Address)
		}
	}
	if spec.Limits.Processes != maxProcesses {
		t.Errorf("limits: %+v", spec.Limits)
	}
	if _, err := generationOf(maxWorkloads+1, image); err == nil || !strings.Contains(err.Error(), "251 workloads") {
		t.Errorf("got %v", err)
	}
}

func TestImpossiblePortOfAnImage(t *testing.T) {
	for _, port := range []int{-1, 65536} {
		if _, err := generationOf(1, Root{Lower: []string{"/"}, Cmd: []string{"serve"}, ExposedPorts: []int{port}}); err == nil || !strings.Contains(err.Error(), "exposes port") {
			t.Errorf("%d: %v", port, err)
		}
	}
}

// What a release runs from is held for as long as it runs, once however many workloads share it.
func TestRootsAreHeld(t *testing.T) {
	t.Chdir(t.TempDir())
	dir := t.TempDir()
	g, err := generationOf(3, Root{Lower: []string{dir}, Cmd: []string{"serve"}, ExposedPorts: []int{8080}})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.hold(); err != nil || len(g.held) != 1 {
		t.Fatalf("%d are held, %v", len(g.held), err)
	}
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("it is not held: %v", err)
	}
	g.stop()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Errorf("it is held for ever: %v", err)
	}
	g, err = generationOf(1, Root{Lower: []string{dir + "/gone"}, Cmd: []string{"serve"}, ExposedPorts: []int{8080}})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.hold(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
