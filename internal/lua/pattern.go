package lua

import "strings"

const (
	maxCaptures     = 32
	maxPatternDepth = 200

	positionCapture = -2
	openCapture     = -1
)

// matcher matches a pattern (section 6.4.1).
type matcher struct {
	c        *Call
	src, pat string
	level    int
	captures [maxCaptures]struct{ start, length int }
	depth    int
}

// match gives the end of the match of the pattern from p at s, -1 for none.
func (m *matcher) match(s, p int) int {
	if m.depth++; m.depth > maxPatternDepth {
		m.c.Throw("pattern too complex")
	}
	defer func() { m.depth-- }()
	for {
		m.c.State.step()
		if p == len(m.pat) {
			return s
		}
		switch m.pat[p] {
		case '(':
			if p+1 < len(m.pat) && m.pat[p+1] == ')' {
				return m.open(s, p+2, positionCapture)
			}
			return m.open(s, p+1, openCapture)
		case ')':
			return m.close(s, p+1)
		case '$':
			if p+1 == len(m.pat) {
				if s == len(m.src) {
					return s
				}
				return -1
			}
		case '%':
			if p+1 < len(m.pat) {
				switch ch := m.pat[p+1]; {
				case ch == 'b':
					if s = m.balanced(s, p+2); s < 0 {
						return -1
					}
					p += 4
					continue
				case ch == 'f':
					p += 2
					if p >= len(m.pat) || m.pat[p] != '[' {
						m.c.Throw("missing '[' after '%%f' in pattern")
					}
					end := m.classEnd(p)
					var before, after byte
					if s > 0 {
						before = m.src[s-1]
					}
					if s < len(m.src) {
						after = m.src[s]
					}
					if m.inSet(before, p, end-1) || !m.inSet(after, p, end-1) {
						return -1
					}
					p = end
					continue
				case isDigit(ch):
					if s = m.backReference(s, ch); s < 0 {
						return -1
					}
					p += 2
					continue
				}
			}
		}
		end := m.classEnd(p)
		var suffix byte
		if end < len(m.pat) {
			suffix = m.pat[end]
		}
		switch suffix {
		case '?':
			if m.single(s, p, end) {
				if r := m.match(s+1, end+1); r >= 0 {
					return r
				}
			}
			p = end + 1
		case '+':
			if !m.single(s, p, end) {
				return -1
			}
			return m.most(s+1, p, end)
		case '*':
			return m.most(s, p, end)
		case '-':
			return m.least(s, p, end)
		default:
			if !m.single(s, p, end) {
				return -1
			}
			s++
			p = end
		}
	}
}

func (m *matcher) most(s, p, end int) int {
	n := 0
	for m.single(s+n, p, end) {
		m.c.State.step()
		n++
	}
	for ; n >= 0; n-- {
		if r := m.match(s+n, end+1); r >= 0 {
			return r
		}
	}
	return -1
}

func (m *matcher) least(s, p, end int) int {
	for {
		if r := m.match(s, end+1); r >= 0 {
			return r
		}
		if !m.single(s, p, end) {
			return -1
		}
		s++
	}
}

// classEnd is where the single character class at p ends.
func (m *matcher) classEnd(p int) int {
	ch := m.pat[p]
	p++
	if ch == '%' {
		if p >= len(m.pat) {
			m.c.Throw("malformed pattern (ends with '%%')")
		}
		return p + 1
	}
	if ch != '[' {
		return p
	}
	if p < len(m.pat) && m.pat[p] == '^' {
		p++
	}
	for first := true; first || p >= len(m.pat) || m.pat[p] != ']'; first = false {
		if p >= len(m.pat) {
			m.c.Throw("malformed pattern (missing ']')")
		}
		if m.pat[p] == '%' {
			p++
		}
		p++
	}
	return p + 1
}

func (m *matcher) single(s, p, end int) bool {
	if s >= len(m.src) {
		return false
	}
	ch := m.src[s]
	switch m.pat[p] {
	case '.':
		return true
	case '%':
		return inClass(ch, m.pat[p+1])
	case '[':
		return m.inSet(ch, p, end-1)
	}
	return m.pat[p] == ch
}

