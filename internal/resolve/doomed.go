package resolve

import (
	"slices"

	"github.com/slipway-build/slipway/internal/resolve/sat"
)

// withoutDoomed leaves out candidates that cannot be installed as things stand: libsolv, which makes
// all clauses beforehand, would know by now that they are false. They must not make another candidate
// look worse than it is. If there are no others, they stay, and the solver finds out.
func (s *search) withoutDoomed(ids []id) []id {
	doomed := 0
	for _, i := range ids {
		if s.isDoomed(i) {
			doomed++
		}
	}
	if doomed == 0 || doomed == len(ids) {
		return ids
	}
	return slices.DeleteFunc(ids, s.isDoomed)
}

// isDoomed says whether a package requires what cannot be had any more, or is at odds with one that
// is installed. What installed packages have against it the solver knows already.
func (s *search) isDoomed(i id) bool {
	rules := s.pool.rulesOf(i)
	for n := range rules.requires {
		r := &rules.requires[n]
		if r.dep.IsRich() {
			if slices.ContainsFunc(r.formula, s.isFalse) {
				return true
			}
		} else if s.noneLeft(r.ids) {
			return true
		}
	}
	for n := range rules.conflicts {
		if s.hasInstalled(rules.conflicts[n].ids, i) { // none of a rich one
			return true
		}
	}
	for n := range rules.obsoletes {
		if s.hasInstalled(rules.obsoletes[n].ids, i) {
			return true
		}
	}
	return false
}

func (s *search) isFalse(clause []sat.Lit) bool {
	return !slices.ContainsFunc(clause, func(l sat.Lit) bool { return s.sat.Value(l) != sat.False })
}

func (s *search) noneLeft(ids []id) bool {
	for _, i := range ids {
		if s.sat.Value(sat.Lit(i)) != sat.False {
			return false
		}
	}
	return true
}

func (s *search) hasInstalled(ids []id, but id) bool {
	for _, i := range ids {
		if i != but && s.sat.Value(sat.Lit(i)) == sat.True {
			return true
		}
	}
	return false
}
