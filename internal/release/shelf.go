package release

import (
	"cmp"
	"context"
	"slices"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// shelf is what a target's repositories have.
type shelf struct {
	repositories []*rpmrepo.Repository
	arch         string
}

// offer is a package that has something of what is asked for.
type offer struct {
	repository *rpmrepo.Repository
	pkg        *rpmrepo.Package
	version    rpm.EVR // under the name asked for; zero where the provide has none
}

// offers are the packages that meet a dependency.
type offers map[*rpmrepo.Package]offer

// cell looks for a package that meets all requests.
func (s *shelf) cell(ctx context.Context, requests []rpm.Dependency) (Cell, error) {
	c := Cell{State: CellFit, Needs: ranges(requests)}
	var fit offers
	for i, d := range requests {
		met, err := s.meet(ctx, tree(d))
		if err != nil {
			return c, err
		}
		if i == 0 {
			fit = met
		} else {
			fit = fit.both(met)
		}
	}
	if best, ok := fit.best(); ok {
		c.Package, c.Repository, c.Has = best.pkg.NEVRA, best.repository.Config.ID, version(best.version)
		return c, nil
	}
	return s.lacking(ctx, requests, c)
}

// lacking says why no package meets the requests.
func (s *shelf) lacking(ctx context.Context, requests []rpm.Dependency, c Cell) (Cell, error) {
	all := offers{}
	var asked []rpm.Dependency
	for _, d := range requests {
		for _, leaf := range leaves(tree(d)) {
			asked = append(asked, leaf)
			some, err := s.meet(ctx, tree(rpm.Dependency{Name: leaf.Name}))
			if err != nil {
				return c, err
			}
			all = all.either(some)
		}
	}
	best, ok := all.best()
	if !ok {
		c.State = CellMissing
		return c, nil
	}
	c.Has = cmp.Or(version(best.version), version(best.pkg.EVR))
	c.State = CellUnfit
	have := rpm.Dependency{Sense: rpm.Equal, EVR: best.version}
	for _, leaf := range asked {
		have.Name = leaf.Name
		switch {
		case leaf.Operator() == "" || best.version.IsZero() || leaf.MatchedBy(have):
		case leaf.Sense&rpm.Less == 0 && best.version.Compare(leaf.EVR) <= 0:
			c.State = CellTooOld
			return c, nil
		case leaf.Sense&rpm.Greater == 0 && best.version.Compare(leaf.EVR) >= 0:
			c.State = CellTooNew
		}
	}
	return c, nil
}

// meet finds the packages that meet a dependency by themselves. Of an "if" only what it asks for
// counts: whether its condition will hold is not known.
func (s *shelf) meet(ctx context.Context, r *rpm.Rich) (offers, error) {
	if r.Op == rpm.RichDep {
		return s.providers(ctx, r.Dep)
	}
	left, err := s.meet(ctx, r.Left)
	if err != nil || r.Op == rpm.RichIf || r.Op == rpm.RichUnless {
		return left, err
	}
	right, err := s.meet(ctx, r.Right)
	if err != nil {
		return nil, err
	}
	switch r.Op {
	case rpm.RichWith:
		return left.both(right), nil
	case rpm.RichWithout:
		return left.without(right), nil
	case rpm.RichAnd:
		if len(left) == 0 || len(right) == 0 {
			return nil, nil
		}
		return left.either(right), nil
	default: // or
		return left.either(right), nil
	}
}

// providers finds the packages that provide a name, or hold a file of it.
func (s *shelf) providers(ctx context.Context, d rpm.Dependency) (offers, error) {
	found := offers{}
	for _, r := range s.repositories {
		for _, p := range r.Providers(d.Name) {
			if d.MatchedBy(p.Entry) {
				s.add(found, r, p.Package, p.Entry.EVR)
			}
		}
		if !d.IsPath() {
			continue
		}
		files, err := r.FilePackages(ctx, d.Name)
		if err != nil {
			return nil, err
		}
		for _, i := range files {
			s.add(found, r, i, rpm.EVR{})
		}
	}
	return found, nil
}

// add adds a package that the target's architecture can install, with the highest version of what it
// provides.
func (s *shelf) add(found offers, r *rpmrepo.Repository, i int, version rpm.EVR) {
	pkg := r.Package(i)
	if pkg.IsSource() || pkg.Arch != s.arch && pkg.Arch != "noarch" {
		return
	}
	if have, ok := found[pkg]; !ok || have.version.Compare(version) < 0 {
		found[pkg] = offer{repository: r, pkg: pkg, version: version}
	}
}

func (o offers) both(other offers) offers {
	out := offers{}
	for pkg, of := range o {
		if _, ok := other[pkg]; ok {
			out[pkg] = of
		}
	}
	return out
}

func (o offers) either(other offers) offers {
	out := offers{}
	for pkg, of := range other {
		out[pkg] = of
	}
	for pkg, of := range o {
		out[pkg] = of
	}
	return out
}

func (o offers) without(other offers) offers {
	out := offers{}
	for pkg, of := range o {
		if _, ok := other[pkg]; !ok {
			out[pkg] = of
		}
	}
	return out
}

// best is the highest version of the repositories of the best priority.
func (o offers) best() (offer, bool) {
	list := make([]offer, 0, len(o))
	for _, of := range o {
		list = append(list, of)
	}
	if len(list) == 0 {
		return offer{}, false
	}
	return slices.MinFunc(list, func(a, b offer) int {
		return cmp.Or(cmp.Compare(a.repository.Config.Priority, b.repository.Config.Priority),
			b.version.Compare(a.version), b.pkg.EVR.Compare(a.pkg.EVR), cmp.Compare(a.pkg.NEVRA.String(), b.pkg.NEVRA.String()),
			cmp.Compare(a.repository.Config.ID, b.repository.Config.ID))
	}), true
}
