package registry

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestPullWhatIsNotThere(t *testing.T) {
	f := serve(t, nil)
	for _, ref := range []string{f.host() + "/greeter/web:none", f.host() + "/greeter/web@sha256:" + strings.Repeat("a", 64)} {
		for _, call := range []func() error{
			func() error { _, err := Pull(t.Context(), ref, hasty()); return err },
			func() error { _, err := Resolve(t.Context(), ref, hasty()); return err },
		} {
			err := call()
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Reason != NotFound || !strings.Contains(err.Error(), "never pushed") {
				t.Errorf("%s: %v", ref, err)
			}
		}
	}
}

// change answers with what the registry says, changed.
func change(h http.Handler, w http.ResponseWriter, r *http.Request, f func([]byte) []byte) {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	body := f(rec.Body.Bytes())
	for k, v := range rec.Header() {
		if k != "Content-Length" {
			w.Header()[k] = v
		}
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(body)
}

// TestPullVerifies changes what comes from the registry at each place in turn.
func TestPullVerifies(t *testing.T) {
	e := &Embedded{Root: t.TempDir()}
	h, err := e.Handler()
	if err != nil {
		t.Fatal(err)
	}
	image := testImage(t, 1)
	f := serve(t, nil)
	f.before = func(w http.ResponseWriter, r *http.Request, n int) bool { h.ServeHTTP(w, r); return true }
	pushed, err := Push(t.Context(), image, f.host()+"/a:b", hasty())
	if err != nil {
		t.Fatal(err)
	}
	config, _ := image.ConfigName()
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	tests := map[string]struct {
		part   string
		change func([]byte) []byte
	}{
		"manifest":       {"/manifests/", flip},
		"configuration":  {config.String(), flip},
		"layer":          {"/blobs/", flip},
		"longer layer":   {"/blobs/", func(b []byte) []byte { return append(b, 'x') }},
		"shorter layer":  {"/blobs/", func(b []byte) []byte { return b[:len(b)-1] }},
		"huge manifest":  {"/manifests/", func(b []byte) []byte { return append(b, make([]byte, maxManifest)...) }},
		"endless config": {config.String(), func(b []byte) []byte { return append(b, make([]byte, 1<<20)...) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
				skip := test.part == "/blobs/" && strings.Contains(r.URL.Path, config.String())
				if r.Method != "GET" || skip || !strings.Contains(r.URL.Path, test.part) {
					h.ServeHTTP(w, r)
				} else {
					change(h, w, r, test.change)
				}
				return true
			}
			for _, ref := range []string{pushed.Reference(), f.host() + "/a:b"} {
				got, err := Pull(t.Context(), ref, hasty())
				if err == nil {
					layers, lerr := got.Layers()
					if lerr != nil {
						t.Fatal(lerr)
					}
					rc, rerr := layers[0].Compressed()
					if err = rerr; err == nil {
						_, err = io.Copy(io.Discard, rc)
						rc.Close()
					}
				}
				if err == nil {
					t.Errorf("%s: changed content was accepted", ref)
				}
			}
		})
	}
}

// TestPullGoesOn cuts the connection in the middle of a layer, with a registry that knows ranges and one that does not.
func TestPullGoesOn(t *testing.T) {
	for _, ranges := range []bool{true, false} {
		var cuts atomic.Int32
		cuts.Store(3)
		e := &Embedded{Root: t.TempDir()}
		h, err := e.Handler()
		if err != nil {
			t.Fatal(err)
		}
		f := serve(t, func(w http.ResponseWriter, r *http.Request, n int) bool {
			if !ranges {
				r.Header.Del("Range")
			}
			if r.Method == "GET" && strings.Contains(r.URL.Path, "/blobs/") && cuts.Add(-1) >= 0 {
				change(h, w, r, func(b []byte) []byte {
					w.Header().Set("Content-Length", "1000000")
					return b[:len(b)/2]
				})
				return true
			}
			h.ServeHTTP(w, r)
			return true
		})
		image := testImage(t, 1)
		pushed, err := Push(t.Context(), image, f.host()+"/a:b", hasty())
		if err != nil {
			t.Fatal(err)
		}
		got, err := Pull(t.Context(), pushed.Reference(), hasty())
		if err != nil {
			t.Fatal(err)
		}
		sameImage(t, got, image)
	}
}
