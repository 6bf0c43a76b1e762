package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-build/slipway/internal/progress"
)

func TestPushThenPull(t *testing.T) {
	f := serve(t, nil)
	image := testImage(t, 3)
	pushed, err := Push(t.Context(), image, f.host()+"/greeter/web:one", Options{Tags: []string{"two", "one"}})
	if err != nil {
		t.Fatal(err)
	}
	if pushed.Uploaded != 4 || pushed.Present != 0 || pushed.Bytes < 3*64<<10 {
		t.Errorf("pushed %+v", pushed)
	}
	for _, ref := range []string{pushed.Reference(), f.host() + "/greeter/web:one", f.host() + "/greeter/web:two"} {
		digest, err := Resolve(t.Context(), ref, Options{})
		if err != nil || digest != pushed.Digest {
			t.Errorf("%s resolves to %s (%v)", ref, digest, err)
		}
		got, err := Pull(t.Context(), ref, Options{})
		if err != nil {
			t.Fatal(err)
		}
		sameImage(t, got, image)
	}
}

func TestPushAgainSendsNothing(t *testing.T) {
	f := serve(t, nil)
	image, ref := testImage(t, 3), f.host()+"/greeter/web:one"
	if _, err := Push(t.Context(), image, ref, hasty()); err != nil {
		t.Fatal(err)
	}
	f.forget()
	pushed, err := Push(t.Context(), image, ref, hasty())
	if err != nil {
		t.Fatal(err)
	}
	if pushed.Bytes != 0 || pushed.Present != 4 || f.count("PUT") != 0 || f.count("POST") != 0 || len(f.requests()) > 4 {
		t.Errorf("pushed %+v with %q", pushed, f.requests())
	}
}

func TestPushOneNewLayer(t *testing.T) {
	f := serve(t, nil)
	base := testImage(t, 3)
	if _, err := Push(t.Context(), base, f.host()+"/greeter/web:base", hasty()); err != nil {
		t.Fatal(err)
	}
	layers, _ := testImage(t, 1).Layers()
	final, err := mutate.AppendLayers(base, layers...)
	if err != nil {
		t.Fatal(err)
	}
	o := hasty()
	baseLayers, _ := base.Layers()
	for _, l := range baseLayers {
		h, _ := l.Digest()
		o.Known = append(o.Known, h)
	}
	f.forget()
	pushed, err := Push(t.Context(), final, f.host()+"/greeter/web:final", o)
	if err != nil {
		t.Fatal(err)
	}
	if pushed.Uploaded != 2 || pushed.Present != 3 || f.count("HEAD /v2/greeter/web/blobs/") != 2 {
		t.Errorf("pushed %+v with %q", pushed, f.requests())
	}
}

func TestPushWhereKnownIsWrong(t *testing.T) {
	f := serve(t, nil)
	image := testImage(t, 2)
	o := hasty()
	layers, _ := image.Layers()
	h, _ := layers[0].Digest()
	o.Known = []v1.Hash{h}
	pushed, err := Push(t.Context(), image, f.host()+"/greeter/web:one", o)
	if err != nil {
		t.Fatal(err)
	}
	if pushed.Uploaded != 1 || pushed.Present != 2 { // the second round finds two of them there
		t.Errorf("pushed %+v", pushed)
	}
	got, err := Pull(t.Context(), pushed.Reference(), hasty())
	if err != nil {
		t.Fatal(err)
	}
	sameImage(t, got, image)
}

func TestPushMounts(t *testing.T) {
	f := serve(t, nil)
	image := testImage(t, 3)
	if _, err := Push(t.Context(), image, f.host()+"/greeter/base:one", hasty()); err != nil {
		t.Fatal(err)
	}
	o := hasty()
	o.Mount = []string{"greeter/absent", "greeter/web", "greeter/base"}
	pushed, err := Push(t.Context(), image, f.host()+"/greeter/web:one", o)
	if err != nil {
		t.Fatal(err)
	}
	if pushed.Mounted != 4 || pushed.Uploaded != 0 {
		t.Errorf("pushed %+v", pushed)
	}
}

