package resolve

import (
	"slices"

	"github.com/slipway-build/slipway/internal/resolve/sat"
	"github.com/slipway-build/slipway/internal/rpm"
)

// addWeak installs what is recommended by what is installed, and what supplements it, as far as that
// can be done. It says whether there was anything; then the search goes on, since new packages
// require and recommend others.
func (s *search) addWeak() (bool, error) {
	wanted, supplements := s.wanted()
	all := slices.Concat(wanted, supplements)
	slices.Sort(all)
	all = slices.Compact(all)
	switch len(all) {
	case 0:
		return false, nil
	case 1:
		return true, s.decide(all[0])
	}
	best := s.policy.best(all)
	supplements = slices.DeleteFunc(supplements, func(i id) bool { return !slices.Contains(best, i) })
	s.policy.dislikeOld(supplements)
	s.policy.preferNewerProvides(supplements)
	s.policy.preferSuggested(supplements)
	for _, i := range supplements {
		if s.sat.Value(sat.Lit(i)) != sat.Unknown {
			continue
		}
		level := s.sat.Level()
		if err := s.decide(i); err != nil || s.sat.Level() <= level {
			return true, err
		}
	}
	return true, s.addRecommended(best)
}

// addRecommended makes a choice for each recommendation of what is installed, among these packages.
func (s *search) addRecommended(among []id) error {
	for _, l := range slices.Clone(s.sat.Trail()) {
		if l < 0 {
			continue
		}
		for _, d := range s.pool.pkg(id(l)).Recommends {
			for _, ids := range s.offered(d) {
				ids = slices.DeleteFunc(ids, func(i id) bool { return !slices.Contains(among, i) })
				if len(ids) == 0 {
					continue
				}
				level := s.sat.Level()
				if err := s.install(ids); err != nil || s.sat.Level() <= level {
					return err
				}
			}
		}
	}
	return nil
}

// wanted collects what is recommended and not there, and what supplements something that is.
func (s *search) wanted() (recommended, supplements []id) {
	for _, l := range s.sat.Trail() {
		if l < 0 {
			continue
		}
		for _, d := range s.pool.pkg(id(l)).Recommends {
			for _, ids := range s.offered(d) {
				recommended = append(recommended, ids...)
			}
		}
	}
	for _, src := range s.pool.repos {
		for _, n := range src.Supplementers() {
			i := src.base + id(n) + 1
			if s.sat.Value(sat.Lit(i)) == sat.Unknown && s.pool.isUsable(i) &&
				s.policy.weak.isMet(s.pool.hintsOf(i).supplements) && !s.hasOtherVersion(i) && !s.isDoomed(i) {
				supplements = append(supplements, i)
			}
		}
	}
	return recommended, supplements
}

// hasOtherVersion says whether a package of which several versions may be installed is there already.
func (s *search) hasOtherVersion(i id) bool {
	return s.hasInstalled(s.pool.byName(s.pool.pkg(i).Name), i)
}

// offered gives the candidates of each choice that a recommendation leaves.
func (s *search) offered(d rpm.Dependency) [][]id {
	var offers [][]id
	for _, clause := range s.pool.formulaOf(d, false) {
		if ids := s.openIn(clause, nil); len(ids) > 0 {
			ids = slices.DeleteFunc(ids, s.isDoomed)
			offers = append(offers, ids)
		}
	}
	return offers
}
