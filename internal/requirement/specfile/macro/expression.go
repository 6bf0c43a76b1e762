package macro

import (
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// UnknownError is an expression whose value depends on something that was not run.
type UnknownError struct{ Expression string }

func (e *UnknownError) Error() string {
	return "the expression depends on a command's output: " + strings.ReplaceAll(excerpt(e.Expression), Unknown, "<?>")
}

// valueKind is the type of an expression's value.
type valueKind int

const (
	integer valueKind = iota
	text
	version
)

// value is what an expression or a part of it evaluates to.
type value struct {
	kind   valueKind
	number int32 // rpm computes with C ints, and wraps as they do
	text   string
}

func (v value) String() string {
	if v.kind == integer {
		return strconv.Itoa(int(v.number))
	}
	return v.text
}

// truth is rpm's idea of it: a number but zero, a string but the empty one, and never a version.
func (v value) truth() bool {
	switch v.kind {
	case integer:
		return v.number != 0
	case text:
		return v.text != ""
	default:
		return false
	}
}

func boolean(b bool) value {
	if b {
		return value{number: 1}
	}
	return value{}
}

// Condition evaluates the expression of %if or %elif, whose macros have been expanded already.
func (e *Engine) Condition(expression string) (bool, error) {
	v, err := e.evaluate(expression, false)
	if err != nil {
		return false, err
	}
	return v.truth(), nil
}

func expression(b *buffer, arg string) (string, error) {
	v, err := b.engine.evaluate(arg, false)
	if err != nil {
		return "", err
	}
	return v.String(), nil
}

// evaluate computes an expression. With expand, the macros in it are expanded one operand at a time, as %[…] does,
// so that a part that does not count is not expanded.
func (e *Engine) evaluate(source string, expand bool) (value, error) {
	if strings.Contains(source, Unknown) {
		return value{}, &UnknownError{Expression: source}
	}
	p := &parser{engine: e, source: source, rest: source, expand: expand}
	if err := p.next(); err != nil {
		return value{}, err
	}
	v, err := p.ternary()
	if err != nil {
		return value{}, err
	}
	if p.token != end {
		return value{}, p.errorf("syntax error")
	}
	return v, nil
}

// token is a kind of token of the expression language.
type token int

const (
	end token = iota
	operand
	add
	subtract
	multiply
	divide
	openParen
	closeParen
	equal
	notEqual
	less
	lessEqual
	greater
	greaterEqual
	not
	and
	or
	question
	colon
)

// operators are tried in this order, so longer ones come first.
var operators = []struct {
	text  string
	token token
}{
	{"==", equal}, {"!=", notEqual}, {"<=", lessEqual}, {">=", greaterEqual}, {"&&", and}, {"||", or},
	{"<", less}, {">", greater}, {"!", not}, {"+", add}, {"-", subtract}, {"*", multiply}, {"/", divide},
	{"(", openParen}, {")", closeParen}, {"?", question}, {":", colon},
}

// parser evaluates while it parses. While skip is set, a part is only checked for its syntax and types.
type parser struct {
	engine *Engine
	source string
	rest   string
	expand bool
	skip   int
	depth  int
	token  token
	value  value // of an operand
}

func (p *parser) errorf(format string, args ...any) error {
	return errorf(format+" in expression: %s", append(args, excerpt(p.source))...)
}

// next reads one token.
func (p *parser) next() error {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n\v\f")
	if p.rest == "" {
		p.token = end
		return nil
	}
	switch c := p.rest[0]; {
	case c == '"':
		return p.quoted(text, 1)
	case c == 'v' && strings.HasPrefix(p.rest, `v"`):
		return p.quoted(version, 2)
	case c >= '0' && c <= '9' || c == '%' && p.expand:
		return p.number()
	}
	for _, op := range operators {
		if strings.HasPrefix(p.rest, op.text) {
			p.token, p.rest = op.token, p.rest[len(op.text):]
			return nil
		}
	}
	if isWord(p.rest[0]) {
		return p.errorf("bare words are not supported, use quotes")
	}
	return p.errorf("syntax error")
}

func (p *parser) quoted(kind valueKind, prefix int) error {
	stop := p.endOfString(prefix)
	if stop < 0 {
		return p.errorf("unterminated string")
	}
	s := p.rest[prefix:stop]
	p.rest = p.rest[stop+1:]
	if p.expand && p.skip == 0 {
		var err error
		if s, err = p.expanded(s); err != nil {
			return err
		}
	}
	if kind == version && p.skip == 0 {
		if _, err := rpm.ParseEVR(s); err != nil {
			return p.errorf("invalid version %q", s)
		}
	}
	p.token, p.value = operand, value{kind: kind, text: s}
	return nil
}

// endOfString finds the closing quote. In an expression with macros, a quote inside of a macro does not count.
func (p *parser) endOfString(from int) int {
	for i := from; i < len(p.rest); i++ {
		switch {
		case p.rest[i] == '"':
			return i
		case p.rest[i] == '%' && p.expand:
			if i = p.endOfMacro(i); i < 0 {
				return -1
			}
			i--
		}
	}
	return -1
}

// endOfMacro returns where the macro that starts at rest[i] ends, or -1.
func (p *parser) endOfMacro(i int) int {
	if i++; i >= len(p.rest) {
		return i
	}
	switch c := p.rest[i]; c {
	case '{', '(', '[':
		closing := map[byte]byte{'{': '}', '(': ')', '[': ']'}[c]
		stop := matching(p.rest, i, c, closing)
		if stop < 0 {
			return -1
		}
		return stop + 1
	case '%':
		return i + 1
	}
	for i < len(p.rest) && strings.IndexByte("!?-", p.rest[i]) >= 0 {
		i++
	}
	for i < len(p.rest) && isWord(p.rest[i]) {
		i++
	}
	for i < len(p.rest) && (p.rest[i] == '*' || p.rest[i] == '#') {
		i++
	}
	return i
}

// number reads digits and macros that expand to digits.
func (p *parser) number() error {
	i := 0
	for i < len(p.rest) {
		if c := p.rest[i]; c >= '0' && c <= '9' {
			i++
			continue
		} else if c != '%' || !p.expand {
			break
		}
		if i = p.endOfMacro(i); i < 0 {
			return p.errorf("unterminated macro")
		}
	}
	s := p.rest[:i]
	p.rest = p.rest[i:]
	if p.rest != "" && isWord(p.rest[0]) {
		return p.errorf("bare words are not supported, use quotes")
	}
	p.token, p.value = operand, value{}
	if p.skip > 0 {
		return nil
	}
	if p.expand {
		var err error
		if s, err = p.expanded(s); err != nil {
			return err
		}
	}
	var n int32
	for _, c := range s {
		if c < '0' || c > '9' {
			return p.errorf("macro expansion %q is not a number", excerpt(s))
		}
		n = n*10 + (c - '0')
	}
	p.value.number = n
	return nil
}

func (p *parser) expanded(s string) (string, error) {
	b := &buffer{engine: p.engine}
	out, err := b.expanded(s)
	if err != nil {
		return "", err
	}
	if strings.Contains(out, Unknown) {
		return "", &UnknownError{Expression: p.source}
	}
	return unquote(out), nil
}
