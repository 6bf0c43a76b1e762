package lua

func (s *State) openUTF8() {
	t := &Table{}
	s.Register(t, "utf8", map[string]Native{
		"char": utf8Char, "codepoint": utf8Codepoint, "codes": utf8Codes, "len": utf8Len, "offset": utf8Offset,
	})
	t.Set("charpattern", "[\x00-\x7F\xC2-\xFD][\x80-\xBF]*")
	s.Globals.Set("utf8", t)
}

// decodeUTF8 reads one sequence of up to six bytes; size is 0 for an invalid one. Strictly, there
// are only characters of Unicode.
func decodeUTF8(s string, strict bool) (code uint32, size int) {
	if s == "" {
		return 0, 0
	}
	first := s[0]
	if first < 0x80 {
		return uint32(first), 1
	}
	n := 0
	for mask := byte(0x40); first&mask != 0; mask >>= 1 {
		n++
		if n >= len(s) || n > 5 || s[n]&0xc0 != 0x80 {
			return 0, 0
		}
		code = code<<6 | uint32(s[n]&0x3f)
	}
	if n == 0 {
		return 0, 0
	}
	code |= uint32(first&(0x7f>>(n+1))) << (6 * n)
	limits := [...]uint32{0x80, 0x80, 0x800, 0x10000, 0x200000, 0x4000000}
	if code < limits[n] || strict && (code > 0x10ffff || code >= 0xd800 && code <= 0xdfff) {
		return 0, 0
	}
	return code, n + 1
}

func utf8Char(c *Call) []Value {
	var b []byte
	for i := range c.Args {
		n := c.Integer(i)
		if n < 0 || n > 0x7fffffff {
			c.BadArgument(i, "value out of range")
		}
		b = encodeUTF8(b, uint32(n))
	}
	return []Value{string(b)}
}

// position is a position that may count from the end.
func position(i int64, length int) int64 {
	switch {
	case i >= 0:
		return i
	case -i > int64(length):
		return 0
	}
	return int64(length) + i + 1
}

func utf8Codepoint(c *Call) []Value {
	s := c.String(0)
	i := position(c.IntegerOr(1, 1), len(s))
	j := position(c.IntegerOr(2, i), len(s))
	strict := !Truth(c.Arg(3))
	if i < 1 {
		c.BadArgument(1, "out of bounds")
	}
	if j > int64(len(s)) {
		c.BadArgument(2, "out of bounds")
	}
	var out []Value
	for at := int(i) - 1; at < int(j); {
		code, size := decodeUTF8(s[at:], strict)
		if size == 0 {
			c.Throw("invalid UTF-8 code")
		}
		if out = append(out, int64(code)); len(out) > maxResults {
			c.Throw("string slice too long")
		}
		at += size
	}
	return out
}

func utf8Codes(c *Call) []Value {
	s := c.String(0)
	strict := !Truth(c.Arg(1))
	return []Value{NewFunction("codes_next", func(c *Call) []Value {
		at := int(c.Integer(1))
		if at > 0 && at <= len(s) { // past the rest of the last one
			for ; at < len(s) && s[at]&0xc0 == 0x80; at++ {
			}
		}
		if at < 0 || at >= len(s) {
			return nil
		}
		code, size := decodeUTF8(s[at:], strict)
		if size == 0 || at+size < len(s) && s[at+size]&0xc0 == 0x80 {
			c.Throw("invalid UTF-8 code")
		}
		return []Value{int64(at) + 1, int64(code)}
	}), s, int64(0)}
}

func utf8Len(c *Call) []Value {
	s := c.String(0)
	i, j := position(c.IntegerOr(1, 1), len(s)), position(c.IntegerOr(2, -1), len(s))
	strict := !Truth(c.Arg(3))
	if i < 1 || i > int64(len(s))+1 {
		c.BadArgument(1, "initial position out of bounds")
	}
	if j > int64(len(s)) {
		c.BadArgument(2, "final position out of bounds")
	}
	n := int64(0)
	for at := int(i) - 1; at < int(j); n++ {
		_, size := decodeUTF8(s[at:], strict)
		if size == 0 {
			return []Value{nil, int64(at) + 1}
		}
		at += size
	}
	return []Value{n}
}

func utf8Offset(c *Call) []Value {
	s, n := c.String(0), c.Integer(1)
	or := int64(1)
	if n <= 0 {
		or = int64(len(s)) + 1
	}
	i := position(c.IntegerOr(2, or), len(s)) - 1
	if i < 0 || i > int64(len(s)) {
		c.BadArgument(2, "position out of bounds")
	}
	at := int(i)
	inside := func(at int) bool { return at >= 0 && at < len(s) && s[at]&0xc0 == 0x80 }
	if n == 0 {
		for at > 0 && inside(at) {
			at--
		}
		return []Value{int64(at) + 1}
	}
	if inside(at) {
		c.Throw("initial position is a continuation byte")
	}
	if n < 0 {
		for ; n < 0 && at > 0; n++ {
			for at--; at > 0 && inside(at); at-- {
			}
		}
	} else {
		for n--; n > 0 && at < len(s); n-- {
			for at++; inside(at); at++ {
			}
		}
	}
	if n != 0 {
		return []Value{nil}
	}
	return []Value{int64(at) + 1}
}