func TestPushIndex(t *testing.T) {
	f := serve(t, nil)
	amd, arm := testImage(t, 1), testImage(t, 1)
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}},
	)
	pushed, err := Push(t.Context(), index, f.host()+"/greeter/web:all", hasty())
	if err != nil {
		t.Fatal(err)
	}
	want, _ := index.Digest()
	if pushed.Digest != want {
		t.Errorf("digest %s, want %s", pushed.Digest, want)
	}
	for arch, image := range map[string]v1.Image{"amd64": amd, "arm64": arm} {
		o := hasty()
		o.Platform = &v1.Platform{OS: "linux", Architecture: arch}
		got, err := Pull(t.Context(), pushed.Reference(), o)
		if err != nil {
			t.Fatal(err)
		}
		sameImage(t, got, image)
	}
	o := hasty()
	o.Platform = &v1.Platform{OS: "linux", Architecture: "s390x"}
	if _, err := Pull(t.Context(), pushed.Reference(), o); err == nil || !strings.Contains(err.Error(), "linux/s390x") {
		t.Errorf("pulling for s390x: %v", err)
	}
}

// TestPushSurvives lets each kind of fault that heals by itself happen to a push.
func TestPushSurvives(t *testing.T) {
	status := func(code int) func(w http.ResponseWriter, r *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
	}
	faults := map[string]func(w http.ResponseWriter, r *http.Request){
		"500": status(500), "502": status(502), "503": status(503), "504": status(504), "429": status(429), "408": status(408),
		"reset": func(w http.ResponseWriter, r *http.Request) { reset(w) },
		"reset within the body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 100)
			reset(w)
		},
		"upload lost": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(404)
			_, _ = io.WriteString(w, `{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown to registry"}]}`)
		},
		"stalled": func(w http.ResponseWriter, r *http.Request) { hang(r) },
	}
	for name, fault := range faults {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT"} {
			if name == "upload lost" && method != "PUT" {
				continue
			}
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				var left atomic.Int32
				left.Store(2)
				f := serve(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
					if r.Method == method && (name != "upload lost" || strings.Contains(r.URL.Path, "/uploads/")) && left.Add(-1) >= 0 {
						_, _ = io.CopyN(io.Discard, r.Body, 10)
						fault(w, r)
						return true
					}
					return false
				})
				o := hasty()
				o.patience.attempts = 8
				if name == "stalled" {
					o.patience.stall = 500 * time.Millisecond
				}
				image := testImage(t, 2)
				pushed, err := Push(t.Context(), image, f.host()+"/greeter/web:one", o)
				if err != nil {
					t.Fatal(err)
				}
				got, err := Pull(t.Context(), pushed.Reference(), o)
				if err != nil {
					t.Fatal(err)
				}
				sameImage(t, got, image)
			})
		}
	}
}

