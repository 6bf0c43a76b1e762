package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/requirement"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// NotLockedError says that packages which shall be updated are not in the lock.
type NotLockedError struct{ Names []string }

func (e *NotLockedError) Error() string {
	return fmt.Sprintf("%s has no package %s that these images need: names are those of RPMs, as the lock has them",
		lock.FileName, strings.Join(e.Names, ", "))
}

// check wants every name of Only in one of the roots that are locked.
func (o LockOptions) check(n *Needs, old *lock.Lock) error {
	var unknown []string
	for _, name := range o.Only {
		known := slices.ContainsFunc(n.Targets, func(tn TargetNeeds) bool {
			return old != nil && old.Target(tn.Target) != nil && slices.ContainsFunc(tn.Roots, func(root *requirement.Merged) bool {
				return hasPackage(old.Target(tn.Target).Root(root.Image), name)
			})
		})
		if !known {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return &NotLockedError{Names: unknown}
	}
	return nil
}

func hasPackage(packages []lock.Package, name string) bool {
	return slices.ContainsFunc(packages, func(p lock.Package) bool { return p.NEVRA.Name == name })
}

// concerns says whether a target is locked anew even if its needs are the same.
func (o LockOptions) concerns(t *lock.Target) bool {
	if len(o.Only) == 0 {
		return o.Update || o.Refresh
	}
	return o.Update && slices.ContainsFunc(o.Only, func(name string) bool { return hasPackage(t.Packages, name) })
}

// moves says whether a package is free to be another version.
func (o LockOptions) moves(name string) bool {
	return o.Update && (len(o.Only) == 0 || slices.Contains(o.Only, name))
}

// keep gives, by name, which packages a target shall have again.
func (o LockOptions) keep(old *lock.Target, repos []*rpmrepo.Repository, arch string) map[string]rpm.NEVRA {
	if o.Refresh {
		return newest(old.Packages, repos, arch)
	}
	keep := map[string]rpm.NEVRA{}
	for _, pkg := range old.Packages {
		if !o.moves(pkg.NEVRA.Name) {
			keep[pkg.NEVRA.Name] = pkg.NEVRA
		}
	}
	return keep
}

// resolve resolves a problem whose Keep has no package that moves. Preferring what is kept would hold
// back a package that moves where its new version needs a new version of another one. So the new
// versions are found first, as if everything could move, and then only they are offered.
func (o LockOptions) resolve(ctx context.Context, problem resolve.Problem, old *lock.Target) (*resolve.Solution, error) {
	switch {
	case o.Refresh:
		return refresh(ctx, problem, old.Packages)
	case !o.Update, len(o.Only) == 0:
		return minimal(ctx, problem)
	}
	free := problem
	free.Keep = nil
	newest, err := resolve.Resolve(ctx, free)
	if err != nil {
		return nil, err
	}
	repos := slices.Clone(problem.Repositories)
	for _, c := range newest.Packages {
		if !slices.Contains(o.Only, c.Package.Name) {
			continue
		}
		for i, r := range repos {
			repos[i] = offerOnly(r, c.Package)
		}
	}
	problem.Repositories = repos
	return minimal(ctx, problem)
}

// offerOnly hides the other versions of a package.
func offerOnly(r *rpmrepo.Repository, pkg *rpmrepo.Package) *rpmrepo.Repository {
	hidden := map[int]bool{}
	for _, i := range r.Named(pkg.Name) {
		hidden[i] = r.Package(i).NEVRA != pkg.NEVRA
	}
	return r.Restrict(func(i int) bool { return hidden[i] })
}
