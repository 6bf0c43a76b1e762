package release_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

const fromRPM = `service: greeter
projects:
  files: {git: ./files}
  ogr: {from: rpm, rpm: {package: python3-ogr, repositories: {main: dev, stable: released}}}
targets:
  tiny:
    release: universe-1
    repositories:
      - {id: tiny, baseurl: ./rpms, gpgcheck: false}
      - {id: dev, baseurl: ./dev, gpgcheck: false}
      - {id: released, baseurl: ./released, gpgcheck: false}
images:
  web: {projects: [ogr]}
environments:
  stg: {branch: main}
  prod: {branch: stable}
  odd: {branch: other}
exceptions:
  - {name: tiny, repository: tiny, reason: made for tests, expires: 2999-01-01}
  - {name: dev, repository: dev, reason: made for tests, expires: 2999-01-01}
  - {name: released, repository: released, reason: made for tests, expires: 2999-01-01}
`

// TestProjectFromRPM holds that a project is taken from the repository of its branch, whatever others have,
// and is locked and told of like any RPM.
func TestProjectFromRPM(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	ogr := func(version string) rpmwrite.Spec {
		return rpmwrite.Spec{Name: "python3-ogr", EVR: evr(version), Requires: needs("filesystem"), Arch: "noarch", BuildTime: 1_700_000_000}
	}
	w.packages(ogr("9")) // the distribution's, which is nobody's branch
	for dir, version := range map[string]string{"dev": "3", "released": "2"} {
		w.write(dir+"/note", "")
		w.ok(rpmwrite.WriteFile(filepath.Join(w.dir, dir, "ogr.rpm"), ogr(version)))
		w.ok(rpmwrite.WriteFile(filepath.Join(w.dir, dir, "filesystem.rpm"), rpmwrite.Spec{Name: "extra", EVR: evr(version), Arch: "noarch", BuildTime: 1_700_000_000}))
		w.ok(repowrite.Write(filepath.Join(w.dir, dir), repowrite.Options{}))
	}
	w.write("slipway.yaml", fromRPM)
	w.load()
	_, n, l, _ := w.lock("stg", release.LockOptions{})
	w.expect("main", packed(l, "web"), "filesystem 1-1", "python3-ogr 3-1")
	if item := n.Targets[0].Roots[0].Items[0]; item.By[0].Origin.String() != "slipway.yaml:4" || item.Request.String() != "python3-ogr" {
		t.Errorf("who asks: %+v", item)
	}
	b := w.build("stg")
	img, _ := b.Snapshot.Image("web")
	pulled, err := registry.Pull(t.Context(), w.p.Registry.Address+"/web@"+img.Digest, registry.Options{})
	w.ok(err)
	m, err := pulled.Manifest()
	w.ok(err)
	if got := m.Annotations["build.slipway.project.ogr"]; got != "python3-ogr-3-1.noarch" {
		t.Errorf("annotation: %q", got)
	}

	_, _, l, changed := w.lock("prod", release.LockOptions{})
	w.expect("stable", packed(l, "web"), "filesystem 1-1", "python3-ogr 2-1")
	if !changed {
		t.Error("another branch is no change")
	}
	c, err := w.p.Candidate(t.Context(), "odd")
	w.ok(err)
	if _, err := w.p.Needs(t.Context(), c); err == nil || !strings.Contains(err.Error(), "slipway.yaml:4: project ogr is taken as an RPM, and no repository is named for branch other") {
		t.Errorf("a branch without a repository: %v", err)
	}
	w.write("slipway.yaml", strings.Replace(fromRPM, "main: dev", "main: gone", 1))
	w.load()
	if c, err = w.p.Candidate(t.Context(), "stg"); err == nil {
		if n, err = w.p.Needs(t.Context(), c); err == nil {
			_, _, err = w.p.Lock(t.Context(), n, nil, release.LockOptions{})
		}
	}
	if err == nil || !strings.Contains(err.Error(), `target tiny has no repository "gone", from which python3-ogr is to be taken`) {
		t.Errorf("a repository that is not there: %v", err)
	}
}

func evr(version string) rpm.EVR { return rpm.EVR{Version: version, Release: "1"} }
