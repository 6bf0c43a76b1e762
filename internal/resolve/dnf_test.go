package resolve_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/resolve/dnf"
)

// TestRulesAgainstDNF puts the table of rules to dnf as well: what we say we do is what it does.
func TestRulesAgainstDNF(t *testing.T) {
	needDNF(t)
	dir := t.TempDir()
	var setups []dnf.World
	var cases []ruleCase
	for i, c := range ruleCases {
		if strings.HasPrefix(c.request, "(") {
			continue // dnf's command line has no rich requests
		}
		setup := dnf.World{
			Repos: writeMetadata(t, filepath.Join(dir, fmt.Sprint(i)), repositories(t, c.repos)), Best: true,
		}
		var args []string
		for _, d := range dependencies(t, c.request) {
			args = append(args, d.String())
		}
		setup.Requests = [][]string{args}
		setups, cases = append(setups, setup), append(cases, c)
	}
	for i, them := range askDNF(t, setups...) {
		c := cases[i]
		us := askUs(t, problemOf(t, repositories(t, c.repos), question{args: setups[i].Requests[0]}))
		if !agree(us, them) {
			t.Errorf("%s: we say %q%s, dnf says %q%s", c.name, us.Packages, us.Error, them.Packages, them.Error)
		}
	}
}

// TestWorldsAgainstDNF puts random worlds to dnf. With -shrink each difference is made as small as it
// gets, which takes a while.
func TestWorldsAgainstDNF(t *testing.T) {
	l := limits{names: 12, versions: 3, requests: 3, rich: true, weak: true, repos: true}
	compareWorlds(t, l, false)
}

// TestWildWorldsAgainstDNF does so with what real repositories have, and requests in all forms.
func TestWildWorldsAgainstDNF(t *testing.T) {
	compareWorlds(t, limits{names: 12, versions: 3, requests: 3, rich: true, weak: true, repos: true, wild: true}, false)
}

// TestWeakWorldsAgainstDNF does so with weak dependencies being installed. These are close to
// optional, so a difference now and then is no harm.
func TestWeakWorldsAgainstDNF(t *testing.T) {
	compareWorlds(t, limits{names: 12, versions: 2, requests: 2, weak: true}, true)
}

func compareWorlds(t *testing.T, l limits, weak bool) {
	t.Helper()
	needDNF(t)
	worlds := make([]world, *questions)
	for i := range worlds {
		worlds[i] = randomWorld(rand.New(rand.NewPCG(*seed, uint64(i))), l)
	}
	all := tally{kind: "worlds"}
	for i, them := range askWorlds(t, weak, worlds...) {
		us := askUs(t, problemOfWorld(t, worlds[i], weak))
		all.add(us, them)
		if agree(us, them) {
			continue
		}
		report := t.Logf
		if (us.Error == "") != (them.Error == "") {
			report = t.Errorf
		}
		if *shrink {
			worlds[i] = worlds[i].shrink(func(w world) error {
				us, them := askUs(t, problemOfWorld(t, w, weak)), askWorlds(t, weak, w)[0]
				if agree(us, them) {
					return nil
				}
				return fmt.Errorf("we say %q%s, dnf says %q%s", us.Packages, us.Error, them.Packages, them.Error)
			})
			us, them = askUs(t, problemOfWorld(t, worlds[i], weak)), askWorlds(t, weak, worlds[i])[0]
		}
		report("we say %q%s, dnf says %q%s\n%s", us.Packages, us.Error, them.Packages, them.Error, worlds[i])
	}
	t.Log(&all)
	if all.same*100 < all.solvable*98 {
		t.Errorf("only %d of %d answers are dnf's", all.same, all.solvable)
	}
}

func agree(a, b dnf.Answer) bool {
	return (a.Error == "") == (b.Error == "") && slices.Equal(a.Packages, b.Packages)
}

// askWorlds puts each world to dnf.
func askWorlds(t *testing.T, weak bool, worlds ...world) []dnf.Answer {
	t.Helper()
	dir := t.TempDir()
	setups := make([]dnf.World, len(worlds))
	for i, w := range worlds {
		p := w.problem(t)
		var args []string
		for _, r := range p.Requests {
			args = append(args, r.Dependency.String())
		}
		slices.Sort(args) // dnf minds the order; we take this one
		setups[i] = dnf.World{
			Repos: writeMetadata(t, filepath.Join(dir, fmt.Sprint(i)), p.Repositories), Best: true, Weak: weak, Requests: [][]string{args},
		}
	}
	return askDNF(t, setups...)
}

func problemOfWorld(t testing.TB, w world, weak bool) resolve.Problem {
	p := w.problem(t)
	p.Weak = weak
	return p
}
