package resolve

import (
	"slices"
	"sort"

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
	// From the back, each new one where it belongs: behind those that are equal.
	old, end := len(s.choices), len(s.choices)+len(s.fresh)
	moved := make([]int, len(places))
	s.choices = slices.Grow(s.choices, len(s.fresh))[:end]
	for n := len(s.fresh) - 1; n >= 0; n-- {
		fresh := s.fresh[n]
		at := sort.Search(old, func(i int) bool { return order(s.choices[i].clause, fresh) > 0 })
		copy(s.choices[at+n+1:end], s.choices[at:old])
		s.choices[at+n] = choice{clause: fresh}
		for k, place := range places {
			if *place >= at {
				moved[k]++
			}
		}
		old, end = at, at+n
	}
	for k, place := range places {
		*place += moved[k]
	}
	s.fresh = s.fresh[:0]
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
