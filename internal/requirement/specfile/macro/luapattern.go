package macro

import (
	"errors"
	"strings"
)

// Lua patterns (Lua 5.4 reference manual, section 6.4.1), as %{gsub:…} takes them. Written for short texts: the
// matcher backtracks, within a bound on its steps.

var (
	errPattern = errors.New("malformed pattern")
	errSteps   = errors.New("pattern takes too long to match")
)

const maxCaptures = 32

type capture struct {
	start, length int // length -1: still open; -2: a position
}

type luaMatcher struct {
	text, pattern string
	captures      []capture
	steps         int
	err           error
}

// luaReplace is string.gsub with a string as the replacement. limit < 0 means no limit.
func luaReplace(text, pattern, replacement string, limit int) (string, error) {
	anchored := strings.HasPrefix(pattern, "^")
	m := &luaMatcher{text: text, pattern: strings.TrimPrefix(pattern, "^")}
	var out strings.Builder
	at := 0
	for count := 0; limit < 0 || count < limit; {
		m.captures = m.captures[:0]
		stop := m.match(at, 0, 0)
		if m.err != nil {
			return "", m.err
		}
		if stop >= 0 {
			count++
			if err := m.replace(&out, replacement, at, stop); err != nil {
				return "", err
			}
		}
		switch {
		case stop > at:
			at = stop
		case at < len(text):
			out.WriteByte(text[at])
			at++
		default:
			return out.String(), nil
		}
		if anchored || out.Len() > 1<<20 {
			break
		}
	}
	out.WriteString(text[at:])
	return out.String(), nil
}

// replace writes a replacement with its %0 … %9.
func (m *luaMatcher) replace(out *strings.Builder, replacement string, start, stop int) error {
	for i := 0; i < len(replacement); i++ {
		c := replacement[i]
		if c != '%' {
			out.WriteByte(c)
			continue
		}
		if i++; i >= len(replacement) {
			return errors.New("invalid use of % in the replacement")
		}
		switch c = replacement[i]; {
		case c == '%':
			out.WriteByte('%')
		case c == '0' || c == '1' && len(m.captures) == 0:
			out.WriteString(m.text[start:stop])
		case c >= '1' && c <= '9' && int(c-'1') < len(m.captures):
			group := m.captures[c-'1']
			if group.length >= 0 {
				out.WriteString(m.text[group.start : group.start+group.length])
			}
		default:
			return errors.New("invalid use of % in the replacement")
		}
	}
	return nil
}

// match returns where a match of pattern[p:] at text[s] ends, or -1.
func (m *luaMatcher) match(s, p, depth int) int {
	if m.steps++; m.steps > 1<<17 || depth > 200 {
		m.err = errSteps
	}
	if m.err != nil {
		return -1
	}
	if p == len(m.pattern) {
		return s
	}
	switch c := m.pattern[p]; {
	case c == '(':
		return m.open(s, p, depth)
	case c == ')':
		return m.close(s, p, depth)
	case c == '$' && p+1 == len(m.pattern):
		if s == len(m.text) {
			return s
		}
		return -1
	case c == '%' && p+1 < len(m.pattern):
		switch next := m.pattern[p+1]; {
		case next == 'b' || next == 'f':
			m.err = errPattern // %b and %f appear in no spec
			return -1
		case next >= '1' && next <= '9':
			return m.backReference(s, p, depth)
		}
	}
	return m.item(s, p, depth)
}

func (m *luaMatcher) open(s, p, depth int) int {
	if len(m.captures) >= maxCaptures {
		m.err = errPattern
		return -1
	}
	c := capture{start: s, length: -1}
	skip := 1
	if p+1 < len(m.pattern) && m.pattern[p+1] == ')' {
		c.length, skip = -2, 2
	}
	m.captures = append(m.captures, c)
	stop := m.match(s, p+skip, depth+1)
	if stop < 0 && len(m.captures) > 0 {
		m.captures = m.captures[:len(m.captures)-1]
	}
	return stop
}

func (m *luaMatcher) close(s, p, depth int) int {
	for i := len(m.captures) - 1; i >= 0; i-- {
		if m.captures[i].length != -1 {
			continue
		}
		m.captures[i].length = s - m.captures[i].start
		stop := m.match(s, p+1, depth+1)
		if stop < 0 {
			m.captures[i].length = -1
		}
		return stop
	}
	m.err = errPattern
	return -1
}

