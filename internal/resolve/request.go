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
	dep   rpm.Dependency
	from  []Request
	means formula // what is to hold, once addRequests looked it up
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

// addRequests adds the clauses of all requests, then, unless NoBest is set, those which hold each
// request to the best candidates there are for it.
func (s *search) addRequests() {
	for n := range s.asks {
		a := &s.asks[n]
		a.means = s.pool.requested(a.dep)
		for _, clause := range a.means {
			s.jobs = append(s.jobs, s.add(rule{kind: ruleRequest, request: n, because: &a.dep}, clause...))
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
