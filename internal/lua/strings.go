package lua

import (
	"bytes"
	"strings"
)

func (s *State) openString() {
	t := &Table{}
	s.Register(t, "string", map[string]Native{
		"byte": stringByte, "char": stringChar, "find": func(c *Call) []Value { return stringFind(c, true) },
		"format": stringFormat, "gmatch": stringGmatch, "gsub": stringGsub,
		"len":   func(c *Call) []Value { return []Value{int64(len(c.String(0)))} },
		"lower": func(c *Call) []Value { return []Value{mapASCII(c.String(0), 'A', 'Z')} },
		"upper": func(c *Call) []Value { return []Value{mapASCII(c.String(0), 'a', 'z')} },
		"match": func(c *Call) []Value { return stringFind(c, false) },
		"rep":   stringRep, "reverse": stringReverse, "sub": stringSub,
	})
	s.Globals.Set("string", t)
	s.stringMeta = &Table{}
	s.stringMeta.Set("__index", t)
}

// mapASCII changes the case of letters in a range.
func mapASCII(s string, from, to byte) string {
	b := []byte(s)
	for i, ch := range b {
		if ch >= from && ch <= to {
			b[i] ^= 0x20
		}
	}
	return string(b)
}

// start makes a position, which may count from the end, one from 1 on.
func start(i, length int64) int64 {
	switch {
	case i > 0:
		return i
	case i == 0 || i < -length:
		return 1
	}
	return length + i + 1
}

// end makes a position one up to the length.
func end(i, length int64) int64 {
	switch {
	case i > length:
		return length
	case i >= 0:
		return i
	case i < -length:
		return 0
	}
	return length + i + 1
}

func stringSub(c *Call) []Value {
	s := c.String(0)
	i, j := start(c.Integer(1), int64(len(s))), end(c.IntegerOr(2, -1), int64(len(s)))
	if i > j {
		return []Value{""}
	}
	return []Value{s[i-1 : j]}
}

func stringByte(c *Call) []Value {
	s := c.String(0)
	at := c.IntegerOr(1, 1)
	i, j := start(at, int64(len(s))), end(c.IntegerOr(2, start(at, int64(len(s)))), int64(len(s)))
	if j-i >= maxResults {
		c.Throw("string slice too long")
	}
	var out []Value
	for ; i <= j; i++ {
		out = append(out, int64(s[i-1]))
	}
	return out
}

func stringChar(c *Call) []Value {
	b := make([]byte, len(c.Args))
	for i := range c.Args {
		n := c.Integer(i)
		if n < 0 || n > 255 {
			c.BadArgument(i, "value out of range")
		}
		b[i] = byte(n)
	}
	return []Value{string(b)}
}

func stringRep(c *Call) []Value {
	s, n, sep := c.String(0), c.Integer(1), c.StringOr(2, "")
	if n <= 0 {
		return []Value{""}
	}
	each := int64(len(s) + len(sep))
	if each > 0 && n >= (1<<31)/each {
		c.Throw("resulting string too large")
	}
	if each == 0 {
		return []Value{""}
	}
	c.State.useString(int(each * n))
	if sep == "" {
		return []Value{strings.Repeat(s, int(n))}
	}
	return []Value{strings.Repeat(s+sep, int(n-1)) + s}
}

func stringReverse(c *Call) []Value {
	s := c.String(0)
	b := make([]byte, len(s))
	for i := range len(s) {
		b[len(s)-1-i] = s[i]
	}
	return []Value{string(b)}
}

func stringFind(c *Call, find bool) []Value {
	s, pattern := c.String(0), c.String(1)
	init := start(c.IntegerOr(2, 1), int64(len(s))) - 1
	if init > int64(len(s)) {
		return []Value{nil}
	}
	at := int(init)
	if find && (Truth(c.Arg(3)) || !strings.ContainsAny(pattern, "^$*+?.([%-")) {
		i := strings.Index(s[at:], pattern)
		if i < 0 {
			return []Value{nil}
		}
		return []Value{int64(at + i + 1), int64(at + i + len(pattern))}
	}
	m := &matcher{c: c, src: s, pat: pattern}
	anchored := strings.HasPrefix(pattern, "^")
	if anchored {
		m.pat = pattern[1:]
	}
	for ; at <= len(s); at++ {
		m.level = 0
		if e := m.match(at, 0); e >= 0 {
			if find {
				return append([]Value{int64(at + 1), int64(e)}, m.all(at, e, false)...)
			}
			return m.all(at, e, true)
		}
		if anchored {
			break
		}
	}
	return []Value{nil}
}

func stringGmatch(c *Call) []Value {
	s, pattern := c.String(0), c.String(1)
	init := start(c.IntegerOr(2, 1), int64(len(s))) - 1
	at, last := int(min(init, int64(len(s))+1)), -1
	return []Value{NewFunction("gmatch_next", func(c *Call) []Value {
		m := &matcher{c: c, src: s, pat: pattern}
		for ; at <= len(s); at++ {
			m.level = 0
			if e := m.match(at, 0); e >= 0 && e != last {
				from := at
				at, last = e, e
				return m.all(from, e, true)
			}
		}
		return []Value{nil}
	})}
}

func stringGsub(c *Call) []Value {
	s, pattern := c.String(0), c.String(1)
	switch c.Arg(2).(type) {
	case string, int64, float64, *Table, *Function:
	default:
		c.wrongType(2, "string/function/table")
	}
	most := c.IntegerOr(3, int64(len(s))+1)
	m := &matcher{c: c, src: s, pat: pattern}
	anchored := strings.HasPrefix(pattern, "^")
	if anchored {
		m.pat = pattern[1:]
	}
	var b bytes.Buffer
	at, last, n := 0, -1, int64(0)
	for n < most {
		m.level = 0
		if e := m.match(at, 0); e >= 0 && e != last {
			n++
			m.replace(&b, at, e)
			c.State.useString(b.Len() / 16)
			at, last = e, e
		} else if at < len(s) {
			b.WriteByte(s[at])
			at++
		} else {
			break
		}
		if anchored {
			break
		}
	}
	if at < len(s) {
		b.WriteString(s[at:])
	}
	return []Value{b.String(), n}
}

// replace writes what a match is replaced by.
func (m *matcher) replace(b *bytes.Buffer, start, end int) {
	var v Value
	switch r := m.c.Args[2].(type) {
	case *Function:
		v = first(m.c.State.call(r, m.all(start, end, true), nil))
	case *Table:
		v = m.c.State.index(r, m.capture(0, start, end), nil)
	default:
		template, _ := text(r)
		m.expand(b, template, start, end)
		return
	}
	if !Truth(v) {
		b.WriteString(m.src[start:end])
		return
	}
	t, ok := text(v)
	if !ok {
		m.c.Throw("invalid replacement value (a %s)", m.c.State.typeName(v))
	}
	b.WriteString(t)
}

func (m *matcher) expand(b *bytes.Buffer, template string, start, end int) {
	for i := 0; i < len(template); i++ {
		if template[i] != '%' {
			b.WriteByte(template[i])
			continue
		}
		if i++; i >= len(template) {
			m.c.Throw("invalid use of '%%' in replacement string")
		}
		switch ch := template[i]; {
		case ch == '%':
			b.WriteByte('%')
		case ch == '0':
			b.WriteString(m.src[start:end])
		case isDigit(ch):
			t, _ := text(m.capture(int(ch-'1'), start, end))
			b.WriteString(t)
		default:
			m.c.Throw("invalid use of '%%' in replacement string")
		}
	}
}
