package repodata

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// dependencyKey is a dependency by the numbers of its strings.
type dependencyKey struct{ name, sense, epoch, version, release uint32 }

// dependencyTable numbers dependencies: equal ones get the same number.
type dependencyTable struct {
	keys   []dependencyKey
	hashes []uint32
	// slots is an open hash table of numbers, each one more than it is (0: free).
	slots []uint32
	seed  uint64 // so that nobody can prepare dependencies that all collide
}

func newDependencyTable() *dependencyTable {
	return &dependencyTable{slots: make([]uint32, 1<<13), seed: rand.Uint64() | 1}
}

// hash mixes the numbers by multiplication, the halves of each product folded together.
func (t *dependencyTable) hash(k dependencyKey) uint32 {
	h := t.seed
	for _, pair := range [3]uint64{
		uint64(k.name) | uint64(k.version)<<32, uint64(k.release) | uint64(k.epoch)<<32, uint64(k.sense),
	} {
		high, low := bits.Mul64(h^pair, t.seed)
		h = high ^ low
	}
	return uint32(h ^ h>>32)
}

func (t *dependencyTable) id(k dependencyKey) uint32 {
	h := t.hash(k)
	mask := uint32(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		n := t.slots[i]
		if n == 0 {
			t.slots[i] = uint32(len(t.keys)) + 1
			t.keys = append(roomy(t.keys, 1), k)
			t.hashes = append(roomy(t.hashes, 1), h)
			if len(t.keys) > len(t.slots)/2 {
				t.slots = rehash(t.hashes, 1)
			}
			return uint32(len(t.keys)) - 1
		}
		if t.hashes[n-1] == h && t.keys[n-1] == k {
			return n - 1
		}
	}
}

// rehash makes an open hash table of twice the room for what has these hashes. A slot holds the
// index of its hash plus base.
func rehash(hashes []uint32, base uint32) []uint32 {
	size := 1 << bits.Len(uint(2*len(hashes)))
	slots, mask := make([]uint32, size), uint32(size-1)
	for n, h := range hashes {
		if uint32(n)+base == 0 {
			continue
		}
		i := h & mask
		for slots[i] != 0 {
			i = (i + 1) & mask
		}
		slots[i] = uint32(n) + base
	}
	return slots
}

// encode writes the table as a section: the numbers of each key, in order.
func (t *dependencyTable) encode() column {
	out := make([]byte, 0, 4*dependencyFields*len(t.keys))
	for _, k := range t.keys {
		for _, n := range [dependencyFields]uint32{k.name, k.sense, k.epoch, k.version, k.release} {
			out = binary.LittleEndian.AppendUint32(out, n)
		}
	}
	return out
}
