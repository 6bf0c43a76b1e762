package repodata

// dependencyKey is a dependency by the numbers of its strings.
type dependencyKey struct{ name, sense, epoch, version, release uint32 }

// dependencyTable numbers dependencies: equal ones get the same number.
type dependencyTable struct {
	seed  seed
	keys  []uint32 // dependencyFields for each
	table hashTable
}

// newDependencyTable has room for so many before it must grow.
func newDependencyTable(room int) *dependencyTable {
	return &dependencyTable{seed: newSeed(), keys: make([]uint32, 0, dependencyFields*room), table: newHashTable(room)}
}

func (t *dependencyTable) hash(k dependencyKey) uint32 {
	h := fold(uint64(t.seed)^(uint64(k.name)|uint64(k.version)<<32), mix1)
	h = fold(h^(uint64(k.release)|uint64(k.epoch)<<32), mix2)
	h = fold(h^uint64(k.sense), mix1)
	return uint32(h ^ h>>32)
}

func (t *dependencyTable) id(k dependencyKey) uint32 {
	h := t.hash(k)
	for i := t.table.place(h); ; i = t.table.next(i) {
		slot := t.table.slots[i]
		if slot == 0 {
			n := t.fresh(k)
			t.table.put(i, h, n+1)
			return n
		}
		if n := uint32(slot) - 1; uint32(slot>>32) == h && t.at(n) == k {
			return n
		}
	}
}

// fresh gives a new number to a dependency, also if it has one.
func (t *dependencyTable) fresh(k dependencyKey) uint32 {
	n := uint32(t.len())
	t.keys = append(roomy(t.keys, dependencyFields), k.name, k.sense, k.epoch, k.version, k.release)
	return n
}

func (t *dependencyTable) len() int { return len(t.keys) / dependencyFields }

func (t *dependencyTable) at(n uint32) dependencyKey {
	k := t.keys[dependencyFields*n:][:dependencyFields]
	return dependencyKey{k[0], k[1], k[2], k[3], k[4]}
}

// name gives the string of a dependency's name.
func (t *dependencyTable) name(n uint32) uint32 { return t.keys[dependencyFields*n] }
