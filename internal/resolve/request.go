package resolve

import (
	"cmp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/resolve/sat"
	"github.com/slipway-build/slipway/internal/rpm"
)

// ask is a request, with all that made it.
type ask struct {
	dep  rpm.Dependency
	from []Request
}

// asksOf merges equal requests and sorts them, so that their order does not matter.
func asksOf(requests []Request) []ask {
	sorted := slices.Clone(requests)
	slices.SortStableFunc(sorted, func(a, b Request) int {
		return cmp.Or(
			strings.Compare(a.Dependency.String(), b.Dependency.String()),
			strings.Compare(a.Origin, b.Origin),
			strings.Compare(a.Label, b.Label))
	})
	var asks []ask
	for _, r := range sorted {
		if n := len(asks); n > 0 && plain(asks[n-1].dep) == plain(r.Dependency) {
			asks[n-1].from = append(asks[n-1].from, r)
			continue
		}
		asks = append(asks, ask{dep: r.Dependency, from: []Request{r}})
	}
	return asks
}

// formula says what a request asks for.
func (p *pool) requested(d rpm.Dependency) formula {
	if d.IsRich() || d.Sense&rpm.RangeMask != 0 || d.IsPath() {
		return p.formulaOf(d, false)
	}
	if isFeature(d) {
		return always
	}
	for _, i := range p.whoProvides(d) { // an internal project comes before any package
		if p.virtual(i) != nil {
			return oneOf([]id{i}, false)
		}
	}
	if ids := p.byName(d.Name); len(ids) > 0 {
		return oneOf(p.withObsoleters(ids), false)
	}
	if ids := p.byBuild(d.Name); len(ids) > 0 {
		return oneOf(ids, false)
	}
	return oneOf(p.whoProvides(d), false)
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

// byBuild gives the packages that the text names more exactly: as NEVRA, name.arch,
// name-version-release or name-version, as far as they exist, tried in this order.
func (p *pool) byBuild(text string) []id {
	name, arch, found := cutLast(text, ".")
	forms := []func() []id{
		func() []id { return p.builds(name, arch, 2) },
		func() []id { return p.ofArch(p.byName(name), arch) },
		func() []id { return p.builds(text, "", 2) },
		func() []id { return p.builds(text, "", 1) },
	}
	if !found {
		forms = forms[2:]
	}
	for _, form := range forms {
		if ids := form(); len(ids) > 0 {
			return ids
		}
	}
	return nil
}

// builds reads text as name-version-release (parts is 2) or name-version (1), with an optional
// epoch before the version.
func (p *pool) builds(text, arch string, parts int) []id {
	name, evr := text, ""
	for range parts {
		before, after, found := cutLast(name, "-")
		if !found {
			return nil
		}
		name, evr = before, strings.TrimSuffix(after+"-"+evr, "-")
	}
	want, err := rpm.ParseEVR(evr)
	if err != nil {
		return nil
	}
	epoch := strings.Contains(evr, ":")
	var ids []id
	for _, i := range p.ofArch(p.byName(name), arch) {
		has := p.pkg(i).EVR
		if (!epoch || has.Epoch == want.Epoch) && has.Version == want.Version &&
			(parts == 1 || has.Release == want.Release) {
			ids = append(ids, i)
		}
	}
	return ids
}

// ofArch keeps the packages of an architecture; "" is any.
func (p *pool) ofArch(ids []id, arch string) []id {
	if arch == "" {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), func(i id) bool { return p.pkg(i).Arch != arch })
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// addRequests adds the clauses of all requests, then, unless NoBest is set, those which hold each
// request to the best candidates there are for it.
func (s *search) addRequests() {
	for n, a := range s.asks {
		for _, clause := range s.pool.requested(a.dep) {
			s.jobs = append(s.jobs, s.add(rule{kind: ruleRequest, request: n, dep: a.dep}, clause...))
		}
	}
	s.fixed = append(s.fixed, s.jobs...)
	if s.noBest {
		return
	}
	for _, job := range s.jobs {
		lits := s.sat.Literals(job)
		ids := candidates(lits)
		best := s.policy.best(slices.Clone(ids))
		if len(best) == len(ids) {
			continue
		}
		clause := slices.DeleteFunc(slices.Clone(lits), func(l sat.Lit) bool { return l > 0 })
		for _, i := range s.policy.keptOf(ids) {
			clause = append(clause, sat.Lit(i))
		}
		for _, i := range best {
			clause = append(clause, sat.Lit(i))
		}
		slices.Sort(clause)
		r := s.rules[job]
		r.kind = ruleBest
		s.fixed = append(s.fixed, s.add(r, slices.Compact(clause)...))
	}
}

// candidates are the packages that a clause offers.
func candidates(lits []sat.Lit) []id {
	var ids []id
	for _, l := range lits {
		if l > 0 {
			ids = append(ids, id(l))
		}
	}
	return ids
}
