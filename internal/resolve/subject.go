package resolve

import (
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// requested says what a request asks for, in the order in which dnf reads an argument (libdnf,
// Query::filterSubject, and dnf's subject.py): as the name of a package with or without version and
// architecture, then as something that is provided, then as a path. Of a pattern, each package name
// that fits is asked for; of a pattern of paths, one of the packages.
func (p *pool) requested(d rpm.Dependency) formula {
	switch {
	case d.IsRich():
		return p.formulaOf(d, false)
	case isFeature(d):
		return always
	}
	for _, i := range p.whoProvides(d) { // an internal project comes before any package
		if p.virtual(i) != nil {
			return oneOf([]id{i}, false)
		}
	}
	if d.Sense&rpm.RangeMask == 0 {
		for _, s := range rpm.Subjects(d.Name) {
			if f := p.packagesOf(s, d.Name); len(f) > 0 {
				return f
			}
		}
	}
	if d.IsPath() {
		return oneOf(p.withPath(d), false)
	}
	if ids := p.whoProvides(d); len(ids) > 0 || !rpm.IsGlob(d.Name) {
		return oneOf(ids, false)
	}
	if f := p.perName(p.providing(d), false); len(f) > 0 {
		return f
	}
	return never
}

// packagesOf gives the formula of a reading that fits some packages, else an empty one.
func (p *pool) packagesOf(s rpm.Subject, text string) formula {
	var ids []id
	if !rpm.IsGlob(text) {
		for _, i := range p.byName(s.Name) {
			if s.Matches(p.pkg(i).NEVRA) {
				ids = append(ids, i)
			}
		}
		if len(ids) == 0 {
			return nil
		}
		if s.JustName() {
			ids = p.withObsoleters(ids)
		}
		return oneOf(ids, false)
	}
	for _, name := range p.namesLike(s.Name) {
		for _, i := range p.byName(name) {
			if s.Matches(p.pkg(i).NEVRA) {
				ids = append(ids, i)
			}
		}
	}
	slices.Sort(ids)
	groups := p.perName(ids, rpm.IsGlob(s.Arch))
	if !s.JustName() && !rpm.IsGlob(s.Arch) {
		return groups
	}
	f := make(formula, len(groups))
	for n, group := range groups {
		f[n] = oneOf(p.withObsoleters(candidates(group)), false)[0]
	}
	return f
}

// perName asks for one package of each name, in order of the first package; or of each name and
// architecture, as dnf does when a pattern has a say in the architecture.
func (p *pool) perName(ids []id, andArch bool) formula {
	var order []string
	groups := map[string][]id{}
	for _, i := range ids {
		pkg := p.pkg(i)
		key := pkg.Name
		if andArch {
			key += "." + pkg.Arch
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], i)
	}
	f := formula{}
	for _, key := range order {
		f = append(f, oneOf(groups[key], false)...)
	}
	return f
}

// namesLike lists the names of packages that fit a pattern, each once.
func (p *pool) namesLike(pattern string) []string {
	found := map[string]bool{}
	for _, src := range p.repos {
		for name := range src.Names() {
			if rpm.Glob(pattern, name) {
				found[name] = true
			}
		}
	}
	for n := range p.virtuals {
		if name := p.virtuals[n].Name; rpm.Glob(pattern, name) {
			found[name] = true
		}
	}
	return sortedKeys(found)
}

// providing gives the packages that provide what fits the pattern in a dependency's name, in its
// range.
func (p *pool) providing(d rpm.Dependency) []id {
	// What stands in brackets within parentheses are extras of Python, not a set: x[socks].
	pattern := d.Name
	if open := strings.IndexByte(pattern, '('); open >= 0 {
		pattern = pattern[:open] + strings.ReplaceAll(pattern[open:], "[", `\[`)
	}
	found := map[string]bool{}
	for _, src := range p.repos {
		for name := range src.ProvidedNames() {
			if !found[name] && rpm.Glob(pattern, name) {
				found[name] = true
			}
		}
	}
	for _, name := range p.namesLike(pattern) {
		found[name] = true
	}
	var ids []id
	for name := range found {
		one := d
		one.Name = name
		ids = append(ids, p.provided(one)...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// withObsoleters adds the packages that obsolete one of these.
func (p *pool) withObsoleters(ids []id) []id {
	all := slices.Clone(ids)
	for _, i := range ids {
		this := itself(p.pkg(i))
		for _, src := range p.repos {
			for _, o := range src.Obsoleters(this.Name) {
				if by := src.base + id(o.Package) + 1; o.Entry.MatchedBy(this) && p.isUsable(by) {
					all = append(all, by)
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
