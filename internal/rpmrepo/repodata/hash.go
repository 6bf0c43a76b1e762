package repodata

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"unsafe"
)

// seed is what the hashes of one table depend on, so that nobody can prepare strings that all collide.
type seed uint64

// newSeed gives a seed that nobody can foretell.
func newSeed() seed { return seed(rand.Uint64() | 1) }

// seedOf gives the seed of an index, which is to be the same for the same content: it depends on all of
// its text. Whoever changes a string to have it collide with others changes the seed.
func seedOf(text []byte) seed {
	sum := sha256.Sum256(text)
	return seed(binary.LittleEndian.Uint64(sum[:]) | 1)
}

// Odd numbers without a pattern in their bits: digits of pi.
const mix1, mix2 = 0x243f6a8885a308d3, 0x13198a2e03707345

// bytes hashes a string, eight bytes at a time: each is mixed in by a multiplication whose halves are
// folded together.
func (s seed) bytes(b []byte) uint32 {
	h := uint64(s) ^ uint64(len(b))*mix1
	for len(b) >= 8 {
		h = fold(h^binary.LittleEndian.Uint64(b), mix2)
		b = b[8:]
	}
	var rest uint64
	switch {
	case len(b) >= 4:
		rest = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))<<32
	case len(b) > 0:
		rest = uint64(b[0]) | uint64(b[len(b)/2])<<8 | uint64(b[len(b)-1])<<16
	}
	h = fold(h^rest, mix1^uint64(s))
	return uint32(h ^ h>>32)
}

func (s seed) string(text string) uint32 {
	return s.bytes(unsafe.Slice(unsafe.StringData(text), len(text)))
}

func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// hashTable finds numbers by hash: open addressing, each slot a hash in its high half and a number
// above 0 in its low one; 0 is a free slot. Who uses it compares what has the same hash.
type hashTable struct {
	slots []uint64
	count int
}

// newHashTable has room for so many before it must grow.
func newHashTable(room int) hashTable {
	return hashTable{slots: make([]uint64, max(1<<10, 1<<bits.Len(uint(2*room)>>1)))}
}

// place is where a search for a hash begins.
func (t *hashTable) place(hash uint32) uint32 { return hash & uint32(len(t.slots)-1) }

// next is where it goes on.
func (t *hashTable) next(place uint32) uint32 { return (place + 1) & uint32(len(t.slots)-1) }

// put fills the free slot at which a search ended, and grows the table when it is half full.
func (t *hashTable) put(place, hash, number uint32) {
	t.slots[place] = uint64(hash)<<32 | uint64(number)
	if t.count++; t.count <= len(t.slots)/2 {
		return
	}
	old := t.slots
	t.slots = make([]uint64, 2*len(old))
	for _, s := range old {
		if s != 0 {
			at := t.place(uint32(s >> 32))
			for t.slots[at] != 0 {
				at = t.next(at)
			}
			t.slots[at] = s
		}
	}
}
