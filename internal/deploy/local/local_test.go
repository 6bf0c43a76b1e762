package local_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/deploy/deploytest"
	"github.com/slipway-build/slipway/internal/deploy/local"
	"github.com/slipway-build/slipway/internal/sandbox"
	"github.com/slipway-build/slipway/internal/sandbox/sandboxtest"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	local.Main()
	os.Exit(m.Run())
}

// images has one image, which has the helper program.
type images struct{ root string }

func (i images) Root(_ context.Context, ref string) (local.Root, error) {
	if ref == "missing" {
		return local.Root{}, fmt.Errorf("image %s: not found", ref)
	}
	return local.Root{
		Lower: []string{i.root}, Digest: "sha256:" + ref, Entrypoint: []string{"/bin/helper"},
		Env: []string{"FROM=image", "COLOUR=blue"}, ExposedPorts: []int{8080}, User: "web",
	}, nil
}

// newTarget makes a target whose services are all down when the test ends.
func newTarget(t *testing.T) *local.Target {
	t.Helper()
	target := &local.Target{State: t.TempDir(), Images: images{sandboxtest.Root(t)}}
	t.Cleanup(func() {
		if err := target.Down(context.Background(), "greeter", "stg"); err != nil {
			t.Error(err)
		}
		log, _ := os.ReadFile(target.State + "/greeter/stg/supervisor.log")
		if bytes.Contains(log, []byte("DATA RACE")) || bytes.Contains(log, []byte("panic:")) {
			t.Error("the supervisor went wrong")
		}
		if t.Failed() {
			t.Logf("supervisor's log:\n%s", log)
		}
	})
	return target
}

// freeAddress is an address that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func serves(text string, status int) deploy.Workload {
	return deploy.Workload{
		Image: "image-" + text, Args: []string{"serve", "8080", text, fmt.Sprint(status)}, Listen: "127.0.0.1:0",
		Health: deploy.Health{Path: "/healthz", Interval: 50 * time.Millisecond},
	}
}

func ends(text string) deploy.Workload {
	return deploy.Workload{Image: "image-" + text, Args: []string{"warn", text, ",", "exit", "1"}, Listen: "127.0.0.1:0"}
}

func TestConformance(t *testing.T) {
	deploytest.Run(t, deploytest.Harness{
		Target: func(t *testing.T) deploy.Target { return newTarget(t) },
		Serves: func(_ *testing.T, text string, status int) deploy.Workload { return serves(text, status) },
		Ends:   func(_ *testing.T, text string) deploy.Workload { return ends(text) },
	})
}
