package repodata

import (
	"errors"
	"math"
	"slices"
	"unicode/utf8"
)

// interner numbers strings: equal ones get the same number, and number 0 is the empty string.
type interner struct {
	seed seed
	// text holds the strings one after another; string i is text[ends[i-1]:ends[i]].
	text  []byte
	ends  []uint32
	table hashTable
	err   error
}

// Bounds of an index. The largest distributions have 2 % of them.
const (
	maxText    = 2 << 30
	maxStrings = 1 << 26
)

var errTooLarge = errors.New("the repository is too large")

// newInterner has room for so many strings, and bytes of them, before it must grow.
func newInterner(room, text int) *interner {
	return &interner{
		seed: newSeed(), text: make([]byte, 0, text), ends: make([]uint32, 1, room+1), table: newHashTable(room),
	}
}

// id gives the number of a string. After a failure, which err keeps, it is 0.
func (t *interner) id(s []byte) uint32 {
	if len(s) == 0 || t.err != nil {
		return 0
	}
	h := t.seed.bytes(s)
	for i := t.table.place(h); ; i = t.table.next(i) {
		slot := t.table.slots[i]
		if slot == 0 {
			return t.add(s, h, i)
		}
		if uint32(slot>>32) == h && string(t.at(uint32(slot))) == string(s) {
			return uint32(slot)
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

func (t *interner) add(s []byte, hash, place uint32) uint32 {
	n := t.fresh(s)
	if n != 0 {
		t.table.put(place, hash, n)
	}
	return n
}

// fresh gives a new number to a string, also if it has one: for what nobody looks up and is mostly
// new, looking costs more than it saves.
func (t *interner) fresh(s []byte) uint32 {
	if len(s) == 0 || t.err != nil {
		return 0
	}
	switch {
	case !isASCII(s) && !utf8.Valid(s):
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
	return n
}

func isASCII(s []byte) bool {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
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
