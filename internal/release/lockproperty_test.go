package release_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// lockWorld is a random repository that changes.
type lockWorld struct {
	*world
	*rand.Rand
	names int
}

// spec makes a version of a package, which needs some of those after it.
func (w *lockWorld) spec(n, version int) rpmwrite.Spec {
	s := rpmwrite.Spec{Name: fmt.Sprintf("p%d", n), EVR: rpm.EVR{Version: strconv.Itoa(version), Release: "1"}}
	for m := n + 1; m < w.names; m++ {
		if w.IntN(3) > 0 {
			continue
		}
		d := rpm.Dependency{Name: fmt.Sprintf("p%d", m)}
		switch w.IntN(4) {
		case 0:
			d.Sense, d.EVR = rpm.Greater|rpm.Equal, rpm.EVR{Version: strconv.Itoa(1 + w.IntN(version))}
		case 1:
			d.Name = fmt.Sprintf("virtual%d", w.IntN(2))
		}
		s.Requires = append(s.Requires, d)
	}
	if w.IntN(3) == 0 || n >= w.names-2 {
		s.Provides = needs(fmt.Sprintf("virtual%d", n%2))
	}
	if n > 0 && w.IntN(8) == 0 {
		s.Conflicts = []rpm.Dependency{{Name: fmt.Sprintf("p%d", w.IntN(n)), Sense: rpm.Less, EVR: rpm.EVR{Version: strconv.Itoa(version)}}}
	}
	return s
}

func (w *lockWorld) add(n, version int) { w.packages(w.spec(n, version)) }

func (w *lockWorld) drop(n, version int) {
	file := filepath.Join(w.dir, "rpms", fmt.Sprintf("p%d-%d-1.noarch.rpm", n, version))
	if _, err := os.Stat(file); err == nil {
		w.forget(filepath.Base(file))
	}
}

func (w *lockWorld) ask(names ...string) {
	w.write("slipway.yaml", strings.Replace(plain, "[tool]", "["+strings.Join(names, ", ")+"]", 1)+"archive: {folder: kept}\n")
	w.load()
}

// try locks as the options say; nil where there is no solution.
func (w *lockWorld) try(o release.LockOptions) *lock.Lock {
	w.Helper()
	c, err := w.p.Candidate(w.Context(), "stg")
	w.ok(err)
	n, err := w.p.Needs(w.Context(), c)
	w.ok(err)
	l, _, err := w.p.UpdateLock(w.Context(), n, o)
	if err != nil && strings.Contains(err.Error(), "can't be installed") {
		return nil
	}
	w.ok(err)
	return l
}

func versions(l *lock.Lock) map[string]rpm.NEVRA {
	all := map[string]rpm.NEVRA{}
	for _, p := range l.Target("tiny").Root("web") {
		all[p.NEVRA.Name] = p.NEVRA
	}
	return all
}

// could says whether there is a solution with exactly these packages where they are in it at all.
func (w *lockWorld) could(requests []string, pins map[string]rpm.NEVRA, folders ...string) bool {
	w.Helper()
	pr := resolve.Problem{Arch: "x86_64"}
	for n, folder := range folders {
		conf := rpmrepo.DefaultConfig("tiny", filepath.Join(w.dir, folder))
		conf.Priority += n // the archive is the last resort
		if _, err := os.Stat(filepath.Join(conf.BaseURL[0], "repodata")); err != nil {
			continue
		}
		r, err := w.p.Repositories.Load(w.Context(), conf)
		w.ok(err)
		pr.Repositories = append(pr.Repositories, r.Restrict(func(i int) bool {
			pin, ok := pins[r.Package(i).Name]
			return ok && pin != r.Package(i).NEVRA
		}))
	}
	for _, name := range requests {
		pr.Requests = append(pr.Requests, resolve.Request{Dependency: rpm.Dependency{Name: name}})
	}
	_, err := resolve.Resolve(w.Context(), pr)
	return err == nil
}

