package lua

import (
	"fmt"
	"strings"
)

func (s *State) openLibraries() {
	g := s.Globals
	g.Set("_G", g)
	g.Set("_VERSION", "Lua 5.4")
	s.Register(g, "", baseFunctions)
	s.openString()
	s.openTable()
	s.openMath()
	s.openUTF8()
	s.openCoroutine()
	debug := &Table{}
	s.Register(debug, "debug", map[string]Native{"traceback": debugTraceback, "getinfo": debugGetInfo})
	g.Set("debug", debug)
}

// Register puts native functions into a table, as "library.name" in messages; without a library, as
// "name".
func (s *State) Register(t *Table, library string, functions map[string]Native) {
	for _, name := range sortedNames(functions) {
		full := name
		if library != "" {
			full = library + "." + name
		}
		t.Set(name, NewFunction(full, functions[name]))
	}
}

var baseFunctions = map[string]Native{
	"assert": baseAssert, "collectgarbage": baseCollect, "error": baseError, "getmetatable": baseGetMetatable,
	"ipairs": baseIpairs, "load": baseLoad, "next": baseNext, "pairs": basePairs, "pcall": basePcall, "print": basePrint,
	"rawequal": func(c *Call) []Value { return []Value{RawEqual(c.Any(0), c.Any(1))} },
	"rawget":   func(c *Call) []Value { return []Value{c.Table(0).Get(c.Any(1))} },
	"rawlen":   baseRawlen, "rawset": baseRawset, "select": baseSelect, "setmetatable": baseSetMetatable,
	"tonumber": baseToNumber,
	"tostring": func(c *Call) []Value { return []Value{c.State.ToString(c.Any(0))} },
	"type":     func(c *Call) []Value { return []Value{TypeName(c.Any(0))} },
	"xpcall":   baseXpcall,
}

func baseAssert(c *Call) []Value {
	if Truth(c.Any(0)) {
		return c.Args
	}
	if len(c.Args) > 1 {
		c.throwValue(c.Args[1], 1)
	}
	c.Throw("assertion failed!")
	return nil
}

// baseCollect answers what programs ask; Go collects by itself.
func baseCollect(c *Call) []Value {
	switch c.Option(0, "collect", "collect", "stop", "restart", "count", "step", "isrunning", "generational", "incremental") {
	case 3:
		return []Value{float64(0)}
	case 4, 5:
		return []Value{true}
	case 6, 7:
		return []Value{"incremental"}
	}
	return []Value{int64(0)}
}

func baseError(c *Call) []Value {
	c.throwValue(c.Arg(0), c.IntegerOr(1, 1))
	return nil
}

// throwValue throws any value; in front of a string it puts the position of a level of calls.
func (c *Call) throwValue(v Value, level int64) {
	if msg, ok := v.(string); ok && level > 0 && level < 1<<20 {
		v = c.State.where(int(level)+1) + msg
	}
	panic(&Error{Value: v})
}

func baseGetMetatable(c *Call) []Value {
	meta := c.State.metatable(c.Any(0))
	if meta == nil {
		return []Value{nil}
	}
	if protected := meta.Get("__metatable"); protected != nil {
		return []Value{protected}
	}
	return []Value{meta}
}

func baseSetMetatable(c *Call) []Value {
	t := c.Table(0)
	meta, ok := c.Arg(1).(*Table)
	if !ok && (c.Arg(1) != nil || !c.Has(1)) {
		c.wrongType(1, "nil or table")
	}
	if t.meta != nil && t.meta.Get("__metatable") != nil {
		c.Throw("cannot change a protected metatable")
	}
	t.meta = meta
	return []Value{t}
}

func baseIpairs(c *Call) []Value { return []Value{ipairsNext, c.Any(0), int64(0)} }

var ipairsNext = NewFunction("ipairs_next", func(c *Call) []Value {
	i := c.Integer(1) + 1
	v := c.State.index(c.Args[0], i, nil)
	if v == nil {
		return []Value{nil}
	}
	return []Value{i, v}
})

var next = NewFunction("next", baseNext)

func baseNext(c *Call) []Value {
	key, v, ok := c.Table(0).Next(c.Arg(1))
	if !ok {
		panic(&Error{Value: "invalid key to 'next'"})
	}
	if key == nil {
		return []Value{nil}
	}
	return []Value{key, v}
}

func basePairs(c *Call) []Value {
	v := c.Any(0)
	if method := c.State.metamethod(v, "__pairs"); method != nil {
		r := append(c.State.call(method, []Value{v}, nil), nil, nil, nil)
		return r[:3]
	}
	c.Table(0)
	return []Value{next, v, nil}
}

func baseLoad(c *Call) []Value {
	source, isText := text(c.Arg(0))
	name := source
	switch chunk := c.Arg(0).(type) {
	case *Function:
		name = "=(load)"
		var b strings.Builder
		for {
			piece := first(c.State.call(chunk, nil, nil))
			if piece == nil || piece == "" {
				break
			}
			p, ok := piece.(string)
			if !ok {
				c.Throw("reader function must return a string")
			}
			if b.WriteString(p); b.Len() > maxSource {
				break
			}
		}
		source = b.String()
	default:
		if !isText {
			c.wrongType(0, "string")
		}
	}
	name = c.StringOr(1, name)
	mode := c.StringOr(2, "bt")
	env := Value(c.State.Globals)
	if len(c.Args) > 3 {
		env = c.Args[3]
	}
	kind := "text"
	if strings.HasPrefix(source, "\x1bLua") {
		kind = "binary"
	}
	if !strings.Contains(mode, kind[:1]) {
		return []Value{nil, fmt.Sprintf("attempt to load a %s chunk (mode is '%s')", kind, mode)}
	}
	fn, err := c.State.load(source, name, env)
	if err != nil {
		return []Value{nil, err.Error()}
	}
	return []Value{fn}
}

