package rpmrepo_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/rpmrepo"
)

func TestAvailable(t *testing.T) {
	t.Parallel()
	dir, config, _ := signed(t)
	s := serve(t, dir)
	config.BaseURL = []string{strings.Replace(s.URL, "http://", "http://me:secret@", 1)}
	wanted := artifacts(t, dir, config)
	c := client(t)
	if found, err := c.Available(t.Context(), wanted); err != nil || errors.Join(reasons(found)...) != nil || len(found) != len(wanted) {
		t.Fatalf("all are there: %v, %v", found, err)
	}
	if n, err := os.ReadDir(filepath.Join(c.Cache.Root(), "rpm")); err == nil && len(n) > 0 {
		t.Error("packages were downloaded")
	}

	fetched(t, c, dir, wanted[:1])
	s.on(filepath.Base(wanted[0].Location), http.NotFound)
	s.on(filepath.Base(wanted[1].Location), html)
	found, err := c.Available(t.Context(), wanted)
	if err != nil || !errors.As(found[0].Err, new(*rpmrepo.NotFoundError)) || !errors.As(found[1].Err, new(*rpmrepo.ContentError)) || found[2].Err != nil {
		t.Errorf("two are gone: %v, %v", found, err)
	}
	if text := errors.Join(reasons(found)...).Error(); strings.Contains(text, "secret") || !strings.Contains(text, "of repository test") {
		t.Errorf("errors: %s", text)
	}

	// Offline it is the cache that counts.
	offline := &rpmrepo.Client{Cache: c.Cache, Offline: true}
	found, err = offline.Available(t.Context(), wanted)
	if err != nil || found[0].Err != nil || !errors.As(found[1].Err, new(*rpmrepo.OfflineError)) {
		t.Errorf("offline: %v, %v", found, err)
	}
}

func reasons(found []rpmrepo.Found) []error {
	var list []error
	for _, f := range found {
		list = append(list, f.Err)
	}
	return list
}

func TestPlace(t *testing.T) {
	t.Parallel()
	dir, config, _ := signed(t)
	a := artifacts(t, dir, config)[0]
	if place, err := client(t).Place(t.Context(), a); err != nil || place != "file://"+filepath.Join(dir, a.Location) {
		t.Errorf("of a folder: %q, %v", place, err)
	}
	a.Config.BaseURL = []string{"https://me:secret@example.org/os/?token=secret"}
	if place, err := client(t).Place(t.Context(), a); err != nil || place != "https://example.org/os/"+a.Location {
		t.Errorf("of a URL: %q, %v", place, err)
	}
	a.Location = "../" + a.Location
	if place, err := client(t).Place(t.Context(), a); err == nil {
		t.Errorf("outside: %q", place)
	}
}

func TestRestrict(t *testing.T) {
	t.Parallel()
	_, config, _ := signed(t)
	config.Exclude = []string{"viol"}
	whole := load(t, client(t), config)
	wood := whole.Named("wood")[0]
	r := whole.Restrict(func(i int) bool { return i == wood })
	if len(r.Named("wood")) != 0 || len(r.Named("viol")) != 0 || len(r.Named("lute")) != 1 || len(whole.Named("wood")) != 1 {
		t.Error("other packages are hidden than should be")
	}
	if r.State != whole.State || r.Package(wood).Name != "wood" {
		t.Error("what is hidden is still known")
	}
	for path, want := range map[string]int{"/usr/share/lute/songs": 1, "/usr/share/wood": 0} {
		if found, err := r.FilePackages(t.Context(), path); err != nil || len(found) != want {
			t.Errorf("%s: %v, %v", path, found, err)
		}
	}
}
