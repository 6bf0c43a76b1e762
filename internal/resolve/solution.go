package resolve

import (
	"cmp"
	"slices"

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
	slices.SortFunc(from, func(a, b id) int { return s.pool.pkg(a).NEVRA.Compare(s.pool.pkg(b).NEVRA) })
	for _, i := range from {
		s.reasonsOfConflicts(i, reasons)
		if s.recommends {
			s.weakReasons(i, reasons)
		}
		label := s.pool.label(i)
		for _, r := range s.pool.requirements(i) {
			for _, other := range s.metBy(r) {
				if other != i {
					reasons[other] = append(reasons[other], Why{Dependency: plain(r.dep).String(), Package: label})
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
		for _, other := range s.metBy(s.pool.requirement(d)) {
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
		ids = append(ids, s.metBy(s.pool.requirement(leaf))...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// metBy gives the installed packages that a requirement has to thank for being met.
func (s *search) metBy(r requirement) []id {
	if r.dep.IsRich() {
		return s.meeting(r.formula)
	}
	var ids []id
	for _, i := range r.ids {
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
