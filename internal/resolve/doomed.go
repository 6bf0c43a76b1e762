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
	pkg := s.pool.pkg(i)
	for _, r := range s.pool.requirements(i) {
		if r.dep.IsRich() {
			if slices.ContainsFunc(r.formula, s.isFalse) {
				return true
			}
		} else if s.noneLeft(r.ids) {
			return true
		}
	}
	for _, d := range pkg.Conflicts {
		if !d.IsRich() && s.hasInstalled(s.pool.whoProvides(d), i) {
			return true
		}
	}
	if len(pkg.Obsoletes) > 0 && !s.pool.installOnly(i) {
		for _, d := range pkg.Obsoletes {
			if s.hasInstalled(s.pool.nameMatching(d), i) {
				return true
			}
		}
	}
	return false
}

func (s *search) isFalse(clause []sat.Lit) bool {
	return !slices.ContainsFunc(clause, func(l sat.Lit) bool { return s.sat.Value(l) != sat.False })
}

func (s *search) noneLeft(ids []id) bool {
	return !slices.ContainsFunc(ids, func(i id) bool { return s.sat.Value(sat.Lit(i)) != sat.False })
}

func (s *search) hasInstalled(ids []id, but id) bool {
	return slices.ContainsFunc(ids, func(i id) bool { return i != but && s.sat.Value(sat.Lit(i)) == sat.True })
}