// TestLockChangesLittle holds, for random repositories that get and lose packages, that a new lock keeps
// all that can stay, that with an archive nothing moves for what was dropped, and that a refresh moves
// what has updates and nothing else.
func TestLockChangesLittle(t *testing.T) {
	t.Parallel()
	worlds := 8
	if os.Getenv("SLIPWAY_TEST_DEEP") != "" {
		worlds = 150
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	solved, moves, refreshed := 0, 0, 0
	for i := range worlds {
		w := &lockWorld{world: newWorld(t, plain), Rand: rand.New(rand.NewPCG(seed, uint64(i))), names: 8}
		for n := range w.names {
			for v := range 1 + w.IntN(2) {
				w.add(n, 1+v)
			}
		}
		w.ask("p0", "p1")
		first := w.try(release.LockOptions{})
		if first == nil {
			continue
		}
		if i%2 == 0 { // without an archive, what was dropped must move, and others perhaps with it
			w.vendor(first)
		}
		for n := range w.names {
			if w.IntN(2) == 0 {
				w.add(n, 3)
			}
			if w.IntN(3) == 0 {
				w.drop(n, 1)
			}
			if w.IntN(3) == 0 {
				w.drop(n, 2)
			}
		}
		requests := []string{"p0", "p1", fmt.Sprintf("p%d", 2+w.IntN(w.names-2))}
		w.ask(requests...)
		next := w.try(release.LockOptions{})
		if next == nil {
			continue
		}
		solved++
		moves += w.stayed(first, next, requests)
		w.vendor(next)
		if l := w.try(release.LockOptions{}); l == nil || len(lock.Diff(next, l)) > 0 {
			t.Errorf("world %d: locking again changes something", i)
		}
		refreshed += w.refreshedFrom(next)
	}
	t.Logf("%d worlds, %d packages moved for a new need, %d by refreshing", solved, moves, refreshed)
	if refreshed == 0 {
		t.Error("nothing was ever refreshed: the worlds are too tame")
	}
}

// folders are where packages come from.
var folders = []string{"rpms", "kept/tiny/tiny"}

// offers says whether a package is still to be had.
func (w *lockWorld) offers(nevra rpm.NEVRA) bool {
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(w.dir, folder, nevra.String()+".rpm")); err == nil {
			return true
		}
	}
	return false
}

// stayed wants that no package which moved could have stayed without another one moving, and counts them.
func (w *lockWorld) stayed(first, next *lock.Lock, requests []string) (moves int) {
	w.Helper()
	old, now := versions(first), versions(next)
	gone := func(name string) bool { return now[name] != rpm.NEVRA{} && now[name] != old[name] }
	for name, nevra := range now {
		was, had := old[name]
		if !had || was == nevra {
			continue
		}
		moves++
		pins := map[string]rpm.NEVRA{}
		for other, was := range old {
			if (other == name || !gone(other)) && w.offers(was) {
				pins[other] = was
			}
		}
		if _, offered := pins[name]; offered && w.could(requests, pins, folders...) {
			w.Errorf("%s could have stayed beside %v", was, pins)
		}
	}
	return moves
}

// refreshedFrom wants that a refresh keeps the names, moves none back, and leaves none behind that could be
// newer without another one being older.
func (w *lockWorld) refreshedFrom(l *lock.Lock) (moves int) {
	w.Helper()
	fresh := w.try(release.LockOptions{Refresh: true})
	if fresh == nil {
		w.Error("what is locked cannot be refreshed")
		return 0
	}
	old, now := versions(l), versions(fresh)
	for name, nevra := range now {
		was, had := old[name]
		if had && nevra != was {
			moves++
		}
		if had && nevra.EVR.Compare(was.EVR) < 0 {
			w.Errorf("%s went back from %s", nevra, was)
		}
	}
	again := w.try(release.LockOptions{Refresh: true})
	if again == nil || len(lock.Diff(fresh, again)) > 0 {
		w.Error("refreshing twice changes something")
	}
	return moves
}

// TestRefresh tells refreshing from updating.
func TestRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strings.Replace(plain, "[tool]", "[service, dropped, held]", 1))
	mta := rpmwrite.Spec{Name: "mta-b", Provides: needs("mta")}
	exactly := []rpm.Dependency{{Name: "lib", Sense: rpm.Equal, EVR: rpm.EVR{Version: "1"}}}
	w.packages(rpmwrite.Spec{Name: "service", Requires: needs("mta")}, mta, rpmwrite.Spec{Name: "dropped"},
		rpmwrite.Spec{Name: "held", Requires: exactly}, rpmwrite.Spec{Name: "lib"})
	_, _, l, _ := w.lock("stg", release.LockOptions{})
	w.expect("first", packed(l, "web"), "dropped 1-1", "held 1-1", "lib 1-1", "mta-b 1-1", "service 1-1")
	// Another one provides the same by now, and comes first; lib cannot be newer as long as held is not.
	mta.EVR = second
	w.packages(mta, rpmwrite.Spec{Name: "mta-a", Provides: needs("mta")}, rpmwrite.Spec{Name: "lib", EVR: second}, rpmwrite.Spec{Name: "service", EVR: second, Requires: needs("mta")})
	_, _, fresh, _ := w.lock("stg", release.LockOptions{Refresh: true})
	w.expect("refreshed", packed(fresh, "web"), "dropped 1-1", "held 1-1", "lib 1-1", "mta-b 2-1", "service 2-1")
	_, _, updated, _ := w.lock("stg", release.LockOptions{Update: true})
	if got := packed(updated, "web"); !slices.Contains(got, "mta-a 1-1") || slices.Contains(got, "mta-b 2-1") {
		t.Errorf("updated: %q", got)
	}
}
