package lua

// Table is a table. Its keys are gone through in the order 1, 2, … and then in that in which they
// were first set. The zero value is an empty table.
type Table struct {
	array   []Value // the values of 1 to len(array), the last not nil
	index   map[Value]int
	entries []entry
	removed int
	meta    *Table
}

type entry struct{ key, value Value }

// Meta is the table's metatable, nil for none.
func (t *Table) Meta() *Table { return t.meta }

// SetMeta sets the table's metatable.
func (t *Table) SetMeta(meta *Table) { t.meta = meta }

// normal is the key under which a value is kept: floats with an integer's value are that integer.
func normal(key Value) Value {
	if f, ok := key.(float64); ok {
		if i, ok := floatToInteger(f); ok {
			return i
		}
	}
	return key
}

// Get gives the value of a key, without metamethods; nil for none.
func (t *Table) Get(key Value) Value {
	key = normal(key)
	if i, ok := key.(int64); ok && i >= 1 && i <= int64(len(t.array)) {
		return t.array[i-1]
	}
	if i, ok := t.index[key]; ok {
		return t.entries[i].value
	}
	return nil
}

// Set sets the value of a key, without metamethods; nil removes it. The key is neither nil nor NaN.
func (t *Table) Set(key, value Value) {
	key = normal(key)
	if i, ok := key.(int64); ok && i >= 1 {
		switch n := int64(len(t.array)); {
		case i <= n:
			t.array[i-1] = value
			t.trim()
			return
		case i == n+1 && value != nil:
			t.drop(key)
			t.array = append(t.array, value)
			t.migrate()
			return
		}
	}
	t.put(key, value)
}

// setList sets the values of 1, 2, … of a table in its making; nils among them count for its length.
func (t *Table) setList(values []Value) {
	if len(t.index) > 0 {
		for i := range values {
			t.drop(int64(i) + 1)
		}
	}
	if len(values) < len(t.array) {
		copy(t.array, values)
	} else {
		t.array = values
	}
	t.trim()
	t.migrate()
}

// trim keeps the array's last value from being nil.
func (t *Table) trim() {
	for n := len(t.array); n > 0 && t.array[n-1] == nil; n-- {
		t.array = t.array[:n-1]
	}
}

// put sets a key that is not of the array.
func (t *Table) put(key, value Value) {
	if i, ok := t.index[key]; ok {
		if t.entries[i].value == nil && value != nil {
			t.removed--
		} else if t.entries[i].value != nil && value == nil {
			t.removed++
		}
		t.entries[i].value = value // an entry stays when removed, so that Next finds its way
		return
	}
	if value == nil {
		return
	}
	if t.index == nil {
		t.index = map[Value]int{}
	}
	if t.removed > 16 && t.removed > len(t.entries)/2 {
		t.compact()
	}
	t.index[key] = len(t.entries)
	t.entries = append(t.entries, entry{key, value})
}

func (t *Table) drop(key Value) {
	if i, ok := t.index[key]; ok && t.entries[i].value != nil {
		t.entries[i].value = nil
		t.removed++
	}
}

func (t *Table) compact() {
	kept := make([]entry, 0, len(t.entries)-t.removed)
	clear(t.index)
	for _, e := range t.entries {
		if e.value != nil {
			t.index[e.key] = len(kept)
			kept = append(kept, e)
		}
	}
	t.entries, t.removed = kept, 0
}

// migrate takes into the array what continues it.
func (t *Table) migrate() {
	for len(t.index) > 0 {
		key := Value(int64(len(t.array)) + 1)
		i, ok := t.index[key]
		if !ok || t.entries[i].value == nil {
			return
		}
		t.array = append(t.array, t.entries[i].value)
		t.entries[i].value = nil
		t.removed++
	}
}

// Len is a border of the table (section 3.4.7): whatever follows the array without a gap is in it.
func (t *Table) Len() int64 { return int64(len(t.array)) }

// Next gives the key after key and its value; nil begins, and a nil key ends. ok is false for a key
// that the table never had.
func (t *Table) Next(key Value) (next, value Value, ok bool) {
	at := 0
	key = normal(key)
	if i, isInt := key.(int64); isInt && i >= 1 && i <= int64(len(t.array)) {
		at = int(i)
	} else if key != nil {
		j, have := t.index[key]
		if !have {
			if !isInt || i < 1 || i > int64(cap(t.array)) { // else one of the array, removed meanwhile
				return nil, nil, false
			}
			j = -1
		}
		at = len(t.array) + j + 1
	}
	for ; at < len(t.array); at++ {
		if v := t.array[at]; v != nil {
			return int64(at) + 1, v, true
		}
	}
	for at -= len(t.array); at < len(t.entries); at++ {
		if e := t.entries[at]; e.value != nil {
			return e.key, e.value, true
		}
	}
	return nil, nil, true
}

// Append adds a value after the last.
func (t *Table) Append(v Value) { t.Set(t.Len()+1, v) }
