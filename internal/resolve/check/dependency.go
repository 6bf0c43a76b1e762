package check

import (
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// self is what each package provides without saying so.
func self(pkg *rpmrepo.Package) rpm.Dependency {
	return rpm.Dependency{Name: pkg.Name, Sense: rpm.Equal, EVR: pkg.EVR}
}

// meets says whether one package meets a plain dependency.
func (m member) meets(d rpm.Dependency) bool {
	if d.MatchedBy(self(m.pkg)) || slices.ContainsFunc(m.pkg.Provides, d.MatchedBy) {
		return true
	}
	return d.IsPath() && slices.Contains(m.files, d.Name)
}

// leaves gives the plain dependencies that a dependency is made of.
func leaves(d rpm.Dependency) []rpm.Dependency {
	if !d.IsRich() {
		return []rpm.Dependency{d}
	}
	r, err := rpm.ParseRich(d.Name)
	if err != nil {
		return nil
	}
	var found []rpm.Dependency
	todo := []*rpm.Rich{r}
	for len(todo) > 0 {
		r, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if r == nil {
			continue
		}
		if r.Op == rpm.RichDep {
			found = append(found, r.Dep)
		}
		todo = append(todo, r.Left, r.Right, r.Else)
	}
	return found
}

// met says whether the solution, without one package, meets a dependency.
func (c *checker) met(d rpm.Dependency, but *rpmrepo.Package) bool {
	if !d.IsRich() {
		return c.metPlain(d, but)
	}
	r, err := rpm.ParseRich(d.Name)
	return err == nil && c.metRich(r, but)
}

func (c *checker) metPlain(d rpm.Dependency, but *rpmrepo.Package) bool {
	if strings.HasPrefix(d.Name, "rpmlib(") {
		return true
	}
	return slices.ContainsFunc(c.holders[d.Name], func(i int) bool { return c.all[i].pkg != but && c.all[i].meets(d) })
}

// metRich evaluates a rich dependency as rpm does (rpm documentation, "Boolean dependencies"; rpm's
// lib/depends.c gives the meaning of unless: "A and not B", with else "(A and not B) or (C and B)").
func (c *checker) metRich(r *rpm.Rich, but *rpmrepo.Package) bool {
	switch r.Op {
	case rpm.RichAnd:
		return c.metRich(r.Left, but) && c.metRich(r.Right, but)
	case rpm.RichOr:
		return c.metRich(r.Left, but) || c.metRich(r.Right, but)
	case rpm.RichIf, rpm.RichUnless:
		condition, met := c.metRich(r.Right, but), r.Op == rpm.RichIf
		if condition == (r.Op == rpm.RichIf) {
			return c.metRich(r.Left, but)
		}
		if r.Else != nil {
			met = c.metRich(r.Else, but)
		}
		return met
	case rpm.RichWith, rpm.RichWithout:
		return slices.ContainsFunc(c.all, func(m member) bool { return m.pkg != but && m.is(r) })
	default:
		return c.metPlain(r.Dep, but)
	}
}

// is says whether one package alone is what an operand of "with" or "without" describes.
func (m member) is(r *rpm.Rich) bool {
	switch r.Op {
	case rpm.RichDep:
		return m.meets(r.Dep)
	case rpm.RichOr:
		return m.is(r.Left) || m.is(r.Right)
	case rpm.RichWith:
		return m.is(r.Left) && m.is(r.Right)
	case rpm.RichWithout:
		return m.is(r.Left) && !m.is(r.Right)
	default:
		return false
	}
}
