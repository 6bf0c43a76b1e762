package resolve

import (
	"cmp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// policy chooses between packages. The numbers in the comments are the rules of the package
// documentation.
type policy struct {
	pool *pool
	keep map[string]rpm.NEVRA
	weak *weakness
}

// choose orders the candidates of a choice, the best first, and leaves out those that are worse
// than another by a rule that admits no exception. It works in place.
func (p *policy) choose(ids []id) []id {
	ids = p.narrow(ids)
	if len(ids) > 1 {
		p.dislikeOld(ids)
		p.preferNewerProvides(ids)
		p.preferSuggested(ids)
	}
	return ids
}

// narrow only leaves out: rules 1 to 5.
func (p *policy) narrow(ids []id) []id {
	ids = p.timeless(ids)
	if len(ids) > 1 {
		ids = p.weak.recommended(ids)
	}
	return ids
}

// timeless applies the rules that leave out, whatever is installed: 1 to 4.
func (p *policy) timeless(ids []id) []id {
	if len(ids) > 1 {
		if kept := p.keptOf(ids); len(kept) > 0 {
			ids = kept
		}
	}
	return p.best(ids)
}

// best applies the rules by which a request is held to the best: 2 to 4.
func (p *policy) best(ids []id) []id {
	if len(ids) > 1 {
		ids = p.highestPriority(ids)
	}
	if len(ids) > 1 {
		ids = p.newest(ids)
	}
	if len(ids) > 1 {
		ids = p.notObsoleted(ids)
	}
	return ids
}

// keptOf gives the candidates that are in the earlier solution (rule 1).
func (p *policy) keptOf(ids []id) []id {
	if len(p.keep) == 0 {
		return nil
	}
	var kept []id
	for _, i := range ids {
		pkg := p.pool.pkg(i)
		if was, ok := p.keep[pkg.Name]; ok && was == pkg.NEVRA && p.pool.virtual(i) == nil {
			kept = append(kept, i)
		}
	}
	return kept
}

// highestPriority keeps the packages of the repositories with the best priority (rule 2).
func (p *policy) highestPriority(ids []id) []id {
	best := p.pool.priority(ids[0])
	for _, i := range ids[1:] {
		best = min(best, p.pool.priority(i))
	}
	return slices.DeleteFunc(ids, func(i id) bool { return p.pool.priority(i) != best })
}

// newest sorts by name and keeps the newest of each name (rule 3). Of the very same version, the
// one of the cheaper repository stays, then the one that comes first.
func (p *policy) newest(ids []id) []id {
	slices.SortFunc(ids, func(a, b id) int {
		return cmp.Or(
			strings.Compare(p.pool.pkg(a).Name, p.pool.pkg(b).Name),
			cmp.Compare(p.pool.cost(a), p.pool.cost(b)),
			cmp.Compare(a, b))
	})
	n := 0
	for _, i := range ids[1:] {
		best, pkg := p.pool.pkg(ids[n]), p.pool.pkg(i)
		switch {
		case pkg.Name != best.Name:
			n++
			ids[n] = i
		case pkg.EVR.Compare(best.EVR) > 0:
			ids[n] = i
		}
	}
	return ids[:n+1]
}

// notObsoleted leaves out what another candidate obsoletes (rule 4). Where candidates obsolete each
// other in a circle, all of the circle stay, unless one from outside obsoletes them.
func (p *policy) notObsoleted(ids []id) []id {
	edges := p.obsoletes(ids)
	if len(edges) == 0 {
		return ids
	}
	reach := map[int]map[int]bool{} // who is obsoleted by whom, through others too
	for from := range edges {
		seen := map[int]bool{}
		todo := slices.Clone(edges[from])
		for len(todo) > 0 {
			n := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if !seen[n] {
				seen[n] = true
				todo = append(todo, edges[n]...)
			}
		}
		reach[from] = seen
	}
	bad := make([]bool, len(ids))
	for from, seen := range reach {
		for n := range seen {
			if !reach[n][from] {
				bad[n] = true
			}
		}
	}
	kept := ids[:0]
	for n, i := range ids {
		if !bad[n] {
			kept = append(kept, i)
		}
	}
	return kept
}

// obsoletes lists, by index, which candidates a candidate obsoletes. Names are distinct.
func (p *policy) obsoletes(ids []id) map[int][]int {
	var edges map[int][]int
	var index map[string]int
	for n, i := range ids {
		pkg := p.pool.pkg(i)
		if len(pkg.Obsoletes) == 0 {
			continue
		}
		if index == nil {
			index = map[string]int{}
			edges = map[int][]int{}
			for n, i := range ids {
				index[p.pool.pkg(i).Name] = n
			}
		}
		for _, d := range pkg.Obsoletes {
			if m, ok := index[d.Name]; ok && m != n && d.MatchedBy(itself(p.pool.pkg(ids[m]))) {
				edges[n] = append(edges[n], m)
			}
		}
	}
	return edges
}

// dislikeOld brings packages to the back of which there is a newer version, or one of a better
// repository: one that is no candidate, then (rule 6).
func (p *policy) dislikeOld(ids []id) {
	partition(ids, func(i id) bool { return !p.isOld(i) })
}

// isOld minds excluded packages too: libsolv's list of what there is of a name has them.
func (p *policy) isOld(i id) bool {
	if p.pool.virtual(i) != nil {
		return false
	}
	pkg, priority := p.pool.pkg(i), p.pool.priority(i)
	for _, src := range p.pool.repos {
		if src.Config.Priority > priority {
			continue
		}
		for _, n := range src.NamedAtAll(pkg.Name) {
			other := src.base + id(n) + 1
			o := p.pool.pkg(other)
			if other == i || o.Arch != pkg.Arch {
				continue
			}
			if src.Config.Priority < priority || o.EVR.Compare(pkg.EVR) > 0 {
				return true
			}
		}
	}
	return false
}

// preferSuggested brings to the front what an installed package suggests, or what enhances one
// (rule 8).
func (p *policy) preferSuggested(ids []id) {
	partition(ids, p.weak.isSuggested)
}

// partition brings the good ones to the front and changes the order of nothing else.
func partition(ids []id, good func(id) bool) {
	var bad []id
	n := 0
	for _, i := range ids {
		if good(i) {
			ids[n] = i
			n++
		} else {
			bad = append(bad, i)
		}
	}
	copy(ids[n:], bad)
}

// preferNewerProvides sorts by how many candidates are ahead in what several of them provide with a
// version (rule 7): of two that provide "webserver", the one with the higher version of it.
func (p *policy) preferNewerProvides(ids []id) {
	var entries []versioned
	for n, i := range ids {
		pkg := p.pool.pkg(i)
		if self := itself(pkg); !repeats(pkg.Provides, self) {
			entries = appendVersioned(entries, n, &self)
		}
		for k := range pkg.Provides {
			entries = appendVersioned(entries, n, &pkg.Provides[k])
		}
	}
	slices.SortFunc(entries, func(a, b versioned) int {
		if c := strings.Compare(a.dep.Name, b.dep.Name); c != 0 {
			return c
		}
		return cmp.Or(a.newer(b), cmp.Compare(a.candidate, b.candidate))
	})
	behind := make(map[id]int, len(ids))
	bad := 0
	for k, e := range entries {
		if k == 0 || entries[k-1].dep.Name != e.dep.Name {
			bad = 0
		} else if entries[k-1].candidate != e.candidate && entries[k-1].newer(e) == -1 {
			bad++
		}
		behind[ids[e.candidate]] += bad
	}
	slices.SortStableFunc(ids, func(a, b id) int { return cmp.Compare(behind[a], behind[b]) })
}

// versioned is a provide with a version, of a candidate by its index.
type versioned struct {
	candidate int
	dep       *rpm.Dependency
}

func appendVersioned(entries []versioned, n int, d *rpm.Dependency) []versioned {
	switch d.Sense & rpm.RangeMask {
	case rpm.Equal:
		if isHash(d.EVR.String()) {
			return entries
		}
	case rpm.Less, rpm.Less | rpm.Equal:
	default:
		return entries
	}
	return append(entries, versioned{n, d})
}

// isHash recognises versions that are checksums, which have no order.
func isHash(s string) bool {
	return len(s) >= 4 && strings.Trim(s, "0123456789abcdef") == ""
}

// newer orders entries of one name, the newest first: -1 when e comes clearly before f. A missing
// release makes the order unclear: -2 or 2.
func (e versioned) newer(f versioned) int {
	a, b := e.dep.EVR, f.dep.EVR
	r := cmp.Or(cmp.Compare(b.Epoch, a.Epoch), rpm.CompareVersion(b.Version, a.Version))
	switch {
	case r != 0:
	case a.Release != "" && b.Release != "":
		r = rpm.CompareVersion(b.Release, a.Release)
	case b.Release != "":
		return 2
	case a.Release != "":
		return -2
	}
	if r == 0 {
		return cmp.Compare(boundOnly(e.dep), boundOnly(f.dep))
	}
	return r
}

// boundOnly is 1 for a provide that is below its version, 0 for one at it or up to it.
func boundOnly(d *rpm.Dependency) int {
	if d.Sense&rpm.RangeMask == rpm.Less {
		return 1
	}
	return 0
}
