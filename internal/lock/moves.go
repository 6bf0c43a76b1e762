package lock

import "slices"

// Moved is the kind of a change that Moves gives: the same package, in other roots.
const Moved ChangeKind = "moved"

// Moves gives the packages that are in both locks, as the very same file, but in other roots; sorted
// by target, then by NEVRA. Together with Diff it is everything that a build would do otherwise, but
// for the plan of layers. Either may be nil.
func Moves(a, b *Lock) []Change {
	var changes []Change
	for _, name := range targetNames(a, b) {
		old := packagesByName(a, name)
		if b == nil || b.Target(name) == nil {
			continue
		}
		t := b.Target(name)
		packages := sorted(t.Packages, func(p, q Package) int { return p.NEVRA.Compare(q.NEVRA) })
		for i := range packages {
			p := &packages[i]
			for _, was := range old[p.NEVRA.Name] {
				if was.NEVRA == p.NEVRA && was.SHA256 == p.SHA256 && !slices.Equal(was.sortedRoots(), p.sortedRoots()) {
					changes = append(changes, Change{Target: name, Kind: Moved, Old: was, New: p})
				}
			}
		}
	}
	return changes
}

func (p *Package) sortedRoots() []string { return slices.Sorted(slices.Values(p.Roots)) }
