package release_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// twoSets has an environment with all projects and one with a part of them.
const twoSets = `service: greeter
projects: {one: {git: ./one}, two: {git: ./two}}
targets:
  tiny: {release: universe-1, python: "3.13", repositories: [{id: tiny, baseurl: ./rpms, gpgcheck: false}]}
exceptions: [{name: tiny, repository: tiny, reason: made for tests, expires: 2999-01-01}]
images:
  web: {projects: [one]}
  worker: {projects: [two]}
environments:
  stg: {branch: main}
  prod: {branch: stable, deploy: {to: local, workloads: {web: {image: web}}}}
`

func newTwoSets(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, strings.Replace(plain, "packages: [tool]", "packages: []", 1))
	w.packages(rpmwrite.Spec{Name: "maker"}, rpmwrite.Spec{Name: "backend", Provides: needs("python3dist(maker)", "python3dist(setuptools)", "python3dist(wheel)", "python3dist(pip)")})
	for _, name := range []string{"one", "two"} {
		w.write(name+"/pyproject.toml", "[build-system]\nrequires = [\"maker\"]\nbuild-backend = \"maker\"\n[project]\nname = \""+name+"\"\nversion = \"1\"\n")
		w.git(name, "init", "--quiet", "--initial-branch=main")
		w.commit(name)
	}
	for _, spec := range []string{"python3", "python3-devel", "python3-pip"} {
		w.packages(rpmwrite.Spec{Name: spec, Provides: needs("/usr/bin/python3")})
	}
	w.write("slipway.yaml", twoSets)
	w.load()
	return w
}

// TestBuildRootsOfEnvironments holds that environments with other projects do not rewrite each other's
// root for building them.
func TestBuildRootsOfEnvironments(t *testing.T) {
	t.Parallel()
	w := newTwoSets(t)
	w.lock("stg", release.LockOptions{})
	_, _, l, changed := w.lock("prod", release.LockOptions{})
	if !changed {
		t.Error("the second environment changed nothing")
	}
	roots := slices.Sorted(func(yield func(string) bool) {
		for root := range l.Target("tiny").Requests {
			if !yield(root) {
				return
			}
		}
	})
	w.expect("roots", roots, "build", "build:one", "web", "worker")
	if len(l.Target("tiny").Root("build:one")) == 0 {
		t.Error("its build root is empty")
	}
	for _, env := range []string{"stg", "prod", "stg"} {
		if _, _, _, changed := w.lock(env, release.LockOptions{}); changed {
			t.Errorf("%s was locked once more", env)
		}
	}
	// What no environment needs any more goes with the next change.
	w.write("slipway.yaml", strings.NewReplacer("  prod: {branch: stable, deploy: {to: local, workloads: {web: {image: web}}}}\n", "", "worker: {", "worker: {packages: [tool], ").Replace(twoSets))
	w.load()
	_, _, l, _ = w.lock("stg", release.LockOptions{})
	if _, still := l.Target("tiny").Requests["build:one"]; still {
		t.Error("the root of an environment that is gone stays")
	}
}

// TestLocksAtOnce holds that of two who lock at the same time none loses what the other one added.
func TestLocksAtOnce(t *testing.T) {
	t.Parallel()
	w := newTwoSets(t)
	var all sync.WaitGroup
	for _, env := range []string{"stg", "prod"} {
		c, err := w.p.Candidate(t.Context(), env)
		w.ok(err)
		n, err := w.p.Needs(t.Context(), c)
		w.ok(err)
		all.Go(func() {
			if _, _, err := w.p.UpdateLock(t.Context(), n, release.LockOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	l, err := lock.Load(w.p.LockPath())
	w.ok(err)
	if got := len(l.Target("tiny").Requests); got != 4 {
		t.Errorf("%d roots, want 4: %v", got, l.Target("tiny").Requests)
	}
}
