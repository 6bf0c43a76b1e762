package repodata

// memo knows dependencies by how they are written, since most of them are written more than once:
// it saves taking the tag apart again. What is kept is the whole text, so that only the very same
// text is taken for the same; and no more of it than memoSize.
type memo struct {
	seed  seed
	text  []byte
	known []known
	table hashTable
}

// known is a text that was seen and the dependency that it is.
type known struct{ start, end, dependency uint32 }

const memoSize = 8 << 20

func newMemo() *memo { return &memo{seed: newSeed(), table: newHashTable(0)} }

// find gives the dependency of a tag. Where there is none, it gives the hash to remember it by.
func (m *memo) find(tag []byte) (dependency, hash uint32, ok bool) {
	h := m.seed.bytes(tag)
	for i := m.table.place(h); ; i = m.table.next(i) {
		slot := m.table.slots[i]
		if slot == 0 {
			return 0, h, false
		}
		if k := m.known[max(uint32(slot), 1)-1]; uint32(slot>>32) == h && string(m.text[k.start:k.end]) == string(tag) {
			return k.dependency, h, true
		}
	}
}

// remember takes a tag in that find has not found.
func (m *memo) remember(tag []byte, hash, dependency uint32) {
	if len(m.text)+len(tag) > memoSize {
		return
	}
	start := uint32(len(m.text))
	m.text = append(roomy(m.text, len(tag)), tag...)
	m.known = append(roomy(m.known, 1), known{start, uint32(len(m.text)), dependency})
	i := m.table.place(hash)
	for m.table.slots[i] != 0 {
		i = m.table.next(i)
	}
	m.table.put(i, hash, uint32(len(m.known)))
}
