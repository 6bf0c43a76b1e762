package release

import (
	"context"
	"maps"
	"slices"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// newest gives for each locked name what it shall be after a refresh: the newest package that the
// repositories of the best priority offer, or the locked one, where they have none that is newer.
func newest(locked []lock.Package, repos []*rpmrepo.Repository, arch string) map[string]rpm.NEVRA {
	keep := map[string]rpm.NEVRA{}
	for _, pkg := range locked {
		name := pkg.NEVRA.Name
		if was, done := keep[name]; !done || pkg.NEVRA.EVR.Compare(was.EVR) > 0 {
			keep[name] = pkg.NEVRA
		}
		priority := 0
		var best *rpmrepo.Package
		for _, r := range repos {
			for _, i := range r.Named(name) {
				p := r.Package(i)
				if p.IsSource() || p.Arch != arch && p.Arch != "noarch" {
					continue
				}
				if best == nil || r.Config.Priority < priority || r.Config.Priority == priority && p.EVR.Compare(best.EVR) > 0 {
					best, priority = p, r.Config.Priority
				}
			}
		}
		if best != nil && best.EVR.Compare(keep[name].EVR) > 0 {
			keep[name] = best.NEVRA
		}
	}
	return keep
}

// refreshes bounds how often refresh looks whether there is something newer still.
const refreshes = 8

// refresh resolves a problem whose Keep has what everything shall become. It is repeated on what came of it,
// as long as that changes something: refreshing twice is refreshing once.
func refresh(ctx context.Context, problem resolve.Problem, locked []lock.Package) (s *resolve.Solution, err error) {
	first := problem.Keep
	for range refreshes {
		was := s
		if s, err = forward(ctx, problem, locked); err != nil {
			return nil, err
		}
		if was != nil && slices.EqualFunc(was.Packages, s.Packages, func(a, b resolve.Chosen) bool { return a.Package.NEVRA == b.Package.NEVRA }) {
			return s, nil
		}
		locked = nil
		for _, c := range s.Packages {
			locked = append(locked, lock.Package{NEVRA: c.Package.NEVRA})
		}
		problem.Keep = newest(locked, problem.Repositories, problem.Arch)
		maps.Copy(problem.Keep, first)
	}
	return s, nil
}

// forward resolves a problem so that no package becomes older than it was locked, as long as that has a
// solution. Where the newest of what is requested cannot be installed, an older one is taken, as if
// nothing newer were known.
func forward(ctx context.Context, problem resolve.Problem, locked []lock.Package) (*resolve.Solution, error) {
	ahead := problem
	ahead.Repositories = withoutOlder(problem.Repositories, locked)
	older := ahead
	older.NoBest = true
	last := problem
	last.NoBest = true
	var first error
	for _, pr := range []resolve.Problem{ahead, older, problem, last} {
		s, err := resolve.Resolve(ctx, pr)
		if err == nil || !isConflict(err) {
			return s, err
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// withoutOlder hides the packages that are older than the locked ones, where these are on offer.
func withoutOlder(repos []*rpmrepo.Repository, locked []lock.Package) []*rpmrepo.Repository {
	oldest := map[string]rpm.NEVRA{}
	for _, pkg := range locked {
		if was, ok := oldest[pkg.NEVRA.Name]; !ok || pkg.NEVRA.EVR.Compare(was.EVR) < 0 {
			oldest[pkg.NEVRA.Name] = pkg.NEVRA
		}
	}
	oldest = offered(resolve.Problem{Repositories: repos, Keep: oldest})
	out := make([]*rpmrepo.Repository, len(repos))
	for n, r := range repos {
		hidden := map[int]bool{}
		for name, nevra := range oldest {
			for _, i := range r.Named(name) {
				hidden[i] = r.Package(i).EVR.Compare(nevra.EVR) < 0
			}
		}
		out[n] = r.Restrict(func(i int) bool { return hidden[i] })
	}
	return out
}
