package registry

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

// front is a real registry behind a handler that misbehaves on request, and that remembers what it was asked.
type front struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string
	before func(w http.ResponseWriter, r *http.Request, n int) (handled bool) // n counts requests from 1
}

func serve(t *testing.T, before func(w http.ResponseWriter, r *http.Request, n int) bool) *front {
	t.Helper()
	e := &Embedded{Root: t.TempDir()}
	handler, err := e.Handler()
	if err != nil {
		t.Fatal(err)
	}
	f := &front{before: before}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.asked = append(f.asked, r.Method+" "+r.URL.Path)
		n := len(f.asked)
		f.mu.Unlock()
		if f.before != nil && f.before(w, r, n) {
			return
		}
		handler.ServeHTTP(w, r)
	}))
	f.Config.ErrorLog = nil
	f.Start()
	t.Cleanup(func() { f.Close(); e.Close() })
	return f
}

func (f *front) host() string { return f.Listener.Addr().String() }

func (f *front) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

// count tells how many requests began with prefix.
func (f *front) count(prefix string) (n int) {
	for _, r := range f.requests() {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

func (f *front) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = nil
}

// reset cuts the connection without an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// hang does not answer. (A server only sees that the client left once it has read the whole request.)
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// hasty does not let tests wait.
func hasty() Options {
	return Options{
		Keychain: authn.NewMultiKeychain(),
		patience: patience{first: time.Millisecond, attempts: 5, stall: 10 * time.Second},
	}
}

func testImage(t *testing.T, layers int64) v1.Image {
	t.Helper()
	image, err := random.Image(64<<10, layers)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// sameImage reads the whole of got and compares it with want.
func sameImage(t *testing.T, got, want v1.Image) {
	t.Helper()
	gotDigest, err := got.Digest()
	if err != nil {
		t.Fatal(err)
	}
	wantDigest, _ := want.Digest()
	if gotDigest != wantDigest {
		t.Fatalf("digest %s, want %s", gotDigest, wantDigest)
	}
	gotLayers, err := got.Layers()
	if err != nil {
		t.Fatal(err)
	}
	wantLayers, _ := want.Layers()
	if len(gotLayers) != len(wantLayers) {
		t.Fatalf("%d layers, want %d", len(gotLayers), len(wantLayers))
	}
	for i := range gotLayers {
		if g, w := content(t, gotLayers[i]), content(t, wantLayers[i]); g != w {
			t.Errorf("layer %d differs", i)
		}
	}
}

func content(t *testing.T, layer v1.Layer) string {
	t.Helper()
	r, err := layer.Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
