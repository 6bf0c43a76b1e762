package resolve_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/resolve/check"
	"github.com/slipway-build/slipway/internal/rpm"
)

// world is a random problem as text, so that it can be printed and made smaller line by line.
type world struct {
	repos    []string
	requests []string
}

func (w world) String() string {
	return strings.Join(w.repos, "\n") + "\nrequests: " + strings.Join(w.requests, ", ")
}

func (w world) problem(t testing.TB) resolve.Problem {
	return resolve.Problem{
		Repositories: repositories(t, strings.Join(w.repos, "\n")), Arch: "x86_64",
		Requests: requests(t, strings.Join(w.requests, ",")),
	}
}

// always runs a property on random worlds, and reports the smallest world that breaks it.
func always(t *testing.T, rounds int, l limits, holds func(world) error) {
	t.Helper()
	for round := range rounds {
		w := randomWorld(rand.New(rand.NewPCG(*seed, uint64(round))), l)
		if err := holds(w); err != nil {
			w = w.shrink(holds)
			t.Fatalf("round %d: %v\n%s", round, holds(w), w)
		}
	}
}

// bruteForce says whether any set of packages is valid.
func bruteForce(p resolve.Problem) bool {
	var all []resolve.Chosen
	for _, r := range p.Repositories {
		for i, pkg := range r.All() {
			all = append(all, resolve.Chosen{Repository: r, Index: i, Package: pkg})
		}
	}
	for bits := range 1 << len(all) {
		s := &resolve.Solution{}
		taken := map[string]bool{}
		double := false
		for n, c := range all {
			if bits>>n&1 == 1 {
				double = double || taken[c.Package.Name]
				taken[c.Package.Name] = true
				s.Packages = append(s.Packages, c)
			}
		}
		if !double && check.Valid(context.Background(), p, s) == nil {
			return true
		}
	}
	return false
}

// TestAgainstBruteForce compares the verdict with that of trying everything.
func TestAgainstBruteForce(t *testing.T) {
	counts := map[bool]int{}
	always(t, 400, limits{names: 5, versions: 2, requests: 3, rich: true}, func(w world) error {
		p := w.problem(t)
		p.NoBest = true
		s, err := resolve.Resolve(context.Background(), p)
		can := bruteForce(p)
		counts[can]++
		var conflict *resolve.Conflict
		switch {
		case err == nil && !can:
			return fmt.Errorf("%s is an answer where there is none", names(s))
		case err == nil:
			return check.Solution(context.Background(), p, s)
		case !errors.As(err, &conflict):
			return err
		case can:
			return fmt.Errorf("no answer where there is one: %w", err)
		}
		return nil
	})
	if min(counts[true], counts[false]) < 50 {
		t.Errorf("the worlds are one-sided: %v", counts)
	}
}

// TestSolutions checks answers in larger worlds, and what must not depend on order.
func TestSolutions(t *testing.T) {
	solved := 0
	always(t, 600, limits{names: 14, versions: 3, requests: 4, rich: true, weak: true, repos: true, richConflicts: true}, func(w world) error {
		p := w.problem(t)
		s, err := resolve.Resolve(context.Background(), p)
		var conflict *resolve.Conflict
		if errors.As(err, &conflict) {
			p.Requests = conflict.Requests
			if _, err := resolve.Resolve(context.Background(), p); err == nil {
				return fmt.Errorf("the requests %v can be met, other than said", conflict.Requests)
			}
			return nil
		}
		if err != nil {
			return err
		}
		solved++
		slices.Reverse(p.Requests)
		again, err := resolve.Resolve(context.Background(), p)
		if err != nil || names(again) != names(s) {
			return fmt.Errorf("with requests turned round: %s instead of %s", names(again), names(s))
		}
		return check.Solution(context.Background(), p, s)
	})
	if solved < 100 {
		t.Errorf("only %d worlds had a solution", solved)
	}
}

// TestKeep makes newer versions appear, which must change nothing that is kept.
func TestKeep(t *testing.T) {
	solved := 0
	always(t, 400, limits{names: 10, versions: 2, requests: 3, rich: true}, func(w world) error {
		before, err := resolve.Resolve(context.Background(), w.problem(t))
		if err != nil {
			return nil //nolint:nilerr // there is nothing to keep
		}
		solved++
		for n := range 10 {
			w.repos = append(w.repos, fmt.Sprintf("p%d-9-1.noarch", n))
		}
		p := w.problem(t)
		p.Keep = keepAll(before)
		after, err := resolve.Resolve(context.Background(), p)
		if err != nil {
			return fmt.Errorf("no solution any more: %w", err)
		}
		for _, c := range after.Packages {
			if p.Keep[c.Package.Name] != c.Package.NEVRA {
				return fmt.Errorf("%s does not stay: now %s", names(before), names(after))
			}
		}
		return check.Solution(context.Background(), p, after)
	})
	if solved < 100 {
		t.Errorf("only %d worlds had a solution", solved)
	}
}

func keepAll(s *resolve.Solution) map[string]rpm.NEVRA {
	keep := map[string]rpm.NEVRA{}
	for _, c := range s.Packages {
		keep[c.Package.Name] = c.Package.NEVRA
	}
	return keep
}
