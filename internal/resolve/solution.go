package resolve

import (
	"cmp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// solution reads the answer from the solver.
func (s *search) solution() *Solution {
	var ids []id
	for _, l := range s.sat.Trail() {
		if l > 0 && s.pool.virtual(id(l)) == nil {
			ids = append(ids, id(l))
		}
	}
	slices.SortFunc(ids, func(a, b id) int {
		return cmp.Or(s.pool.pkg(a).NEVRA.Compare(s.pool.pkg(b).NEVRA), cmp.Compare(a, b))
	})
	reasons := s.reasons()
	solution := &Solution{}
	for _, i := range ids {
		src, n := s.pool.source(i)
		solution.Packages = append(solution.Packages, Chosen{
			Repository: src.Repository, Index: n, Package: s.pool.pkg(i), Why: reasons[i],
		})
	}
	return solution
}

// reasons says for each installed package what needs it.
func (s *search) reasons() map[id][]Why {
	reasons := map[id][]Why{}
	for _, a := range s.asks {
		for _, i := range s.meeting(s.pool.requested(a.dep)) {
			for _, r := range a.from {
				reasons[i] = append(reasons[i], Why{
					Dependency: a.dep.String(), Origin: r.Origin, Label: r.Label,
				})
			}
		}
	}
	var from []id
	for _, l := range s.sat.Trail() {
		if l > 0 {
			from = append(from, id(l))
		}
	}
	slices.SortFunc(from, func(a, b id) int { return strings.Compare(s.pool.label(a), s.pool.label(b)) })
	for _, i := range from {
		s.reasonsOfConflicts(i, reasons)
		if s.recommends {
			s.weakReasons(i, reasons)
		}
		requires := s.pool.pkg(i).Requires
		for n, d := range requires {
			if isFeature(d) || repeats(requires[:n], d) {
				continue
			}
			for _, other := range s.metBy(d) {
				if other != i {
					why := Why{Dependency: plain(d).String(), Package: s.pool.label(i)}
					reasons[other] = append(reasons[other], why)
				}
			}
		}
	}
	return reasons
}

// reasonsOfConflicts adds the packages that a conflict needs: "A unless B" with A installed needs B.
func (s *search) reasonsOfConflicts(i id, reasons map[id][]Why) {
	for _, d := range s.pool.pkg(i).Conflicts {
		if !d.IsRich() {
			continue
		}
		for _, other := range s.meeting(s.pool.formulaOf(d, true)) {
			if other != i {
				why := Why{Dependency: "not " + d.String(), Package: s.pool.label(i)}
				reasons[other] = append(reasons[other], why)
			}
		}
	}
}

// weakReasons adds what a package recommends, and who has it as a supplement.
func (s *search) weakReasons(i id, reasons map[id][]Why) {
	for _, d := range s.pool.pkg(i).Recommends {
		for _, other := range s.metBy(d) {
			why := Why{Dependency: plain(d).String(), Package: s.pool.label(i), Weak: true}
			reasons[other] = append(reasons[other], why)
		}
	}
	for _, d := range s.pool.pkg(i).Supplements {
		if !s.pool.holds(d, s.policy.weak.installed) {
			continue
		}
		for _, other := range s.supplementedBy(d) {
			why := Why{Dependency: s.pool.pkg(i).Name, Package: s.pool.label(other), Weak: true}
			reasons[i] = append(reasons[i], why)
		}
	}
}

// supplementedBy gives the installed packages that a supplement speaks of.
func (s *search) supplementedBy(d rpm.Dependency) []id {
	leaves := []rpm.Dependency{d}
	if d.IsRich() {
		leaves = leavesOf(s.pool.parseRich(d.Name))
	}
	var ids []id
	for _, leaf := range leaves {
		ids = append(ids, s.metBy(leaf)...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// metBy gives the installed packages that a dependency has to thank for holding.
func (s *search) metBy(d rpm.Dependency) []id {
	if d.IsRich() {
		return s.meeting(s.pool.formulaOf(d, false))
	}
	var ids []id
	for _, i := range s.pool.whoProvides(d) {
		if s.policy.weak.installed(i) {
			ids = append(ids, i)
		}
	}
	return ids
}

// meeting gives the installed packages that a formula speaks of.
func (s *search) meeting(f formula) []id {
	var ids []id
	for _, clause := range f {
		for _, l := range clause {
			if l > 0 && s.policy.weak.installed(id(l)) && !slices.Contains(ids, id(l)) {
				ids = append(ids, id(l))
			}
		}
	}
	return ids
}
