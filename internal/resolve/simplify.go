package resolve

import (
	"slices"

	"github.com/slipway-build/slipway/internal/resolve/sat"
)

// sortIn puts the choices that came up since the last call where they belong. The places given are
// moved along.
func (s *search) sortIn(places ...*int) {
	for ; s.scanned < s.sat.Clauses(); s.scanned++ {
		c := sat.Clause(s.scanned)
		if s.sat.Learned(c) && positives(s.sat.Literals(c)) > 1 {
			s.learned = append(s.learned, c)
		}
	}
	if len(s.fresh) == 0 {
		return
	}
	order := func(a, b sat.Clause) int { return slices.Compare(s.sat.Literals(a), s.sat.Literals(b)) }
	slices.SortFunc(s.fresh, order)
	merged := make([]sat.Clause, 0, len(s.choices)+len(s.fresh))
	moved := make([]int, 0, len(s.choices)) // by old place
	for _, c := range s.choices {
		for len(s.fresh) > 0 && order(s.fresh[0], c) < 0 {
			merged = append(merged, s.fresh[0])
			s.fresh = s.fresh[1:]
		}
		moved = append(moved, len(merged))
		merged = append(merged, c)
	}
	merged = append(merged, s.fresh...)
	for _, place := range places {
		switch {
		case *place >= len(moved):
			*place += len(merged) - len(moved)
		case *place >= 0:
			*place = moved[*place]
		}
	}
	s.choices, s.fresh = merged, nil
}

// simplify takes back one choice that turned out superfluous: another candidate of it was installed
// later anyway, or has come to be recommended while the chosen one is not. Of several such choices
// it takes the earliest. It says whether there was one; then the search goes on from there.
func (s *search) simplify() (bool, error) {
	which, candidate := -1, 0
	for n := len(s.branches) - 1; n >= 0; n-- {
		if c := s.better(&s.branches[n]); c >= 0 {
			which, candidate = n, c
		}
	}
	if which < 0 {
		return false, nil
	}
	s.branches = s.branches[:which+1]
	b := &s.branches[which]
	b.tried[candidate] = true
	s.sat.Backtrack(b.level)
	s.policy.weak.reset()
	return true, s.decide(b.ids[candidate])
}

// better finds the candidate that should be taken in place of the chosen one, or -1. Each candidate
// is tried once, so this comes to an end.
func (s *search) better(b *branch) int {
	recommended := -1
	for n, i := range b.ids {
		if b.tried[n] {
			continue
		}
		if s.policy.weak.installed(i) && s.sat.LevelOf(int(i)) > b.level {
			return n
		}
		if recommended < 0 && s.policy.weak.isRecommended(i) {
			recommended = n
		}
	}
	if recommended < 0 {
		return -1
	}
	for n, i := range b.ids {
		if b.tried[n] && s.policy.weak.installed(i) && s.sat.LevelOf(int(i)) == b.level+1 &&
			!s.policy.weak.isRecommended(i) {
			return recommended
		}
	}
	return -1
}
