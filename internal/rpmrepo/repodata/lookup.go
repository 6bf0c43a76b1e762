package repodata

import (
	"bytes"
	"slices"
	"sort"
)

// A lookup finds entries by a string: keys are the numbers of strings, sorted by the strings;
// entries of key i are those from starts[i] to starts[i+1], each of width numbers.
type lookup struct {
	keys, starts, entries column
	width                 int
}

const lookupSections = 3

// Widths: of lookups that find packages, and of those that find a dependency or name of a package.
const (
	packageWidth = 1
	entryWidth   = 2
)

func newLookup(sections [][]byte, width int) lookup {
	return lookup{keys: sections[0], starts: sections[1], entries: sections[2], width: width}
}

// posting is one entry to be found: under the string key, package and, for dependencies, which.
type posting struct{ key, pkg, dep uint32 }

// buildLookup makes the sections of a lookup. Postings of the same key keep their order.
func buildLookup(strings *interner, postings []posting, width int) []column {
	// Counting the postings of each string sorts them without comparing any two of them.
	counts := make([]uint32, strings.len()+1)
	for _, p := range postings {
		counts[p.key]++
	}
	var keys []uint32
	for id, n := range counts {
		if n > 0 {
			keys = append(keys, uint32(id))
		}
	}
	slices.SortFunc(keys, func(a, b uint32) int { return bytes.Compare(strings.at(a), strings.at(b)) })
	starts := make([]uint32, len(keys)+1)
	total := uint32(0)
	for i, k := range keys {
		starts[i] = total
		total += counts[k]
		counts[k] = starts[i]
	}
	starts[len(keys)] = total
	entries := make([]uint32, width*len(postings))
	for _, p := range postings {
		at := width * int(counts[p.key])
		counts[p.key]++
		entries[at] = p.pkg
		if width == entryWidth {
			entries[at+1] = p.dep
		}
	}
	return []column{encode(keys), encode(starts), encode(entries)}
}

// find gives the range of entries of that string.
func (l lookup) find(key string, t texts) (first, last int) {
	n := l.keys.len()
	i := sort.Search(n, func(i int) bool { return t.string(l.keys.at(i)) >= key })
	if i == n || t.string(l.keys.at(i)) != key {
		return 0, 0
	}
	return int(l.starts.at(i)), int(l.starts.at(i + 1))
}

// valid checks every reference.
func (l lookup) valid(strings, packages, deps int) bool {
	if !l.keys.below(strings) || len(l.entries)%(4*l.width) != 0 {
		return false
	}
	if l.starts.len() != l.keys.len()+1 || !l.starts.ascending(l.entries.len()/l.width) {
		return false
	}
	if l.width == packageWidth {
		return l.entries.below(packages)
	}
	for i := 0; i < l.entries.len(); i += 2 {
		if int64(l.entries.at(i)) >= int64(packages) || int64(l.entries.at(i+1)) >= int64(deps) {
			return false
		}
	}
	return true
}
