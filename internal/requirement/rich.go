package requirement

import "github.com/slipway-build/slipway/internal/rpm"

// satisfyRich handles a rich dependency among the image's projects. One that only speaks of a single project's names
// (a version range such as "(x >= 1 with x < 2)") is for that project; any other goes to the solver, which sees the
// projects as packages.
func satisfyRich(d rpm.Dependency, q Requirement, needs []*Needs) (inside bool, unmet []Unmet) {
	rich, err := rpm.ParseRich(d.Name)
	if err != nil {
		return false, nil
	}
	names := map[string]bool{}
	if !rangeNames(rich, names) || len(names) != 1 {
		return false, nil
	}
	for name := range names {
		provider, has := provided(name, needs)
		if provider == nil {
			return false, nil
		}
		for _, p := range has {
			if richHolds(rich, p) {
				return true, nil
			}
		}
		return true, []Unmet{{Requirement: q, Provider: provider.label(), Has: has}}
	}
	return false, nil
}

// rangeNames collects the names in a tree of with, and, or; it returns false for other operators.
func rangeNames(r *rpm.Rich, names map[string]bool) bool {
	switch r.Op {
	case rpm.RichDep:
		names[r.Dep.Name] = true
		return true
	case rpm.RichWith, rpm.RichAnd, rpm.RichOr:
		return rangeNames(r.Left, names) && rangeNames(r.Right, names)
	default:
		return false
	}
}

// richHolds says whether one provide meets a tree of with, and, or.
func richHolds(r *rpm.Rich, p rpm.Dependency) bool {
	switch r.Op {
	case rpm.RichDep:
		return r.Dep.MatchedBy(p)
	case rpm.RichOr:
		return richHolds(r.Left, p) || richHolds(r.Right, p)
	default:
		return richHolds(r.Left, p) && richHolds(r.Right, p)
	}
}