// TestPushGivesUp holds the refusals that no repetition heals: asked once, named, and saying what to do.
func TestPushGivesUp(t *testing.T) {
	answer := func(code int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := map[string]struct {
		method string
		answer func(http.ResponseWriter)
		reason Reason
		text   []string
		tries  int
	}{
		"401":                {"HEAD", answer(401, ``), Unauthorized, []string{"podman login 127.0.0.1", "there is no login"}, 1},
		"403":                {"POST", answer(403, `{"errors":[{"code":"DENIED","message":"requested access is denied"}]}`), Denied, []string{"DENIED requested access is denied", "ask its owner"}, 2},
		"404":                {"POST", answer(404, `{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known"}]}`), NotFound, []string{"NAME_UNKNOWN", "create the repository"}, 2},
		"wrong digest":       {"PUT", answer(400, `{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}`), Mismatch, []string{"DIGEST_INVALID"}, 2},
		"500 for good":       {"HEAD", answer(500, `{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"Err":28,"Op":"write"}}]}`), Unavailable, []string{"500"}, 5},
		"500 with a body":    {"PUT", answer(500, `{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":"no space left on device"}]}`), Unavailable, []string{"no space left on device"}, 0},
		"terminal sequences": {"POST", answer(400, `{"errors":[{"code":"X","message":"red \u001b[31m text"}]}`), Refused, []string{"red [31m text"}, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
				if r.Method != test.method {
					return false
				}
				_, _ = io.Copy(io.Discard, r.Body)
				test.answer(w)
				return true
			})
			_, err := Push(t.Context(), testImage(t, 1), f.host()+"/greeter/web:one", hasty())
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Reason != test.reason {
				t.Fatalf("error %v, want the reason %q", err, test.reason)
			}
			for _, want := range test.text {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if n := f.count(test.method); test.tries > 0 && n > test.tries {
				t.Errorf("asked %d times, want %d: %q", n, test.tries, f.requests())
			}
			if refusal.Temporary() != (test.reason == Unavailable) {
				t.Errorf("temporary is %v", refusal.Temporary())
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	f := serve(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if user, password, _ := r.BasicAuth(); user == "anna" && password == "s3cret" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	image, ref := testImage(t, 1), f.host()+"/greeter/web:one"

	folder := t.TempDir()
	t.Setenv("DOCKER_CONFIG", folder)
	o := hasty()
	o.Keychain = nil
	login := func(password string) {
		auth := base64.StdEncoding.EncodeToString([]byte("anna:" + password))
		config := `{"auths":{"` + f.host() + `":{"auth":"` + auth + `"}}}`
		if err := os.WriteFile(filepath.Join(folder, "config.json"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	_, err := Push(t.Context(), image, ref, o)
	if err == nil || !strings.Contains(err.Error(), "there is no login for "+f.host()) {
		t.Errorf("without a login: %v", err)
	}
	login("wrong-word")
	_, err = Push(t.Context(), image, ref, o)
	if err == nil || !strings.Contains(err.Error(), "is not accepted") || strings.Contains(err.Error(), "wrong-word") {
		t.Errorf("with a wrong login: %v", err)
	}
	login("s3cret")
	if _, err := Push(t.Context(), image, ref, o); err != nil {
		t.Errorf("with the right login: %v", err)
	}
}

// TestBearer gets a token for a push and a mount, as most public registries want it.
func TestBearer(t *testing.T) {
	var scopes []string
	var f *front
	f = serve(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
		switch {
		case r.URL.Path == "/token":
			scopes = r.URL.Query()["scope"]
			_, _ = io.WriteString(w, `{"token":"abc","expires_in":300}`)
		case r.Header.Get("Authorization") == "Bearer abc":
			return false
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+f.host()+`/token",service="test"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
		return true
	})
	o := hasty()
	o.Mount = []string{"greeter/base"}
	if _, err := Push(t.Context(), testImage(t, 1), f.host()+"/greeter/web:one", o); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(scopes, " "); got != "repository:greeter/web:push,pull repository:greeter/base:pull" {
		t.Errorf("scopes %q", got)
	}
}

func TestReferences(t *testing.T) {
	for _, ref := range []string{"", "greeter/web", "http://127.0.0.1:5000/x", "127.0.0.1:5000/UPPER", "127.0.0.1:5000/a:b c", "127.0.0.1:5000/a@sha256:12"} {
		if _, err := Push(t.Context(), empty.Image, ref, hasty()); err == nil || !strings.Contains(err.Error(), "host/repository") {
			t.Errorf("reference %q: %v", ref, err)
		}
	}
	o := hasty()
	o.Tags = []string{"no/tag"}
	if _, err := Push(t.Context(), empty.Image, "127.0.0.1:1/a", o); err == nil || !strings.Contains(err.Error(), `"no/tag" cannot be a tag`) {
		t.Errorf("bad tag: %v", err)
	}
	wrong := "127.0.0.1:1/a@sha256:" + strings.Repeat("0", 64)
	if _, err := Push(t.Context(), empty.Image, wrong, hasty()); err == nil || !strings.Contains(err.Error(), "not what the reference says") {
		t.Errorf("digest of another image: %v", err)
	}
	if _, err := Pull(t.Context(), "127.0.0.1:1/a", hasty()); err == nil || !strings.Contains(err.Error(), "add a tag") {
		t.Errorf("pull without a tag: %v", err)
	}
}

// refuse is a transport that must not be reached.
type refuse struct{ t *testing.T }

func (r refuse) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" {
		r.t.Errorf("request to %s", req.URL)
	}
	return nil, http.ErrSchemeMismatch
}

func TestPlainHTTPOnlyToLoopback(t *testing.T) {
	for _, host := range []string{"10.0.0.1:5000", "registry.local", "192.168.1.1"} {
		o := hasty()
		o.Transport = refuse{t}
		_, err := Push(t.Context(), empty.Image, host+"/a:b", o)
		var refusal *Error
		if !errors.As(err, &refusal) || refusal.Reason != PlainHTTP {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	f := serve(t, nil)
	f.Close()
	_, err := Push(t.Context(), empty.Image, f.host()+"/a:b", hasty())
	var refusal *Error
	if !errors.As(err, &refusal) || !refusal.Temporary() || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error %v", err)
	}
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := serve(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if r.Method == "PUT" {
			cancel()
			hang(r)
		}
		return false
	})
	_, err := Push(ctx, testImage(t, 2), f.host()+"/a:b", Options{Keychain: authn.NewMultiKeychain()})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// broken is an image whose first layer cannot be read.
type broken struct{ v1.Image }

type brokenLayer struct{ v1.Layer }

func (brokenLayer) Compressed() (io.ReadCloser, error) { return nil, os.ErrPermission }

func (b broken) Layers() ([]v1.Layer, error) {
	layers, err := b.Image.Layers()
	return []v1.Layer{brokenLayer{layers[0]}}, err
}

func TestUnreadableBlob(t *testing.T) {
	f := serve(t, nil)
	_, err := Push(t.Context(), broken{testImage(t, 1)}, f.host()+"/a:b", hasty())
	if !errors.Is(err, os.ErrPermission) || f.count("POST") > 2 {
		t.Errorf("error %v after %q", err, f.requests())
	}
}

// bar adds up what a progress bar would show.
type bar struct {
	total, done atomic.Int64
	ended       atomic.Int32
}

func (b *bar) Start(_ string, total int64, _ progress.Unit) progress.Task {
	b.total.Store(total)
	return b
}
func (b *bar) Add(n int64) {
	if n < 0 {
		panic("progress goes back")
	}
	b.done.Add(n)
}
func (b *bar) Done(error) { b.ended.Add(1) }

func TestProgressEndsAtTheTotal(t *testing.T) {
	var left atomic.Int32
	left.Store(3)
	f := serve(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if r.Method == "PUT" && left.Add(-1) >= 0 {
			_, _ = io.CopyN(io.Discard, r.Body, 1000)
			reset(w)
			return true
		}
		return false
	})
	image := testImage(t, 3)
	for range 2 { // sent with faults; there already
		var b bar
		o := hasty()
		o.Progress = &b
		if _, err := Push(t.Context(), image, f.host()+"/a:b", o); err != nil {
			t.Fatal(err)
		}
		if b.done.Load() != b.total.Load() || b.total.Load() < 3*64<<10 || b.ended.Load() != 1 {
			t.Errorf("progress %d of %d, ended %d times", b.done.Load(), b.total.Load(), b.ended.Load())
		}
	}
}
