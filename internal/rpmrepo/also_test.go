package rpmrepo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
)

// shelf is a registry of one blob.
type shelf struct {
	ref     string
	data    []byte
	failing int // so often it says that it will be better later
}

type busyError struct{}

func (busyError) Error() string   { return "the registry is busy" }
func (busyError) Temporary() bool { return true }

func (s *shelf) Open(_ context.Context, ref string, _ int64) (io.ReadCloser, error) {
	if s.failing--; s.failing >= 0 {
		return nil, busyError{}
	}
	if ref != s.ref {
		return nil, fmt.Errorf("there is no blob %s: %w", ref, fs.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(s.data)), nil
}

func (s *shelf) Has(_ context.Context, ref string) (bool, error) { return ref == s.ref, nil }

// TestAlso holds that a package which the repository has dropped, or does not have as it should be, is
// taken from where else the very same file is.
func TestAlso(t *testing.T) {
	t.Parallel()
	dir, config, _ := signed(t)
	s := serve(t, dir)
	config.BaseURL = []string{s.URL}
	all := artifacts(t, dir, config)
	a := all[0]
	copied, other := filepath.Join(t.TempDir(), "copy.rpm"), filepath.Join(t.TempDir(), "other.rpm")
	data, err := os.ReadFile(filepath.Join(dir, a.Location))
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := os.ReadFile(filepath.Join(dir, all[1].Location))
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{copied: data, other: wrong} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.on(filepath.Base(a.Location), http.NotFound)
	blob := transfer.BlobPlace("registry.example/rpms@sha256:" + a.SHA256)
	for name, tt := range map[string]struct {
		also    []string
		config  func(*rpmrepo.Config)
		offline bool
		found   string
		err     any
	}{
		"a folder":                {also: []string{copied}, found: copied},
		"another file, then it":   {also: []string{other, "file://" + copied}, found: "file://" + copied},
		"a registry":              {also: []string{other, blob}, found: blob},
		"nowhere":                 {also: []string{other, transfer.BlobPlace("registry.example/rpms@sha256:0")}, err: new(*rpmrepo.NotFoundError)},
		"mirrors are not known":   {also: []string{copied}, config: func(c *rpmrepo.Config) { c.BaseURL, c.Metalink = nil, s.URL+"/no-metalink" }, found: copied},
		"offline, a folder":       {also: []string{blob, copied}, offline: true, found: copied},
		"offline, a registry":     {also: []string{blob}, offline: true, err: new(*rpmrepo.OfflineError)},
		"signed by somebody else": {also: []string{copied}, config: func(c *rpmrepo.Config) { c.GPGKey = nil }, found: copied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := client(t)
			c.Offline, c.Attempts = tt.offline, 2
			c.Blobs = &shelf{ref: "registry.example/rpms@sha256:" + a.SHA256, data: data, failing: 1}
			wanted := a
			wanted.Also = tt.also
			if tt.config != nil {
				tt.config(&wanted.Config)
			}
			found, err := c.Available(t.Context(), []rpmrepo.Artifact{wanted})
			if err != nil || found[0].Also != tt.found || tt.err != nil && !errors.As(found[0].Err, tt.err) {
				t.Errorf("available: %+v, %v", found, err)
			}
			paths, err := c.Fetch(t.Context(), []rpmrepo.Artifact{wanted})
			switch {
			case wanted.Config.GPGKey == nil:
				if err == nil {
					t.Error("a package that no key vouches for was fetched")
				}
			case tt.err != nil:
				if !errors.As(err, tt.err) {
					t.Errorf("error: %v", err)
				}
			case err != nil:
				t.Error(err)
			default:
				if got, err := os.ReadFile(paths[0]); err != nil || !bytes.Equal(got, data) {
					t.Errorf("another file: %v", err)
				}
			}
		})
	}
}

func TestKeyIDs(t *testing.T) {
	t.Parallel()
	_, config, _ := signed(t)
	ids, err := client(t).KeyIDs(t.Context(), config)
	if err != nil || len(ids) != 1 || len(ids[0]) != 8 {
		t.Errorf("%q, %v", ids, err)
	}
	config.GPGKey = nil
	if ids, err := client(t).KeyIDs(t.Context(), config); err != nil || ids != nil {
		t.Errorf("without keys: %q, %v", ids, err)
	}
}
