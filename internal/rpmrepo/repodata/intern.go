package repodata

import (
	"errors"
	"hash/maphash"
	"math"
	"slices"
	"unicode/utf8"
)

// interner numbers strings: equal ones get the same number, and number 0 is the empty string. Its
// hash is seeded, so nobody can prepare strings that all collide.
type interner struct {
	seed maphash.Seed
	// text holds the strings one after another; string i is text[ends[i-1]:ends[i]].
	text []byte
	ends []uint32
	// slots is an open hash table of numbers (0: free); hashes[i] is the hash of string i.
	slots  []uint32
	hashes []uint32
	err    error
}

// Bounds of an index. The largest distributions have 2 % of them.
const (
	maxText    = 2 << 30
	maxStrings = 1 << 26
)

var errTooLarge = errors.New("the repository is too large")

func newInterner() *interner {
	return &interner{
		seed: maphash.MakeSeed(), ends: make([]uint32, 1, 1<<12), hashes: make([]uint32, 1, 1<<12),
		slots: make([]uint32, 1<<13),
	}
}

// id gives the number of a string. After a failure, which err keeps, it is 0.
func (t *interner) id(s []byte) uint32 {
	if len(s) == 0 || t.err != nil {
		return 0
	}
	h := uint32(maphash.Bytes(t.seed, s))
	mask := uint32(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		n := t.slots[i]
		if n == 0 {
			return t.add(s, h, i)
		}
		if t.hashes[n] == h && string(t.at(n)) == string(s) {
			return n
		}
	}
}

func (t *interner) at(n uint32) []byte {
	if n == 0 {
		return nil
	}
	return t.text[t.ends[n-1]:t.ends[n]]
}

func (t *interner) len() int { return len(t.ends) }

func (t *interner) add(s []byte, hash, slot uint32) uint32 {
	switch {
	case !utf8.Valid(s):
		t.err = errors.New("a text is not UTF-8")
	case len(t.text)+len(s) > maxText || len(t.ends) >= maxStrings:
		t.err = errTooLarge
	}
	if t.err != nil {
		return 0
	}
	n := uint32(len(t.ends))
	t.text = append(roomy(t.text, len(s)), s...)
	t.ends = append(roomy(t.ends, 1), uint32(len(t.text)))
	t.hashes = append(roomy(t.hashes, 1), hash)
	t.slots[slot] = n
	if len(t.ends) > len(t.slots)/2 {
		t.slots = rehash(t.hashes, 0)
	}
	return n
}

// roomy makes room for n more by doubling: the smaller steps of append would copy large slices again
// and again.
func roomy[T any](s []T, n int) []T {
	if len(s)+n > cap(s) {
		s = slices.Grow(s, max(n, len(s)))
	}
	return s
}

// fits says whether a count can be a reference of an index.
func fits(n int) bool { return n < math.MaxInt32 }