// inSet says whether the set from p, a '[', to end, its ']', has ch.
func (m *matcher) inSet(ch byte, p, end int) bool {
	have := true
	p++
	if m.pat[p] == '^' {
		have = false
		p++
	}
	for ; p < end; p++ {
		switch {
		case m.pat[p] == '%':
			p++
			if inClass(ch, m.pat[p]) {
				return have
			}
		case p+2 < end && m.pat[p+1] == '-':
			if m.pat[p] <= ch && ch <= m.pat[p+2] {
				return have
			}
			p += 2
		case m.pat[p] == ch:
			return have
		}
	}
	return !have
}

func inClass(ch, class byte) bool {
	lower := ch >= 'a' && ch <= 'z'
	upper := ch >= 'A' && ch <= 'Z'
	graph := ch > ' ' && ch < 0x7f
	var in bool
	switch class | 0x20 {
	case 'a':
		in = lower || upper
	case 'c':
		in = ch < ' ' || ch == 0x7f
	case 'd':
		in = isDigit(ch)
	case 'g':
		in = graph
	case 'l':
		in = lower
	case 'p':
		in = graph && !lower && !upper && !isDigit(ch)
	case 's':
		in = strings.IndexByte(space, ch) >= 0
	case 'u':
		in = upper
	case 'w':
		in = lower || upper || isDigit(ch)
	case 'x':
		_, in = hexDigit(ch)
	default:
		return ch == class
	}
	if class >= 'A' && class <= 'Z' {
		return !in
	}
	if class < 'a' || class > 'z' { // such as a control character, whose bit 0x20 differs
		return ch == class
	}
	return in
}

func (m *matcher) balanced(s, p int) int {
	if p+1 >= len(m.pat) {
		m.c.Throw("malformed pattern (missing arguments to '%%b')")
	}
	if s >= len(m.src) || m.src[s] != m.pat[p] {
		return -1
	}
	open, closing := m.pat[p], m.pat[p+1]
	nested := 1
	for s++; s < len(m.src); s++ {
		m.c.State.step()
		switch ch := m.src[s]; ch {
		case closing:
			if nested--; nested == 0 {
				return s + 1
			}
		case open:
			nested++
		}
	}
	return -1
}

func (m *matcher) open(s, p, kind int) int {
	if m.level >= maxCaptures {
		m.c.Throw("too many captures")
	}
	m.captures[m.level].start, m.captures[m.level].length = s, kind
	m.level++
	r := m.match(s, p)
	if r < 0 {
		m.level--
	}
	return r
}

func (m *matcher) close(s, p int) int {
	at := m.level - 1
	for ; at >= 0 && m.captures[at].length != openCapture; at-- {
	}
	if at < 0 {
		m.c.Throw("invalid pattern capture")
	}
	m.captures[at].length = s - m.captures[at].start
	r := m.match(s, p)
	if r < 0 {
		m.captures[at].length = openCapture
	}
	return r
}

func (m *matcher) backReference(s int, digit byte) int {
	n := int(digit) - '1'
	if n < 0 || n >= m.level || m.captures[n].length == openCapture {
		m.c.Throw("invalid capture index %%%d", n+1)
	}
	length := m.captures[n].length
	if length < 0 {
		return -1
	}
	text := m.src[m.captures[n].start : m.captures[n].start+length]
	if strings.HasPrefix(m.src[s:], text) {
		return s + length
	}
	return -1
}

// capture gives capture n; without captures, the first is the whole match.
func (m *matcher) capture(n, start, end int) Value {
	if n >= m.level {
		if n != 0 {
			m.c.Throw("invalid capture index %%%d", n+1)
		}
		return m.src[start:end]
	}
	switch c := m.captures[n]; c.length {
	case openCapture:
		m.c.Throw("unfinished capture")
	case positionCapture:
		return int64(c.start) + 1
	default:
		return m.src[c.start : c.start+c.length]
	}
	return nil
}

// all gives the captures, or the whole match where there are none and whole is set.
func (m *matcher) all(start, end int, whole bool) []Value {
	n := m.level
	if n == 0 && whole {
		n = 1
	}
	out := make([]Value, n)
	for i := range out {
		out[i] = m.capture(i, start, end)
	}
	return out
}
