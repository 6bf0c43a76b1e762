package registry

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/oracle"
)

func start(t *testing.T, e *Embedded, addr string) string {
	t.Helper()
	got, err := e.Start(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return got
}

func TestEmbeddedKeepsWhatItWasGiven(t *testing.T) {
	root := t.TempDir()
	image := testImage(t, 2)
	first := &Embedded{Root: root}
	addr := start(t, first, "")
	pushed, err := Push(t.Context(), image, addr+"/greeter/web:one", hasty())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, &Embedded{Root: root}, addr)
	got, err := Pull(t.Context(), pushed.Reference(), hasty())
	if err != nil || again != addr {
		t.Fatalf("after a restart on %s: %v", again, err)
	}
	sameImage(t, got, image)
}

// TestEmbeddedIsShared has two registries on one folder and one address: the second uses the first, and follows it.
func TestEmbeddedIsShared(t *testing.T) {
	root := t.TempDir()
	first, second := &Embedded{Root: root}, &Embedded{Root: root}
	addr := start(t, first, "")
	if got := start(t, second, addr); got != addr {
		t.Fatalf("the second listens on %s", got)
	}
	push := func(tag string) {
		t.Helper()
		o := hasty()
		o.patience.first = 20 * time.Millisecond
		o.patience.attempts = 10
		if _, err := Push(t.Context(), testImage(t, 1), addr+"/greeter/web:"+tag, o); err != nil {
			t.Fatal(err)
		}
	}
	push("one")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	push("two") // while the second takes over
	if _, err := Resolve(t.Context(), addr+"/greeter/web:one", hasty()); err != nil {
		t.Error(err)
	}
}

func TestEmbeddedSideBySide(t *testing.T) {
	root := t.TempDir()
	image := testImage(t, 3)
	var wg sync.WaitGroup
	for i := range 4 {
		addr := start(t, &Embedded{Root: root}, "")
		wg.Go(func() {
			if _, err := Push(t.Context(), image, fmt.Sprintf("%s/greeter/web:t%d", addr, i), hasty()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	addr := start(t, &Embedded{Root: root}, "")
	for i := range 4 {
		got, err := Pull(t.Context(), fmt.Sprintf("%s/greeter/web:t%d", addr, i), hasty())
		if err != nil {
			t.Fatal(err)
		}
		sameImage(t, got, image)
	}
}

func TestEmbeddedRefusesAddresses(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "nonsense"} {
		e := &Embedded{Root: t.TempDir()}
		if got, err := e.Start(t.Context(), addr); err == nil {
			t.Errorf("listens on %s", got)
			e.Close()
		}
	}
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	go http.Serve(other, http.NotFoundHandler())
	e := &Embedded{Root: t.TempDir()}
	if _, err := e.Start(t.Context(), other.Addr().String()); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("address of another program: %v", err)
	}
	start(t, e, "") // and it can be started elsewhere after that
}

func TestEmbeddedEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := &Embedded{Root: t.TempDir()}
	addr, err := e.Start(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	e.Close()
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("it still serves")
	}
}

// TestOthersRead lets the tools of others read what was pushed, and push what we read.
func TestOthersRead(t *testing.T) {
	oracle.Need(t, "skopeo", "podman")
	addr := start(t, &Embedded{Root: t.TempDir()}, "")
	image := testImage(t, 2)
	pushed, err := Push(t.Context(), image, addr+"/greeter/web:one", hasty())
	if err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) string {
		t.Helper()
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if got := run("skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", "docker://"+addr+"/greeter/web:one"); got != pushed.Digest.String() {
		t.Errorf("skopeo sees %s, want %s", got, pushed.Digest)
	}
	storage := t.TempDir()
	podman := []string{"--root", storage + "/root", "--runroot", storage + "/run", "--storage-driver", "vfs"}
	id := run("podman", append(podman, "pull", "-q", "--tls-verify=false", pushed.Reference())...)
	if config, _ := image.ConfigName(); !strings.HasSuffix(id, config.Hex) {
		t.Errorf("podman pulls %s, want %s", id, config.Hex)
	}
	run("skopeo", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", "docker://"+pushed.Reference(), "docker://"+addr+"/other/copy:one")
	got, err := Pull(t.Context(), addr+"/other/copy:one", hasty())
	if err != nil {
		t.Fatal(err)
	}
	sameImage(t, got, image)
	if _, err := os.Stat(storage); err != nil {
		t.Error(err)
	}
}

// A site whose name leads to this machine speaks to the registry through a browser here.
func TestEmbeddedRefusesOtherHosts(t *testing.T) {
	addr := start(t, &Embedded{Root: t.TempDir()}, "")
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		addr: http.StatusOK, "localhost:" + port: http.StatusOK, "127.0.0.1": http.StatusOK, "[::1]:" + port: http.StatusOK,
		"evil.example:" + port: http.StatusMisdirectedRequest, "evil.example": http.StatusMisdirectedRequest,
		"127.0.0.1.evil.example": http.StatusMisdirectedRequest, "192.0.2.1:" + port: http.StatusMisdirectedRequest,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s", host, resp.Status)
		}
	}
}

func TestUntilPurge(t *testing.T) {
	now := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	for ago, want := range map[time.Duration]time.Duration{
		0: purgeEvery, time.Hour: purgeEvery - time.Hour, 48 * time.Hour: 0,
		-1000 * time.Hour: purgeEvery, // the clock was set back
	} {
		if got := untilPurge(now.Add(-ago), now); got != want {
			t.Errorf("last %v ago: %v", ago, got)
		}
	}
}
