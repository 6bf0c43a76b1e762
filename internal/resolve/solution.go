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
		if l > 0 {
			ids = append(ids, id(l))
		}
	}
	slices.SortFunc(ids, func(a, b id) int {
		return cmp.Or(s.pool.pkg(a).NEVRA.Compare(s.pool.pkg(b).NEVRA), cmp.Compare(a, b))
	})
	reasons := s.reasons(ids)
	solution := &Solution{Packages: make([]Chosen, 0, len(ids))}
	for n, i := range ids {
		if s.pool.virtual(i) != nil {
			continue
		}
		src, index := s.pool.source(i)
		solution.Packages = append(solution.Packages, Chosen{
			Repository: src.Repository, Index: index, Package: s.pool.pkg(i), Why: reasons[n],
		})
	}
	return solution
}

// reasons says for each of the installed packages what needs it.
func (s *search) reasons(installed []id) [][]Why {
	all := reasoning{search: s, notes: s.notes[:0]}
	for _, a := range s.asks {
		for _, i := range s.meeting(a.means) {
			for _, r := range a.from {
				all.add(i, Why{Dependency: a.dep.String(), Origin: r.Origin, Label: r.Label})
			}
		}
	}
	for _, i := range installed {
		all.conflicts(i)
		if s.recommends {
			all.hints(i)
		}
		all.requires(i)
	}
	s.notes = all.notes
	return all.sorted(installed)
}

// reasoning collects reasons. There are many of one kind, that a package requires another: of these it
// notes no more than who and what until all are known.
type reasoning struct {
	*search
	notes  []note
	others []Why
}

// note is one reason for a package: that from requires it, or where r is nil, the one of others.
type note struct {
	of, from id // from is an index of others there
	r        *requirement
}

func (a *reasoning) add(of id, why Why) {
	a.notes = append(a.notes, note{of: of, from: id(len(a.others))})
	a.others = append(a.others, why)
}

// sorted gives the reasons for each of these packages.
func (a *reasoning) sorted(installed []id) [][]Why {
	places := a.places
	for n, i := range installed {
		places[i] = int32(n)
	}
	counts := make([]int, len(installed))
	for n := range a.notes {
		place := places[a.notes[n].of]
		a.notes[n].of = id(place)
		counts[place]++
	}
	reasons, room := make([][]Why, len(installed)), make([]Why, len(a.notes))
	for n, count := range counts {
		reasons[n], room = room[:0:count], room[count:]
	}
	for _, n := range a.notes {
		if n.r == nil {
			reasons[n.of] = append(reasons[n.of], a.others[n.from])
		} else {
			reasons[n.of] = append(reasons[n.of], Why{Dependency: n.r.says(), Package: a.pool.label(n.from)})
		}
	}
	return reasons
}

// requires adds the packages that one requires.
func (a *reasoning) requires(i id) {
	requires := a.pool.rulesOf(i).requires
	for n := range requires {
		r := &requires[n]
		if r.dep.IsRich() {
			for _, other := range a.meeting(r.formula) {
				if other != i {
					a.notes = append(a.notes, note{other, i, r})
				}
			}
			continue
		}
		for _, other := range r.ids {
			if other != i && a.policy.weak.installed(other) {
				a.notes = append(a.notes, note{other, i, r})
			}
		}
	}
}

// conflicts adds the packages that a conflict needs: "A unless B" with A installed needs B.
func (a *reasoning) conflicts(i id) {
	conflicts := a.pool.rulesOf(i).conflicts
	for n := range conflicts {
		for _, other := range a.meeting(conflicts[n].formula) { // none of a plain one
			if other != i {
				a.add(other, Why{Dependency: "not " + conflicts[n].dep.String(), Package: a.pool.label(i)})
			}
		}
	}
}

// hints adds what a package recommends, and who has it as a supplement.
func (a *reasoning) hints(i id) {
	for _, r := range a.pool.hintsOf(i).recommends {
		for _, other := range a.metBy(r) {
			a.add(other, Why{Dependency: r.says(), Package: a.pool.label(i), Weak: true})
		}
	}
	for _, d := range a.pool.pkg(i).Supplements {
		if !a.policy.weak.holds(a.pool.conditionOf(d)) {
			continue
		}
		for _, other := range a.supplementedBy(d) {
			a.add(i, Why{Dependency: a.pool.pkg(i).Name, Package: a.pool.label(other), Weak: true})
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
