package release_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// TestLockUpdateOfNames holds that only what is named moves, and what then must.
func TestLockUpdateOfNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strings.Replace(plain, "[tool]", "[filesystem, tool, more]", 1))
	atLeast := func(name, version string) rpm.Dependency {
		return rpm.Dependency{Name: name, Sense: rpm.Greater | rpm.Equal, EVR: rpm.EVR{Version: version}}
	}
	w.packages(rpmwrite.Spec{Name: "more", Requires: needs("lib")}, rpmwrite.Spec{Name: "lib"})
	w.lock("stg", release.LockOptions{})
	w.packages(
		rpmwrite.Spec{Name: "filesystem", EVR: second},
		rpmwrite.Spec{Name: "tool", EVR: second, Requires: []rpm.Dependency{atLeast("filesystem", "2")}},
		rpmwrite.Spec{Name: "more", EVR: second, Requires: needs("lib")}, rpmwrite.Spec{Name: "lib", EVR: second})
	only := func(names ...string) release.LockOptions { return release.LockOptions{Update: true, Only: names} }

	_, _, l, changed := w.lock("stg", only("lib"))
	w.expect("lib", packed(l, "web"), "filesystem 1-1", "lib 2-1", "more 1-1", "tool 1-1")
	if !changed {
		t.Error("lib: no change")
	}
	// tool needs a new filesystem, which is asked for before it; more has nothing to do with it.
	_, _, l, _ = w.lock("stg", only("tool"))
	w.expect("tool", packed(l, "web"), "filesystem 2-1", "lib 2-1", "more 1-1", "tool 2-1")
	_, _, l, _ = w.lock("stg", only("more", "lib"))
	w.expect("more", packed(l, "web"), "filesystem 2-1", "lib 2-1", "more 2-1", "tool 2-1")

	c, err := w.p.Candidate(t.Context(), "stg")
	w.ok(err)
	n, err := w.p.Needs(t.Context(), c)
	w.ok(err)
	var unknown *release.NotLockedError
	if _, _, err := w.p.Lock(t.Context(), n, l, only("tool", "tol")); !errors.As(err, &unknown) || !slices.Equal(unknown.Names, []string{"tol"}) {
		t.Errorf("an unknown name: %v", err)
	}
	if _, _, err := w.p.Lock(t.Context(), n, nil, only("tool")); !errors.As(err, &unknown) {
		t.Errorf("without a lock: %v", err)
	}
}

// TestReasons holds that each package is reached from what is asked for, by the shortest way.
func TestReasons(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strings.Replace(plain, "[tool]", "[tool, more]", 1))
	// A circle of lib and twin, and a long way and a short one to lib.
	w.packages(rpmwrite.Spec{Name: "more", Requires: needs("middle", "lib")}, rpmwrite.Spec{Name: "middle", Requires: needs("lib")},
		rpmwrite.Spec{Name: "lib", Requires: needs("twin")}, rpmwrite.Spec{Name: "twin", Requires: needs("lib")})
	_, n, l, _ := w.lock("stg", release.LockOptions{})
	all, err := w.p.Reasons(t.Context(), n, l)
	w.ok(err)
	if len(all) != 1 || all[0].Root != "web" || all[0].Target != "tiny" {
		t.Fatalf("reasons: %+v", all)
	}
	var chains []string
	for _, pkg := range all[0].Packages {
		found := all[0].Chains(pkg.NEVRA)
		if len(found) == 0 {
			t.Errorf("no chain leads to %s", pkg.NEVRA)
		}
		for _, c := range found {
			var names []string
			for _, link := range c {
				names = append(names, link.NEVRA[:strings.Index(link.NEVRA, "-1-1")])
			}
			chains = append(chains, strings.Join(names, ">"))
		}
	}
	w.expect("chains", chains, "tool>filesystem", "more>lib", "more>middle>lib", "more>middle", "more", "tool", "more>lib>twin")
	if why := all[0].Chains("more-1-1.noarch")[0][0].Why.String(); why != "slipway.yaml:8 asks for more" {
		t.Errorf("why: %s", why)
	}

	// Newer packages take part in nothing; what the repository has dropped is not known.
	w.packages(rpmwrite.Spec{Name: "lib", EVR: second})
	again, err := w.p.Reasons(t.Context(), n, l)
	w.ok(err)
	if len(again[0].Packages) != len(all[0].Packages) {
		t.Errorf("with a newer package: %+v", again[0].Packages)
	}
	w.forget("lib-1-1.noarch.rpm")
	var dropped *release.DroppedError
	if _, err := w.p.Reasons(t.Context(), n, l); !errors.As(err, &dropped) || !slices.Equal(dropped.Packages, []string{"lib-1-1.noarch"}) {
		t.Errorf("dropped: %v", err)
	}
	if _, err := w.p.Reasons(t.Context(), n, nil); err == nil || !strings.Contains(err.Error(), "run slipway lock") {
		t.Errorf("without a lock: %v", err)
	}
}

func TestCheckLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	c, n, l, _ := w.lock("stg", release.LockOptions{})
	check := func(what string, want ...string) {
		t.Helper()
		problems, _, err := w.p.CheckLock(t.Context(), n, l)
		w.ok(err)
		var got []string
		for _, p := range problems {
			got = append(got, p.String())
		}
		if len(got) != len(want) {
			t.Errorf("%s: %q", what, got)
			return
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%s: %q, want %q", what, got[i], want[i])
			}
		}
	}
	check("as locked")
	w.packages(rpmwrite.Spec{Name: "tool", EVR: second})
	check("with something newer")
	w.forget("tool-1-1.noarch.rpm")
	check("with something gone", "target tiny: tool-1-1.noarch: ")

	w.write("slipway.yaml", strings.NewReplacer("[tool]", "[filesystem]", "release: universe-1", "release: universe-2").Replace(plain))
	w.load()
	check("on another release", "target tiny: it was locked as universe-1 on x86_64, and is universe-2 on x86_64 now", "target tiny: tool-1-1.noarch: ")
	w.write("slipway.yaml", strings.Replace(plain, "[tool]", "[filesystem]", 1))
	w.load()
	var err error
	n, err = w.p.Needs(t.Context(), c)
	w.ok(err)
	check("with other needs", "target tiny: image web: its needs have changed", "target tiny: tool-1-1.noarch: ")
}
