package lua

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

type token struct {
	kind string // a keyword or operator as written; "name", "string", "number" or "<eof>"
	text string // of a name or string; as written for a number
	num  Value
	line int
}

var keywords = map[string]bool{
	"and": true, "break": true, "do": true, "else": true, "elseif": true, "end": true, "false": true, "for": true,
	"function": true, "goto": true, "if": true, "in": true, "local": true, "nil": true, "not": true, "or": true,
	"repeat": true, "return": true, "then": true, "true": true, "until": true, "while": true,
}

// operators, longer ones before those that they begin with.
var operators = []string{
	"...", "<<", ">>", "//", "==", "~=", "<=", ">=", "::", "..",
	"+", "-", "*", "/", "%", "^", "#", "&", "~", "|", "<", ">", "=", "(", ")", "{", "}", "[", "]", ";", ":", ",", ".",
}

type lexer struct {
	src   string
	at    int
	line  int
	chunk string
}

func (l *lexer) fail(near, format string, args ...any) {
	msg := fmt.Sprintf("%s:%d: %s", l.chunk, l.line, fmt.Sprintf(format, args...))
	if near != "" {
		msg += " near " + near
	}
	panic(&Error{Value: msg})
}

func (l *lexer) peek() byte {
	if l.at < len(l.src) {
		return l.src[l.at]
	}
	return 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isNameStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (l *lexer) next() token {
	l.skip()
	t := token{line: l.line}
	if l.at >= len(l.src) {
		t.kind = "<eof>"
		return t
	}
	switch c := l.src[l.at]; {
	case isNameStart(c):
		start := l.at
		for l.at < len(l.src) && (isNameStart(l.src[l.at]) || isDigit(l.src[l.at])) {
			l.at++
		}
		t.text, t.kind = l.src[start:l.at], "name"
		if keywords[t.text] {
			t.kind = t.text
		}
		return t
	case isDigit(c) || c == '.' && l.at+1 < len(l.src) && isDigit(l.src[l.at+1]):
		t.kind = "number"
		t.text, t.num = l.number()
		return t
	case c == '"' || c == '\'':
		t.kind, t.text = "string", l.quoted(c)
		return t
	case c == '[':
		if level := l.longLevel(); level >= 0 {
			t.kind, t.text = "string", l.long(level, "string")
			t.line = l.line
			return t
		}
	}
	for _, op := range operators {
		if strings.HasPrefix(l.src[l.at:], op) {
			l.at += len(op)
			t.kind = op
			return t
		}
	}
	_, size := utf8.DecodeRuneInString(l.src[l.at:])
	near := "'" + l.src[l.at:l.at+size] + "'"
	if c := l.src[l.at]; c < ' ' || c >= 0x7f {
		near = fmt.Sprintf("'<\\%d>'", c)
	}
	l.fail(near, "unexpected symbol")
	return t
}

// skip passes over white space and comments.
func (l *lexer) skip() {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == '\n' || c == '\r':
			l.newline()
		case strings.IndexByte(space, c) >= 0:
			l.at++
		case strings.HasPrefix(l.src[l.at:], "--"):
			l.at += 2
			if level := l.longLevel(); level >= 0 {
				l.long(level, "comment")
				continue
			}
			for l.at < len(l.src) && l.src[l.at] != '\n' && l.src[l.at] != '\r' {
				l.at++
			}
		default:
			return
		}
	}
}

// newline passes over one end of a line, of one character or two different ones.
func (l *lexer) newline() {
	c := l.src[l.at]
	l.at++
	if n := l.peek(); (n == '\n' || n == '\r') && n != c {
		l.at++
	}
	l.line++
}

// longLevel is the level of the long bracket that begins here, -1 for none.
func (l *lexer) longLevel() int {
	if l.peek() != '[' {
		return -1
	}
	for i := l.at + 1; i < len(l.src); i++ {
		switch l.src[i] {
		case '=':
		case '[':
			return i - l.at - 1
		default:
			return -1
		}
	}
	return -1
}

func (l *lexer) long(level int, what string) string {
	first := l.line
	l.at += level + 2
	if c := l.peek(); c == '\n' || c == '\r' {
		l.newline()
	}
	closing := "]" + strings.Repeat("=", level) + "]"
	var b strings.Builder
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == ']' && strings.HasPrefix(l.src[l.at:], closing):
			l.at += len(closing)
			return b.String()
		case c == '\n' || c == '\r':
			l.newline()
			b.WriteByte('\n')
		default:
			b.WriteByte(c)
			l.at++
		}
	}
	l.fail("<eof>", "unfinished long %s (starting at line %d)", what, first)
	return ""
}

