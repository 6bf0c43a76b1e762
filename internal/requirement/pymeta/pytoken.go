package pymeta

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// pyTokenKind is a kind of token of Python's lexical grammar.
type pyTokenKind int

const (
	pyEnd pyTokenKind = iota
	pyName
	pyNumberToken
	pyStringToken
	pyOperator
)

// pyToken is one token.
type pyToken struct {
	kind   pyTokenKind
	text   string // of a string: its value
	opaque bool   // a string whose value is not literal (an f-string with fields, or bytes)
	line   int
}

// pyStatement is a logical line with its indentation.
type pyStatement struct {
	indent int
	tokens []pyToken
}

// maxPyTokens bounds the tokens of one file.
const maxPyTokens = 500_000

// tokenizePython splits a source into logical lines. With an error, the lines before the fault are returned too.
func tokenizePython(source string) ([]pyStatement, error) {
	t := pyTokenizer{source: source, line: 1}
	err := t.run()
	t.flush()
	return t.statements, err
}

type pyTokenizer struct {
	source     string
	at         int
	line       int
	brackets   int
	count      int
	current    pyStatement
	statements []pyStatement
}

func (t *pyTokenizer) flush() {
	if len(t.current.tokens) > 0 {
		t.statements = append(t.statements, t.current)
	}
	t.current = pyStatement{}
}

func (t *pyTokenizer) run() error {
	for t.at < len(t.source) {
		if t.count > maxPyTokens {
			return fmt.Errorf("line %d: more than %d tokens", t.line, maxPyTokens)
		}
		c := t.source[t.at]
		switch {
		case c == '\n':
			t.newline()
		case c == ' ' || c == '\t' || c == '\r' || c == '\f':
			t.at++
		case c == '#':
			t.skipComment()
		case c == '\\' && strings.HasPrefix(t.source[t.at:], "\\\n"):
			t.at += 2
			t.line++
		case c == ';' && t.brackets == 0:
			indent := t.current.indent
			t.flush()
			t.current.indent = indent
			t.at++
		default:
			if err := t.token(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *pyTokenizer) newline() {
	t.at++
	t.line++
	if t.brackets > 0 {
		return
	}
	t.flush()
}

func (t *pyTokenizer) skipComment() {
	if end := strings.IndexByte(t.source[t.at:], '\n'); end >= 0 {
		t.at += end
		return
	}
	t.at = len(t.source)
}

func (t *pyTokenizer) add(kind pyTokenKind, text string, line int) *pyToken {
	if len(t.current.tokens) == 0 {
		t.current.indent = t.column()
	}
	t.count++
	t.current.tokens = append(t.current.tokens, pyToken{kind: kind, text: text, line: line})
	return &t.current.tokens[len(t.current.tokens)-1]
}

// column is the indentation of the current line; a tab goes to the next multiple of eight.
func (t *pyTokenizer) column() int {
	start := strings.LastIndexByte(t.source[:t.at], '\n') + 1
	column := 0
	for _, c := range t.source[start:t.at] {
		switch c {
		case ' ':
			column++
		case '\t':
			column += 8 - column%8
		default:
			return column
		}
	}
	return column
}

func (t *pyTokenizer) token() error {
	rest := t.source[t.at:]
	c := rest[0]
	switch {
	case c == '"' || c == '\'':
		return t.str("", 0)
	case isNameStart(c):
		end := 1
		for end < len(rest) && isNamePart(rest[end]) {
			end++
		}
		word := rest[:end]
		if end < len(rest) && (rest[end] == '"' || rest[end] == '\'') && isStringPrefix(word) {
			return t.str(strings.ToLower(word), end)
		}
		t.add(pyName, word, t.line)
		t.at += end
	case c >= '0' && c <= '9' || c == '.' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9':
		end := 1
		for end < len(rest) && (isNamePart(rest[end]) || rest[end] == '.') {
			end++
		}
		t.add(pyNumberToken, rest[:end], t.line)
		t.at += end
	default:
		t.operator(rest)
	}
	return nil
}

func isStringPrefix(word string) bool {
	switch strings.ToLower(word) {
	case "r", "u", "b", "f", "br", "rb", "fr", "rf":
		return true
	}
	return false
}

func isNameStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

func isNamePart(c byte) bool { return isNameStart(c) || c >= '0' && c <= '9' }

// pyOperators are the operators of more than one character.
var pyOperators = []string{"**=", "//=", ">>=", "<<=", "...", "==", "!=", "<=", ">=", "->", ":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", "**", "//", "<<", ">>"}

func (t *pyTokenizer) operator(rest string) {
	op := rest[:1]
	for _, long := range pyOperators {
		if strings.HasPrefix(rest, long) {
			op = long
			break
		}
	}
	switch op {
	case "(", "[", "{":
		t.brackets++
	case ")", "]", "}":
		t.brackets = max(t.brackets-1, 0)
	}
	t.add(pyOperator, op, t.line)
	t.at += len(op)
}

// str reads a string literal whose quote stands at offset.
func (t *pyTokenizer) str(prefix string, offset int) error {
	start := t.line
	token := t.add(pyStringToken, "", start)
	t.at += offset
	quote := t.source[t.at : t.at+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(t.source[t.at:], triple) {
		quote = triple
	}
	t.at += len(quote)
	raw := strings.Contains(prefix, "r")
	var b strings.Builder
	for {
		if t.at >= len(t.source) {
			return fmt.Errorf("line %d: the string is not closed", start)
		}
		c := t.source[t.at]
		switch {
		case strings.HasPrefix(t.source[t.at:], quote):
			t.at += len(quote)
			token.text = b.String()
			token.opaque = strings.Contains(prefix, "b") || strings.Contains(prefix, "f") && strings.Contains(token.text, "{")
			return nil
		case c == '\n' && len(quote) == 1:
			return fmt.Errorf("line %d: the string is not closed", start)
		case c == '\\' && t.at+1 < len(t.source):
			t.backslash(&b, raw)
		default:
			if c == '\n' {
				t.line++
			}
			b.WriteByte(c)
			t.at++
		}
	}
}

// backslash reads an escape in a string. Those by number or name are rare in names and versions, and kept as written.
func (t *pyTokenizer) backslash(b *strings.Builder, raw bool) {
	c := t.source[t.at+1]
	t.at += 2
	if c == '\n' {
		t.line++
	}
	if raw {
		b.WriteByte('\\')
		b.WriteByte(c)
		return
	}
	switch c {
	case '\n':
	case 'n':
		b.WriteByte('\n')
	case 't':
		b.WriteByte('\t')
	case 'r':
		b.WriteByte('\r')
	case '\\', '\'', '"':
		b.WriteByte(c)
	default:
		b.WriteByte('\\')
		b.WriteByte(c)
	}
}
