package repodata

import "math/bits"

// A lookup finds entries by a string: keys are the numbers of strings; entries of key i are those
// from starts[i] to starts[i+1], each of width numbers. Which key a string is tells a hash table:
// slots, a power of two of them and at least twice as many as keys, hold the index of a key plus 1,
// or 0. A search starts at the hash of the string and goes on to the next slot, around the end, until
// it meets a 0.
type lookup struct {
	slots, keys, starts, entries column
	width                        int
}

const lookupSections = 4

// Widths: of lookups that find packages, and of those that find a dependency or name of a package.
const (
	packageWidth = 1
	entryWidth   = 2
)

func newLookup(sections [][]byte, width int) lookup {
	return lookup{slots: sections[0], keys: sections[1], starts: sections[2], entries: sections[3], width: width}
}

// posting is one entry to be found: under the string key, package and, for dependencies, which.
type posting struct{ key, pkg, dep uint32 }

// buildLookup makes the sections of a lookup of what walk yields, which it calls twice and which
// yields the same each time. Entries of the same key keep their order.
func buildLookup(strings *interner, seed seed, width int, walk func(yield func(posting))) [lookupSections]section {
	// Counting the entries of each string sorts them without comparing any two of them.
	counts := make([]uint32, strings.len())
	distinct, total := 0, uint32(0)
	walk(func(p posting) {
		if counts[p.key] == 0 {
			distinct++
		}
		counts[p.key]++
		total++
	})
	keys, starts := make([]uint32, 0, distinct), make([]uint32, 0, distinct+1)
	at := uint32(0)
	for id, n := range counts {
		if n > 0 {
			keys, starts = append(keys, uint32(id)), append(starts, at)
			counts[id] = at
			at += n
		}
	}
	starts = append(starts, at)
	entries := make([]uint32, width*int(total))
	walk(func(p posting) {
		to := entries[width*int(counts[p.key]):]
		counts[p.key]++
		to[0] = p.pkg
		if width == entryWidth {
			to[1] = p.dep
		}
	})
	return [lookupSections]section{{numbers: slotsOf(strings, seed, keys)}, {numbers: keys}, {numbers: starts}, {numbers: entries}}
}

// slotsOf makes the hash table of a lookup.
func slotsOf(strings *interner, seed seed, keys []uint32) []uint32 {
	slots := make([]uint32, 1<<bits.Len(uint(2*len(keys))))
	mask := uint32(len(slots) - 1)
	for n, key := range keys {
		i := seed.bytes(strings.at(key)) & mask
		for slots[i] != 0 {
			i = (i + 1) & mask
		}
		slots[i] = uint32(n) + 1
	}
	return slots
}

// find gives the range of entries of that string.
func (l *lookup) find(key string, t *texts) (first, last int) {
	mask := uint32(l.slots.len() - 1)
	for i := t.seed.string(key) & mask; ; i = (i + 1) & mask {
		n := l.slots.at(int(i))
		if n == 0 {
			return 0, 0
		}
		if t.string(l.keys.at(int(n-1))) == key {
			return int(l.starts.at(int(n - 1))), int(l.starts.at(int(n)))
		}
	}
}

// valid checks every reference, and that a search comes to an end.
func (l *lookup) valid(strings, packages, deps int) bool {
	keys := l.keys.len()
	if !l.keys.below(strings) || len(l.entries)%(4*l.width) != 0 {
		return false
	}
	if n := l.slots.len(); bits.OnesCount(uint(n)) != 1 || !l.slots.below(keys+1) || !l.slots.hasZero() {
		return false
	}
	if l.starts.len() != keys+1 || !l.starts.ascending(l.entries.len()/l.width) {
		return false
	}
	if l.width == packageWidth {
		return l.entries.below(packages)
	}
	for e := l.entries; len(e) > 0; e = e[8:] {
		if int64(e.at(0)) >= int64(packages) || int64(e.at(1)) >= int64(deps) {
			return false
		}
	}
	return true
}