func (l *lexer) number() (string, Value) {
	start := l.at
	exponent := "eE"
	if strings.HasPrefix(l.src[l.at:], "0x") || strings.HasPrefix(l.src[l.at:], "0X") {
		exponent = "pP"
		l.at += 2
	}
	for l.at < len(l.src) {
		c := l.src[l.at]
		if strings.IndexByte(exponent, c) >= 0 {
			l.at++
			if n := l.peek(); n == '+' || n == '-' {
				l.at++
			}
			continue
		}
		if _, hex := hexDigit(c); !hex && c != '.' {
			break
		}
		l.at++
	}
	if isNameStart(l.peek()) {
		l.at++ // makes it malformed
	}
	text := l.src[start:l.at]
	n, ok := parseNumber(text)
	if !ok {
		l.fail("'"+text+"'", "malformed number")
	}
	return text, n
}

var escapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\', '"': '"', '\'': '\'',
}

func (l *lexer) quoted(quote byte) string {
	start := l.at
	l.at++
	var b strings.Builder
	for {
		if l.at >= len(l.src) {
			l.fail("<eof>", "unfinished string")
		}
		switch c := l.src[l.at]; c {
		case quote:
			l.at++
			return b.String()
		case '\n', '\r':
			l.fail("'"+l.src[start:l.at]+"'", "unfinished string")
		case '\\':
			l.at++
			l.escape(&b, start)
		default:
			b.WriteByte(c)
			l.at++
		}
	}
}

func (l *lexer) escape(b *strings.Builder, start int) {
	bad := func(what string, until int) {
		l.fail("'"+l.src[start:min(until, len(l.src))]+"'", "%s", what)
	}
	c := l.peek()
	if e, ok := escapes[c]; ok && l.at < len(l.src) {
		b.WriteByte(e)
		l.at++
		return
	}
	switch {
	case l.at >= len(l.src):
		return // reported as unfinished
	case c == '\n' || c == '\r':
		l.newline()
		b.WriteByte('\n')
	case c == 'x':
		n := 0
		for i := 1; i <= 2; i++ {
			if l.at+i >= len(l.src) {
				bad("hexadecimal digit expected", l.at+i)
			}
			d, ok := hexDigit(l.src[l.at+i])
			if !ok {
				bad("hexadecimal digit expected", l.at+i+1)
			}
			n = n<<4 | d
		}
		b.WriteByte(byte(n))
		l.at += 3
	case c == 'z':
		l.at++
		for l.at < len(l.src) && strings.IndexByte(space, l.src[l.at]) >= 0 {
			if c := l.src[l.at]; c == '\n' || c == '\r' {
				l.newline()
			} else {
				l.at++
			}
		}
	case isDigit(c):
		n, i := 0, 0
		for ; i < 3 && l.at+i < len(l.src) && isDigit(l.src[l.at+i]); i++ {
			n = n*10 + int(l.src[l.at+i]-'0')
		}
		if n > 255 {
			bad("decimal escape too large", l.at+i+1)
		}
		b.WriteByte(byte(n))
		l.at += i
	case c == 'u':
		l.unicode(b, bad)
	default:
		bad("invalid escape sequence", l.at+1)
	}
}

func (l *lexer) unicode(b *strings.Builder, bad func(string, int)) {
	i := l.at + 1
	if i >= len(l.src) || l.src[i] != '{' {
		bad("missing '{' in \\u{xxxx}", i+1)
	}
	var n uint64
	digits := 0
	for i++; i < len(l.src); i++ {
		d, ok := hexDigit(l.src[i])
		if !ok {
			break
		}
		if n = n<<4 | uint64(d); n > 0x7fffffff {
			bad("UTF-8 value too large", i+1)
		}
		digits++
	}
	if digits == 0 {
		bad("hexadecimal digit expected", i+1)
	}
	if i >= len(l.src) || l.src[i] != '}' {
		bad("missing '}' in \\u{xxxx}", i+1)
	}
	b.Write(encodeUTF8(nil, uint32(n)))
	l.at = i + 1
}

// encodeUTF8 appends a number below 2^31 in the original, longer UTF-8 (section 6.5).
func encodeUTF8(b []byte, n uint32) []byte {
	if n < 0x80 {
		return append(b, byte(n))
	}
	var tail []byte
	first := uint32(0x3f)
	for n > first {
		tail = append([]byte{byte(0x80 | n&0x3f)}, tail...)
		n >>= 6
		first >>= 1
	}
	return append(append(b, byte(^first<<1|n)), tail...)
}
