package resolve

import (
	"github.com/slipway-build/slipway/internal/resolve/sat"
	"github.com/slipway-build/slipway/internal/rpm"
)

// weakness knows what the packages that are installed so far recommend and suggest. It follows the
// solver's trail.
type weakness struct {
	pool *pool
	sat  *sat.Solver

	read       int         // how much of the trail is
	wanted     map[id]bool // recommended
	liked      map[id]bool // suggested
	richWanted []rpm.Dependency
	richLiked  []rpm.Dependency
}

// installed says whether the package is installed at this point of the search.
func (w *weakness) installed(i id) bool { return w.sat.Value(sat.Lit(i)) == sat.True }

// recommended keeps the candidates that an installed package recommends, or that supplement one, if
// there are any (rule 5).
func (w *weakness) recommended(ids []id) []id {
	var good []id
	for _, i := range ids {
		if w.isRecommended(i) {
			good = append(good, i)
		}
	}
	if len(good) > 0 {
		return good
	}
	return ids
}

func (w *weakness) isRecommended(i id) bool {
	w.update()
	return w.wanted[i] || w.inRich(w.richWanted, i) || w.isMet(w.pool.pkg(i).Supplements)
}

func (w *weakness) isSuggested(i id) bool {
	w.update()
	return w.liked[i] || w.inRich(w.richLiked, i) || w.isMet(w.pool.pkg(i).Enhances)
}

// isMet says whether one of the dependencies holds.
func (w *weakness) isMet(deps []rpm.Dependency) bool {
	for _, d := range deps {
		if w.pool.holds(d, w.installed) {
			return true
		}
	}
	return false
}

// inRich says whether a rich recommendation means this package under the present circumstances: a
// clause of it offers the package, and the conditions of the clause hold.
func (w *weakness) inRich(deps []rpm.Dependency, i id) bool {
	for _, d := range deps {
		for _, clause := range w.pool.formulaOf(d, false) {
			if w.offers(clause, i) {
				return true
			}
		}
	}
	return false
}

func (w *weakness) offers(clause []sat.Lit, i id) bool {
	found := false
	for _, l := range clause {
		if l < 0 && w.sat.Value(l) != sat.False {
			return false
		}
		found = found || l == sat.Lit(i)
	}
	return found
}

// update reads what is new on the trail.
func (w *weakness) update() {
	trail := w.sat.Trail()
	for ; w.read < len(trail); w.read++ {
		if l := trail[w.read]; l > 0 {
			w.add(id(l))
		}
	}
}

// reset forgets everything, which is necessary after the solver went back.
func (w *weakness) reset() {
	w.read = 0
	clear(w.wanted)
	clear(w.liked)
	w.richWanted, w.richLiked = nil, nil
}

func (w *weakness) add(i id) {
	pkg := w.pool.pkg(i)
	for _, d := range pkg.Recommends {
		if d.IsRich() {
			w.richWanted = append(w.richWanted, d)
			continue
		}
		for _, other := range w.pool.whoProvides(d) {
			w.wanted[other] = true
		}
	}
	for _, d := range pkg.Suggests {
		if d.IsRich() {
			w.richLiked = append(w.richLiked, d)
			continue
		}
		for _, other := range w.pool.whoProvides(d) {
			w.liked[other] = true
		}
	}
}
