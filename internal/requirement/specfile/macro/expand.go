package macro

import (
	"fmt"
	"strings"
)

// buffer collects the output of one expansion.
type buffer struct {
	engine *Engine
	out    strings.Builder
}

// expand appends the expansion of text.
func (b *buffer) expand(text string) error {
	e := b.engine
	if e.depth++; e.depth > e.limits.Depth {
		e.depth--
		return errorf("too many levels of recursion in macro expansion; a macro that expands to itself is the usual cause")
	}
	defer func() { e.depth-- }()
	if err := e.spend(len(text) + 1); err != nil {
		return err
	}
	for i := 0; i < len(text); {
		percent := strings.IndexByte(text[i:], '%')
		if percent < 0 {
			b.out.WriteString(text[i:])
			break
		}
		b.out.WriteString(text[i : i+percent])
		i += percent + 1
		next, err := b.macro(text, i)
		if err != nil {
			return err
		}
		i = next
		if b.out.Len() > e.limits.Output {
			return &LimitError{What: fmt.Sprintf("%d bytes of output", e.limits.Output)}
		}
	}
	return nil
}

// expanded returns the expansion of text as a string of its own.
func (b *buffer) expanded(text string) (string, error) {
	if strings.IndexByte(text, '%') < 0 {
		return text, nil
	}
	inner := &buffer{engine: b.engine}
	if err := inner.expand(text); err != nil {
		return "", err
	}
	return inner.out.String(), nil
}

// call is one use of a macro, taken apart.
type call struct {
	name    string
	negate  bool   // an odd number of !
	exists  bool   // has a ?
	arg     string // after the colon
	hasArg  bool
	line    string // arguments after a blank: in the braces, or to the end of the line
	hasLine bool
	next    int // where scanning goes on in the text
	lineEnd int // where it goes on when the macro takes line; equals next in braces
}

// macro expands the macro whose percent sign stands before text[i] and returns where scanning goes on.
func (b *buffer) macro(text string, i int) (int, error) {
	if i == len(text) {
		b.out.WriteByte('%')
		return i, nil
	}
	switch text[i] {
	case '%':
		b.out.WriteByte('%')
		return i + 1, nil
	case '(', '[':
		return b.escape(text, i)
	}
	c, err := b.parse(text, i)
	if err != nil {
		return 0, err
	}
	if c.name == "" {
		return b.nameless(text, i, c)
	}
	return b.call(text, i, c)
}

// escape expands %(shell) and %[expression].
func (b *buffer) escape(text string, i int) (int, error) {
	open := text[i]
	closing := byte(')')
	if open == '[' {
		closing = ']'
	}
	end := matching(text, i, open, closing)
	if err := b.scanned(text, i, end); err != nil {
		return 0, err
	}
	if end < 0 {
		return 0, errorf("unterminated %c: %s", open, excerpt(text[i:]))
	}
	inner := text[i+1 : end]
	if open == '[' {
		value, err := b.engine.evaluate(inner, true)
		if err != nil {
			return 0, err
		}
		b.out.WriteString(value.String())
		return end + 1, nil
	}
	command, err := b.expanded(inner)
	if err != nil {
		return 0, err
	}
	b.out.WriteString(b.engine.shell(command))
	return end + 1, nil
}

// scanned charges the look for a closing bracket to the budget.
func (b *buffer) scanned(text string, from, to int) error {
	if to < 0 {
		to = len(text)
	}
	return b.engine.spend(to - from)
}

// parse takes the macro that starts at text[i] apart.
func (b *buffer) parse(text string, i int) (call, error) {
	if text[i] == '{' {
		return b.parseBraces(text, i)
	}
	var c call
	s := i
	for s < len(text) && (text[s] == '!' || text[s] == '?') {
		c.flag(text[s])
		s++
	}
	start := s
	if s < len(text) && text[s] == '-' {
		s++
	}
	for s < len(text) && isWord(text[s]) {
		s++
	}
	if s < len(text) {
		switch text[s] {
		case '*':
			s++
			if s < len(text) && text[s] == '*' {
				s++
			}
		case '#':
			s++
		}
	}
	c.name, c.next, c.lineEnd = text[start:s], s, s
	if s < len(text) && isBlank(text[s]) {
		end := strings.IndexByte(text[s:], '\n')
		if end < 0 {
			end = len(text) - s
		}
		c.line, c.hasLine, c.lineEnd = text[s:s+end], true, s+end
	}
	return c, nil
}

func (b *buffer) parseBraces(text string, i int) (call, error) {
	end := matching(text, i, '{', '}')
	if err := b.scanned(text, i, end); err != nil {
		return call{}, err
	}
	if end < 0 {
		return call{}, errorf("unterminated {: %s", excerpt(text[i:]))
	}
	c := call{next: end + 1, lineEnd: end + 1}
	inner := text[i+1 : end]
	for inner != "" && (inner[0] == '!' || inner[0] == '?') {
		c.flag(inner[0])
		inner = inner[1:]
	}
	stop := strings.IndexAny(inner, " :\t}")
	if stop < 0 {
		c.name = inner
		return c, nil
	}
	c.name = inner[:stop]
	if inner[stop] == ':' {
		c.arg, c.hasArg = inner[stop+1:], true
	} else {
		c.line, c.hasLine = inner[stop:], true
	}
	return c, nil
}

func (c *call) flag(f byte) {
	if f == '!' {
		c.negate = !c.negate
	} else {
		c.exists = true
	}
}

// nameless handles a percent sign without a name: the text stays as it is.
func (b *buffer) nameless(text string, i int, c call) (int, error) {
	b.out.WriteByte('%')
	if text[i] == '{' {
		return i, nil
	}
	return c.next, nil
}

// call expands a macro that has a name.
func (b *buffer) call(text string, i int, c call) (int, error) {
	e := b.engine
	m := e.lookup(c.name)
	if c.name[0] == '-' {
		return c.next, b.option(m, c)
	}
	if c.exists {
		return c.next, b.conditional(m, c)
	}
	if m != nil {
		if m.parametric {
			return c.lineEnd, b.parametric(m, c)
		}
		return c.next, b.expand(m.body)
	}
	if builtin := e.builtins[c.name]; builtin != nil {
		return builtin(b, text, i, c)
	}
	return b.undefined(text, i)
}

// undefined leaves an unknown macro in the text, but expands what is inside it.
func (b *buffer) undefined(text string, i int) (int, error) {
	b.out.WriteByte('%')
	for i < len(text) && (text[i] == '!' || text[i] == '?') {
		i++
	}
	return i, nil
}

// option expands %{-f}, %{-f*}, %{-f:text} and their negations.
func (b *buffer) option(m *entry, c call) error {
	if (m == nil) != c.negate {
		return nil
	}
	if c.hasArg {
		return b.expand(c.arg)
	}
	if m != nil {
		return b.expand(m.body)
	}
	return nil
}

// conditional expands %{?name}, %{!?name:text} and the like.
func (b *buffer) conditional(m *entry, c call) error {
	builtin := m == nil && b.engine.builtins[c.name] != nil
	defined := m != nil || builtin
	if defined == c.negate {
		return nil
	}
	if c.hasArg {
		return b.expand(c.arg)
	}
	if m == nil {
		return nil
	}
	if m.parametric {
		return b.parametric(m, c)
	}
	return b.expand(m.body)
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// excerpt shortens text for an error message.
func excerpt(text string) string {
	if line, _, more := strings.Cut(text, "\n"); more {
		text = line + "…"
	}
	if len(text) > 60 {
		text = text[:60] + "…"
	}
	return text
}
