package release_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/archive"
	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// forgetCache begins again with an empty cache, as on another machine.
func (w *world) forgetCache() {
	w.Helper()
	d, err := cache.Open(w.TempDir())
	w.ok(err)
	w.Cleanup(func() { w.ok(d.Close()) })
	w.p.Repositories = &rpmrepo.Client{Cache: d, Blobs: w.p.Blobs}
	w.p.Cache = d
}

// TestVendor holds that a lock can be built from the archive alone, that its packages stay in the next
// lock, and that it is told what only the archive has, for both kinds of archives.
func TestVendor(t *testing.T) {
	t.Parallel()
	for kind, conf := range map[string]func(w *world) string{
		"folder":   func(*world) string { return "{folder: ./kept}" },
		"registry": func(w *world) string { return "{registry: \"" + w.p.Registry.Address + "/rpms\"}" },
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, plain)
			text := plain + "archive: " + conf(w) + "\n"
			w.write("slipway.yaml", text)
			w.load()
			c, n, l, _ := w.lock("stg", release.LockOptions{})
			vendored := w.vendor(l)
			if vendored.Packages != 2 || vendored.Total != 2 || vendored.Target != "tiny" {
				t.Errorf("first: %+v", vendored)
			}
			if again := w.vendor(l); again.Packages != 0 || again.Total != 2 || again.Reference != vendored.Reference {
				t.Errorf("again: %+v", again)
			}

			w.packages(rpmwrite.Spec{Name: "tool", EVR: second, Requires: needs("filesystem")})
			w.forget("tool-1-1.noarch.rpm")
			w.forgetCache()
			problems, elsewhere, err := w.p.CheckLock(t.Context(), n, l)
			w.ok(err)
			if len(problems) != 0 || len(elsewhere) != 1 || elsewhere[0].Package != "tool-1-1.noarch" || !elsewhere[0].Archived {
				t.Errorf("check: %+v, %+v", problems, elsewhere)
			}
			if _, err := w.p.Build(t.Context(), c, n, l, release.BuildOptions{NoPush: true}); err != nil {
				t.Errorf("building from the archive: %v", err)
			}

			// A further need is no reason for what the archive has to move.
			w.packages(rpmwrite.Spec{Name: "more"})
			w.write("slipway.yaml", strings.Replace(text, "[tool]", "[tool, more]", 1))
			w.load()
			c, n, l, _ = w.lock("stg", release.LockOptions{})
			w.expect("with one more", packed(l, "web"), "filesystem 1-1", "more 1-1", "tool 1-1")
			if _, err := w.p.Reasons(t.Context(), n, l); err != nil {
				t.Errorf("reasons: %v", err)
			}
			w.vendor(l)
			if _, err := w.p.Build(t.Context(), c, n, l, release.BuildOptions{NoPush: true}); err != nil {
				t.Errorf("building the next one: %v", err)
			}
			// What is asked for anew comes from the repositories, not from the archive.
			_, _, l, _ = w.lock("stg", release.LockOptions{Update: true})
			w.expect("updated", packed(l, "web"), "filesystem 1-1", "more 1-1", "tool 2-1")
			// What no repository has at all, does.
			w.forget("more-1-1.noarch.rpm")
			w.ok(os.Remove(w.p.LockPath()))
			_, _, l, _ = w.lock("stg", release.LockOptions{})
			w.expect("from nothing", packed(l, "web"), "filesystem 1-1", "more 1-1", "tool 2-1")
			if more := l.Target("tiny").Packages[1]; more.Repository != "tiny" || more.Path != "more-1-1.noarch.rpm" {
				t.Errorf("its origin is lost: %+v", more)
			}
		})
	}
}

func (w *world) vendor(l *lock.Lock) release.Vendored {
	w.Helper()
	v, err := w.p.Vendor(w.Context(), l)
	w.ok(err)
	if len(v) != 1 {
		w.Fatalf("vendored: %+v", v)
	}
	return v[0]
}

// TestVendorRebuilt keeps two packages of one name and version.
func TestVendorRebuilt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain+"archive: {folder: kept}\n")
	_, _, first, _ := w.lock("stg", release.LockOptions{})
	w.vendor(first)
	w.packages(rpmwrite.Spec{Name: "tool", Requires: needs("filesystem"), Summary: "built once more"})
	_, _, l, _ := w.lock("stg", release.LockOptions{Update: true})
	if v := w.vendor(l); v.Packages != 1 {
		t.Errorf("%+v", v)
	}
	w.forget("tool-1-1.noarch.rpm")
	w.forgetCache()
	for _, l := range []*lock.Lock{first, l} {
		if v := w.vendor(l); v.Packages != 0 {
			t.Errorf("%+v", v)
		}
	}
}

func TestVendorErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	_, _, l, _ := w.lock("stg", release.LockOptions{})
	if _, err := w.p.Vendor(t.Context(), l); err == nil || !strings.Contains(err.Error(), "archive: {folder:") {
		t.Errorf("without an archive: %v", err)
	}
	w.write("slipway.yaml", plain+"archive: {folder: kept}\n")
	w.load()
	w.vendor(l)
	// A damaged package is not fetched, and not taken for what it should be.
	kept := filepath.Join(w.dir, "kept", "tiny", "tiny", "tool-1-1.noarch.rpm")
	w.ok(os.WriteFile(kept, []byte("something else"), 0o600))
	w.forget("tool-1-1.noarch.rpm")
	w.forgetCache()
	if _, err := w.p.Vendor(t.Context(), l); !errors.As(err, new(*rpmrepo.ContentError)) {
		t.Errorf("damaged: %v", err)
	}
	gone := &archive.Folder{Root: filepath.Join(w.dir, "kept")}
	if _, err := gone.Add(t.Context(), "tiny", []archive.Package{{Repository: "tiny", Location: "repodata/x.rpm", SHA256: strings.Repeat("a", 64)}}); err == nil {
		t.Error("a package is put among the metadata")
	}
}

// TestPlaces holds that further places are filled in and asked, and that a lock is checked there.
func TestPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	_, n, l, _ := w.lock("stg", release.LockOptions{})
	w.ok(os.MkdirAll(filepath.Join(w.dir, "koji", "tool", "1", "1"), 0o755))
	w.ok(os.Rename(filepath.Join(w.dir, "rpms", "tool-1-1.noarch.rpm"), filepath.Join(w.dir, "koji", "tool", "1", "1", "tool.noarch")))
	w.write("slipway.yaml", strings.Replace(plain, "{release: universe-1,", "{release: universe-1, places: ['file://"+w.dir+"/signed/{key}/{file}', 'file://"+w.dir+"/koji/{name}/{version}/{release}/{name}.{arch}'],", 1))
	w.load()
	problems, elsewhere, err := w.p.CheckLock(t.Context(), n, l)
	w.ok(err)
	if len(problems) != 0 || len(elsewhere) != 1 || elsewhere[0].Archived || !strings.HasSuffix(elsewhere[0].Place, "/koji/tool/1/1/tool.noarch") {
		t.Errorf("check: %+v, %+v", problems, elsewhere)
	}
	w.forgetCache()
	w.build("stg")
}