func (m *luaMatcher) backReference(s, p, depth int) int {
	n := int(m.pattern[p+1] - '1')
	if n >= len(m.captures) || m.captures[n].length < 0 {
		m.err = errPattern
		return -1
	}
	group := m.text[m.captures[n].start : m.captures[n].start+m.captures[n].length]
	if !strings.HasPrefix(m.text[s:], group) {
		return -1
	}
	return m.match(s+len(group), p+2, depth+1)
}

// item matches a single-character class with its repetition, and what follows.
func (m *luaMatcher) item(s, p, depth int) int {
	after := m.classEnd(p)
	if m.err != nil {
		return -1
	}
	class := m.pattern[p:after]
	one := func(i int) bool { return i < len(m.text) && classMatches(class, m.text[i]) }
	if after < len(m.pattern) {
		switch m.pattern[after] {
		case '?':
			if one(s) {
				if stop := m.match(s+1, after+1, depth+1); stop >= 0 {
					return stop
				}
			}
			return m.match(s, after+1, depth+1)
		case '+', '*':
			most := 0
			for one(s + most) {
				most++
			}
			least := 0
			if m.pattern[after] == '+' {
				least = 1
			}
			for n := most; n >= least; n-- {
				if stop := m.match(s+n, after+1, depth+1); stop >= 0 {
					return stop
				}
			}
			return -1
		case '-':
			for n := 0; ; n++ {
				if stop := m.match(s+n, after+1, depth+1); stop >= 0 || m.err != nil {
					return stop
				}
				if !one(s + n) {
					return -1
				}
			}
		}
	}
	if !one(s) {
		return -1
	}
	return m.match(s+1, after, depth+1)
}

// classEnd returns the index after the class that starts at pattern[p].
func (m *luaMatcher) classEnd(p int) int {
	c := m.pattern[p]
	p++
	switch c {
	case '%':
		if p >= len(m.pattern) {
			m.err = errPattern
		}
		return p + 1
	case '[':
		if p < len(m.pattern) && m.pattern[p] == '^' {
			p++
		}
		for first := true; ; first = false {
			if p >= len(m.pattern) {
				m.err = errPattern
				return p
			}
			if m.pattern[p] == ']' && !first {
				return p + 1
			}
			if m.pattern[p] == '%' {
				p++
			}
			p++
		}
	}
	return p
}

func classMatches(class string, c byte) bool {
	switch {
	case class == ".":
		return true
	case class[0] == '%':
		return letterMatches(class[1], c)
	case class[0] == '[' && len(class) > 1:
		return setMatches(class[1:len(class)-1], c)
	default:
		return class[0] == c
	}
}

func setMatches(set string, c byte) bool {
	negate := strings.HasPrefix(set, "^")
	set = strings.TrimPrefix(set, "^")
	for i := 0; i < len(set); i++ {
		switch {
		case set[i] == '%' && i+1 < len(set):
			i++
			if letterMatches(set[i], c) {
				return !negate
			}
		case i+2 < len(set) && set[i+1] == '-':
			if set[i] <= c && c <= set[i+2] {
				return !negate
			}
			i += 2
		case set[i] == c:
			return !negate
		}
	}
	return negate
}

func letterMatches(letter, c byte) bool {
	var in bool
	lower := c >= 'a' && c <= 'z'
	upper := c >= 'A' && c <= 'Z'
	digit := c >= '0' && c <= '9'
	graphic := c > ' ' && c < 0x7f
	switch letter | 0x20 {
	case 'a':
		in = lower || upper
	case 'd':
		in = digit
	case 'l':
		in = lower
	case 'u':
		in = upper
	case 'w':
		in = lower || upper || digit
	case 's':
		in = c == ' ' || c >= '\t' && c <= '\r'
	case 'p':
		in = graphic && !lower && !upper && !digit
	case 'c':
		in = c < ' ' || c == 0x7f
	case 'g':
		in = graphic
	case 'x':
		in = digit || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
	default:
		return letter == c
	}
	if letter >= 'A' && letter <= 'Z' {
		return !in
	}
	return in
}