// caught passes on errors that a program cannot catch.
func caught(err *Error) Value {
	if err.limit {
		panic(err)
	}
	return err.Value
}

func basePcall(c *Call) []Value {
	fn := c.Any(0)
	results, err := c.State.protect(func() []Value { return c.State.call(fn, c.Args[1:], nil) })
	if err != nil {
		return []Value{false, caught(err)}
	}
	return append([]Value{true}, results...)
}

func baseXpcall(c *Call) []Value {
	handler := c.Function(1)
	var handled []Value
	results, err := c.State.protectWith(func(e *Error) {
		if e.limit {
			return
		}
		var failed *Error
		if handled, failed = c.State.protect(func() []Value { return c.State.call(handler, []Value{e.Value}, nil) }); failed != nil {
			handled = []Value{caught(failed)}
		}
	}, func() []Value { return c.State.call(c.Args[0], c.Args[2:], nil) })
	if err != nil {
		caught(err)
		return append([]Value{false}, handled...)
	}
	return append([]Value{true}, results...)
}

func basePrint(c *Call) []Value {
	parts := make([]string, len(c.Args))
	for i, v := range c.Args {
		parts[i] = c.State.ToString(v)
	}
	if c.State.Output != nil {
		// As print of C does, whose standard output may be closed.
		_, _ = fmt.Fprintln(c.State.Output, strings.Join(parts, "\t"))
	}
	return nil
}

func baseRawlen(c *Call) []Value {
	switch v := c.Arg(0).(type) {
	case *Table:
		return []Value{v.Len()}
	case string:
		return []Value{int64(len(v))}
	}
	c.BadArgument(0, "table or string expected")
	return nil
}

func baseRawset(c *Call) []Value {
	t := c.Table(0)
	c.State.checkKey(c.Any(1))
	c.State.use(entrySize)
	t.Set(c.Args[1], c.Any(2))
	return []Value{t}
}

func baseSelect(c *Call) []Value {
	if c.Arg(0) == "#" {
		return []Value{int64(len(c.Args) - 1)}
	}
	n, count := c.Integer(0), int64(len(c.Args)-1)
	switch {
	case n < 0:
		n += count + 1
		if n < 1 {
			c.BadArgument(0, "index out of range")
		}
	case n == 0:
		c.BadArgument(0, "index out of range")
	case n > count:
		return nil
	}
	return c.Args[n:]
}

func baseToNumber(c *Call) []Value {
	if !c.Given(1) {
		if n, ok := toNumber(c.Any(0)); ok {
			return []Value{n}
		}
		return []Value{nil}
	}
	base := c.Integer(1)
	source, ok := c.Arg(0).(string)
	if !ok {
		c.wrongType(0, "string")
	}
	if base < 2 || base > 36 {
		c.BadArgument(1, "base out of range")
	}
	source = strings.Trim(source, space)
	digits := strings.TrimPrefix(source, "-")
	if digits == "" {
		return []Value{nil}
	}
	var n int64
	for i := range len(digits) {
		d := int64(99)
		switch ch := digits[i] | 0x20; {
		case isDigit(digits[i]):
			d = int64(digits[i] - '0')
		case ch >= 'a' && ch <= 'z':
			d = int64(ch-'a') + 10
		}
		if d >= base {
			return []Value{nil}
		}
		n = n*base + d
	}
	if digits != source {
		n = -n
	}
	return []Value{n}
}

func debugTraceback(c *Call) []Value {
	if v := c.Arg(0); v != nil {
		if _, ok := text(v); !ok {
			return []Value{v}
		}
	}
	out := c.State.traceback(int(min(max(c.IntegerOr(1, 1), 0), 1<<20)) + 1)
	if msg, ok := text(c.Arg(0)); ok {
		out = msg + "\n" + out
	}
	return []Value{out}
}

// debugGetInfo tells where a function or a level of calls is.
func debugGetInfo(c *Call) []Value {
	info := &Table{}
	fn, line := (*Function)(nil), int64(-1)
	switch v := c.Any(0).(type) {
	case *Function:
		fn = v
	default:
		n := int(c.Integer(0)) + 1
		if n < 1 || n > len(c.State.stack) {
			return []Value{nil}
		}
		if l := c.State.stack[len(c.State.stack)-n]; l.frame != nil {
			fn, line = l.frame.fn, int64(l.frame.line)
		} else {
			fn = l.native
		}
	}
	info.Set("func", fn)
	info.Set("currentline", line)
	if fn.Native != nil {
		info.Set("what", "C")
		info.Set("short_src", "[C]")
		info.Set("source", "=[C]")
		info.Set("name", fn.Name)
		return []Value{info}
	}
	info.Set("what", "Lua")
	info.Set("short_src", fn.proto.chunk)
	info.Set("source", "="+fn.proto.chunk)
	info.Set("name", fn.proto.name)
	info.Set("linedefined", int64(fn.proto.line))
	return []Value{info}
}
