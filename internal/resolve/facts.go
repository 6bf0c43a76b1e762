package resolve

import (
	"slices"

	"github.com/slipway-build/slipway/internal/rpm"
)

// packageRules is what follows from a package being installed.
type packageRules struct {
	requires  []requirement
	conflicts []requirement // of a rich one, the formula is its opposite
	obsoletes []requirement // the packages that go by that name
	same      []id          // other versions, of which none can be beside it
}

// packageHints are the weak dependencies of a package.
type packageHints struct {
	recommends, suggests  []requirement
	supplements, enhances []*condition
}

// requirement is a dependency with what meets it: packages, or a formula where it is rich.
type requirement struct {
	dep     rpm.Dependency
	ids     []id
	formula formula
	text    string // see says
}

func (p *pool) requirement(d rpm.Dependency) requirement {
	if d.IsRich() {
		return requirement{dep: d, formula: p.formulaOf(d, false)}
	}
	return requirement{dep: d, ids: p.whoProvides(d)}
}

// says is the dependency as a person reads it, without what does not change who meets it.
func (r *requirement) says() string {
	if r.text == "" {
		r.text = plain(r.dep).String()
	}
	return r.text
}

// rulesOf finds out once what a package of a repository demands.
func (p *pool) rulesOf(i id) *packageRules {
	if known := p.rules[i]; known != nil {
		return known
	}
	pkg := p.pkg(i)
	r := &packageRules{requires: p.requirementsOf(pkg.Requires)}
	for _, d := range pkg.Conflicts {
		c := requirement{dep: d}
		if d.IsRich() {
			c.formula = p.formulaOf(d, true)
		} else {
			c.ids = p.whoProvides(d)
		}
		r.conflicts = append(r.conflicts, c)
	}
	multi := p.installOnly(i)
	for _, d := range pkg.Obsoletes {
		if ids := p.nameMatching(d); len(ids) > 0 {
			r.obsoletes = append(r.obsoletes, requirement{dep: d, ids: ids})
		}
	}
	for _, other := range p.byName(pkg.Name) {
		if other != i && !(multi && p.installOnly(other) && pkg.NEVRA != p.pkg(other).NEVRA) {
			r.same = append(r.same, other)
		}
	}
	if p.err == nil {
		p.rules[i] = r
	}
	return r
}

// requirementsOf lists what is required, each thing once, without features of the installer.
func (p *pool) requirementsOf(deps []rpm.Dependency) []requirement {
	list := make([]requirement, 0, len(deps))
	for n, d := range deps {
		if !isFeature(d) && !repeats(deps[:n], d) {
			list = append(list, p.requirement(d))
		}
	}
	return list
}

// repeats says whether a list has the dependency already; lists often repeat one for a scriptlet.
func repeats(list []rpm.Dependency, d rpm.Dependency) bool {
	return slices.ContainsFunc(list, func(e rpm.Dependency) bool { return e.Name == d.Name && plain(e) == plain(d) })
}

// noHints are those of most packages.
var noHints packageHints

// hintsOf finds out once what a package hints at.
func (p *pool) hintsOf(i id) *packageHints {
	if known := p.hints[i]; known != nil {
		return known
	}
	pkg, h := p.pkg(i), &noHints
	if len(pkg.Recommends)+len(pkg.Suggests)+len(pkg.Supplements)+len(pkg.Enhances) > 0 {
		h = &packageHints{}
		for _, d := range pkg.Recommends {
			h.recommends = append(h.recommends, p.requirement(d))
		}
		for _, d := range pkg.Suggests {
			h.suggests = append(h.suggests, p.requirement(d))
		}
		for _, d := range pkg.Supplements {
			h.supplements = append(h.supplements, p.conditionOf(d))
		}
		for _, d := range pkg.Enhances {
			h.enhances = append(h.enhances, p.conditionOf(d))
		}
	}
	if p.err == nil {
		p.hints[i] = h
	}
	return h
}
