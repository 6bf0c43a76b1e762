package resolve

import (
	"github.com/slipway-build/slipway/internal/resolve/sat"
)

// weakness knows what the packages that are installed so far recommend and suggest. It follows the
// solver's trail.
type weakness struct {
	pool *pool
	sat  *sat.Solver

	read       int      // how much of the trail is
	stamp      uint32   // what marks the present packages in the next two
	wanted     []uint32 // recommended, by id
	liked      []uint32 // suggested
	richWanted []formula
	richLiked  []formula
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
	return w.wanted[i] == w.stamp || w.inRich(w.richWanted, i) || w.isMet(w.pool.hintsOf(i).supplements)
}

func (w *weakness) isSuggested(i id) bool {
	w.update()
	return w.liked[i] == w.stamp || w.inRich(w.richLiked, i) || w.isMet(w.pool.hintsOf(i).enhances)
}

// isMet says whether one of the conditions holds.
func (w *weakness) isMet(conditions []*condition) bool {
	for _, c := range conditions {
		if w.holds(c) {
			return true
		}
	}
	return false
}

// inRich says whether a rich recommendation means this package under the present circumstances: a
// clause of it offers the package, and the conditions of the clause hold.
func (w *weakness) inRich(formulas []formula, i id) bool {
	for _, f := range formulas {
		for _, clause := range f {
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
	w.stamp++
	w.richWanted, w.richLiked = nil, nil
}

func (w *weakness) add(i id) {
	hints := w.pool.hintsOf(i)
	for n := range hints.recommends {
		r := &hints.recommends[n]
		if r.dep.IsRich() {
			w.richWanted = append(w.richWanted, r.formula)
		}
		for _, other := range r.ids {
			w.wanted[other] = w.stamp
		}
	}
	for n := range hints.suggests {
		r := &hints.suggests[n]
		if r.dep.IsRich() {
			w.richLiked = append(w.richLiked, r.formula)
		}
		for _, other := range r.ids {
			w.liked[other] = w.stamp
		}
	}
}
