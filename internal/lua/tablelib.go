package lua

import (
	"math"
	"strings"
)

func (s *State) openTable() {
	t := &Table{}
	s.Register(t, "table", map[string]Native{
		"concat": tableConcat, "insert": tableInsert, "move": tableMove, "pack": tablePack, "remove": tableRemove,
		"sort": tableSort, "unpack": tableUnpack,
	})
	s.Globals.Set("table", t)
}

// list is argument i as something with elements, through its metamethods where it has them.
func (c *Call) list(i int) Value {
	v := c.Arg(i)
	if _, ok := v.(*Table); !ok && (c.State.metamethod(v, "__index") == nil || c.State.metamethod(v, "__len") == nil) {
		c.wrongType(i, "table")
	}
	return v
}

func (c *Call) lengthOf(v Value) int64 {
	n, ok := c.State.length(v, nil).(int64)
	if !ok {
		c.Throw("object length is not an integer")
	}
	return n
}

func (c *Call) get(t Value, i int64) Value {
	c.State.step()
	return c.State.index(t, i, nil)
}

func (c *Call) set(t Value, i int64, v Value) { c.State.setIndex(t, i, v, nil) }

func tableConcat(c *Call) []Value {
	t := c.list(0)
	sep := c.StringOr(1, "")
	i, j := c.IntegerOr(2, 1), int64(0)
	if c.Given(3) {
		j = c.Integer(3)
	} else {
		j = c.lengthOf(t)
	}
	var b strings.Builder
	for at := i; at <= j; at++ {
		v := c.get(t, at)
		piece, ok := text(v)
		if !ok {
			c.Throw("invalid value (%s) at index %d in table for 'concat'", c.State.typeName(v), at)
		}
		if b.WriteString(piece); at < j {
			b.WriteString(sep)
		}
		c.State.useString(len(piece) + len(sep))
		if at == math.MaxInt64 {
			break
		}
	}
	return []Value{b.String()}
}

func tableInsert(c *Call) []Value {
	t := c.list(0)
	n := c.lengthOf(t) + 1
	switch len(c.Args) {
	case 2:
		c.set(t, n, c.Args[1])
	case 3:
		at := c.Integer(1)
		if at < 1 || at > n {
			c.BadArgument(1, "position out of bounds")
		}
		for i := n; i > at; i-- {
			c.set(t, i, c.get(t, i-1))
		}
		c.set(t, at, c.Args[2])
	default:
		c.Throw("wrong number of arguments to 'insert'")
	}
	return nil
}

func tableRemove(c *Call) []Value {
	t := c.list(0)
	n := c.lengthOf(t)
	at := n
	if len(c.Args) > 1 {
		if at = c.Integer(1); n+1 != at && (at < 1 || at > n+1) && !(n == 0 && at == 0) {
			c.BadArgument(1, "position out of bounds")
		}
	}
	v := c.get(t, at)
	for ; at < n; at++ {
		c.set(t, at, c.get(t, at+1))
	}
	c.set(t, at, nil)
	return []Value{v}
}

func tableMove(c *Call) []Value {
	from := c.list(0)
	f, e, at := c.Integer(1), c.Integer(2), c.Integer(3)
	to := from
	if c.Given(4) {
		to = c.list(4)
	}
	if e < f {
		return []Value{to}
	}
	if f <= 0 && e >= math.MaxInt64+f {
		c.BadArgument(2, "too many elements to move")
	}
	n := e - f + 1
	if at > math.MaxInt64-n+1 {
		c.BadArgument(3, "destination wrap around")
	}
	if at > e || at <= f || to != from {
		for i := range n {
			c.set(to, at+i, c.get(from, f+i))
		}
	} else {
		for i := n - 1; i >= 0; i-- {
			c.set(to, at+i, c.get(from, f+i))
		}
	}
	return []Value{to}
}

func tablePack(c *Call) []Value {
	t := &Table{}
	t.setList(append([]Value(nil), c.Args...))
	t.Set("n", int64(len(c.Args)))
	c.State.use(entrySize * uint64(len(c.Args)))
	return []Value{t}
}

func tableUnpack(c *Call) []Value {
	t := c.Arg(0)
	i, j := c.IntegerOr(1, 1), int64(0)
	if c.Given(2) {
		j = c.Integer(2)
	} else {
		j = c.lengthOf(t)
	}
	if i > j {
		return nil
	}
	if n := uint64(j) - uint64(i); n >= maxResults {
		c.Throw("too many results to unpack")
	}
	out := make([]Value, 0, j-i+1)
	for at := i; ; at++ {
		out = append(out, c.get(t, at))
		if at == j {
			return out
		}
	}
}

// tableSort sorts, with the program's own comparison if it gives one. Equal elements keep their order; an
// inconsistent comparison makes a wrong order, never an error.
func tableSort(c *Call) []Value {
	t := c.list(0)
	n := c.lengthOf(t)
	if n > 1<<24 {
		c.BadArgument(0, "array too big")
	}
	less := func(a, b Value) bool { return c.State.less(a, b) }
	if c.Given(1) {
		fn := c.Function(1)
		less = func(a, b Value) bool { return Truth(first(c.State.call(fn, []Value{a, b}, nil))) }
	}
	values := make([]Value, n)
	for i := range values {
		values[i] = c.get(t, int64(i)+1)
	}
	sorter{c, less}.sort(values)
	for i, v := range values {
		c.set(t, int64(i)+1, v)
	}
	return nil
}

type sorter struct {
	c    *Call
	less func(a, b Value) bool
}

// sort is a merge sort: it asks for few comparisons and copes with any answers.
func (s sorter) sort(v []Value) {
	if len(v) < 2 {
		return
	}
	half := len(v) / 2
	left := append([]Value(nil), v[:half]...)
	right := append([]Value(nil), v[half:]...)
	s.sort(left)
	s.sort(right)
	for i := range v {
		if len(left) == 0 || len(right) > 0 && s.less(right[0], left[0]) {
			v[i], right = right[0], right[1:]
		} else {
			v[i], left = left[0], left[1:]
		}
	}
}
