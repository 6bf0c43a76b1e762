package release

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// minimal resolves a problem so that what is kept of Keep could not be more: for one more package to stay,
// another one would have to move.
//
// The solver itself prefers what is kept wherever it chooses, which mostly is all there is to do. But what
// it chose first may be in the way of what it meets later. So where it moved something, it is asked again
// with only the kept versions on offer, and if that has no solution, once more for each package that it
// moved, in the order of names.
func minimal(ctx context.Context, problem resolve.Problem) (*resolve.Solution, error) {
	s, err := resolve.Resolve(ctx, problem)
	if err != nil || len(problem.Keep) == 0 {
		return s, err
	}
	pins := offered(problem)
	gone := moved(s, pins)
	if len(gone) == 0 {
		return s, nil
	}
	if all, err := resolve.Resolve(ctx, pinned(problem, pins)); err == nil || !isConflict(err) {
		return all, err
	}
	held := maps.Clone(pins)
	for _, name := range gone {
		delete(held, name)
	}
	for _, name := range gone {
		held[name] = pins[name]
		back, err := resolve.Resolve(ctx, pinned(problem, held))
		switch {
		case err == nil:
			s = back
		case isConflict(err):
			delete(held, name)
		default:
			return nil, err
		}
	}
	return s, nil
}

func isConflict(err error) bool {
	_, ok := errors.AsType[*resolve.Conflict](err)
	return ok
}

// offered are the packages to keep that a repository still has, by name.
func offered(problem resolve.Problem) map[string]rpm.NEVRA {
	pins := map[string]rpm.NEVRA{}
	for name, nevra := range problem.Keep {
		for _, r := range problem.Repositories {
			if slices.ContainsFunc(r.Named(name), func(i int) bool { return r.Package(i).NEVRA == nevra }) {
				pins[name] = nevra
			}
		}
	}
	return pins
}

// pinned hides all other versions of the names that have a pin.
func pinned(problem resolve.Problem, pins map[string]rpm.NEVRA) resolve.Problem {
	repos := make([]*rpmrepo.Repository, len(problem.Repositories))
	for n, r := range problem.Repositories {
		hidden := map[int]bool{}
		for name, nevra := range pins {
			for _, i := range r.Named(name) {
				if r.Package(i).NEVRA != nevra {
					hidden[i] = true
				}
			}
		}
		repos[n] = r
		if len(hidden) > 0 {
			repos[n] = r.Restrict(func(i int) bool { return hidden[i] })
		}
	}
	problem.Repositories = repos
	return problem
}

// moved lists the names, sorted, of the packages of a solution that are not what their pin says.
func moved(s *resolve.Solution, pins map[string]rpm.NEVRA) []string {
	var names []string
	for _, c := range s.Packages {
		if pin, ok := pins[c.Package.Name]; ok && pin != c.Package.NEVRA {
			names = append(names, c.Package.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
