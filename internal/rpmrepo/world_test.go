package rpmrepo_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

// key makes a key to sign with.
func key(t testing.TB) *rpmwrite.Signer {
	t.Helper()
	s, err := rpmwrite.NewEd25519Signer("Slipway Test <test@example.org>", time.Unix(1_600_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keyFile writes a public key to a file.
func keyFile(t testing.TB, s *rpmwrite.Signer) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.asc")
	write(t, path, s.PublicKey())
	return path
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// specs are the packages of the tests' repository.
func specs() []rpmwrite.Spec {
	long := strings.Repeat("a tune that has many verses ", 20_000)
	v := func(version string) rpm.EVR { return rpm.EVR{Version: version, Release: "1"} }
	return []rpmwrite.Spec{
		{
			Name: "lute", EVR: v("1.2"), Arch: "x86_64", License: "MIT", BuildTime: 1_700_000_000,
			Requires: []rpm.Dependency{{Name: "wood", Sense: rpm.Greater | rpm.Equal, EVR: rpm.EVR{Version: "3"}}},
			Provides: []rpm.Dependency{{Name: "instrument"}},
			Files: []rpmwrite.File{
				{Path: "/usr/bin/lute", Mode: rpm.ModeRegular | 0o755, Content: rpmwrite.Bytes([]byte("#!/bin/sh\n")), Size: 10},
				rpmwrite.Text("/usr/share/lute/songs", long),
			},
			Compression: "none",
		},
		{Name: "wood", EVR: v("3"), Arch: "noarch", License: "MIT", BuildTime: 1_700_000_001, Files: []rpmwrite.File{rpmwrite.Text("/usr/share/wood", "alder")}},
		{Name: "viol", EVR: v("4"), Arch: "noarch", License: "MIT", BuildTime: 1_700_000_002, Provides: []rpm.Dependency{{Name: "instrument"}}},
	}
}

// repository makes a folder with packages, signed with s if that is not nil, and their metadata.
func repository(t testing.TB, s *rpmwrite.Signer, opts repowrite.Options) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, spec := range specs() {
		spec.Key = s
		n := rpm.NEVRA{Name: spec.Name, EVR: spec.EVR, Arch: spec.Arch}
		path := filepath.Join(dir, "Packages", n.FileName())
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := rpmwrite.WriteFile(path, spec); err != nil {
			t.Fatal(err)
		}
	}
	if err := repowrite.Write(dir, opts); err != nil {
		t.Fatal(err)
	}
	return dir
}

// part gives the path of a part of a repository's metadata.
func part(t testing.TB, dir, kind string) string {
	t.Helper()
	md, err := repodata.ParseRepomd(read(t, filepath.Join(dir, "repodata/repomd.xml")))
	if err != nil {
		t.Fatal(err)
	}
	d, ok := md.Find(kind)
	if !ok {
		t.Fatalf("there is no %s", kind)
	}
	return filepath.Join(dir, d.Location)
}

// server serves a folder and notes what is asked for.
type server struct {
	*httptest.Server
	dir string

	mu    sync.Mutex
	asked []string
	hooks map[string]http.HandlerFunc // by the end of the path
}

func serve(t testing.TB, dir string) *server {
	s := &server{dir: dir, hooks: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Path)
	var hook http.HandlerFunc
	longest := ""
	for end, h := range s.hooks {
		if strings.HasSuffix(r.URL.Path, end) && len(end) > len(longest) {
			hook, longest = h, end
		}
	}
	s.mu.Unlock()
	if hook != nil {
		hook(w, r)
		return
	}
	http.FileServer(http.Dir(s.dir)).ServeHTTP(w, r)
}

// on makes paths with that end answer differently.
func (s *server) on(end string, h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks[end] = h
}

// times counts how often paths with that end were asked for.
func (s *server) times(end string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(s.asked), func(p string) bool { return !strings.HasSuffix(p, end) }))
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func html(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	w.Write([]byte("<!DOCTYPE html><html><title>Please log in</title></html>"))
}

func content(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// client makes a client with a cache of its own, which tries things once.
func client(t testing.TB) *rpmrepo.Client {
	t.Helper()
	return clientAt(t, filepath.Join(t.TempDir(), "cache"))
}

func clientAt(t testing.TB, root string) *rpmrepo.Client {
	t.Helper()
	c, err := cache.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &rpmrepo.Client{Cache: c, Attempts: 1, Stall: 10 * time.Second, Log: slog.New(slog.DiscardHandler)}
}

func load(t testing.TB, c *rpmrepo.Client, config rpmrepo.Config) *rpmrepo.Repository {
	t.Helper()
	r, err := c.Load(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// names gives what is not excluded.
func names(r *rpmrepo.Repository) (out []string) {
	for _, p := range r.All() {
		out = append(out, p.Name)
	}
	slices.Sort(out)
	return out
}

var allNames = []string{"lute", "viol", "wood"}

func cancelling(t testing.TB) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}
