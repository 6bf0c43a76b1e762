package macro

import (
	"fmt"
	"strings"
)

// define reads "name(opts) body" from the start of text, as it follows %define, and defines the macro. With expand
// the body is expanded now, as %global does. It returns how much of the text belonged to the definition.
func (b *buffer) define(text string, expand bool, level int) (int, error) {
	s := skipBlank(text, 0)
	start := s
	for s < len(text) && isWord(text[s]) {
		s++
	}
	m := &entry{name: text[start:s], level: level}
	if s < len(text) && text[s] == '(' {
		end := strings.IndexByte(text[s:], ')')
		if end < 0 {
			return 0, errorf("macro %%%s has unterminated options", m.name)
		}
		m.parametric, m.opts = true, text[s+1:s+end]
		s += end + 1
	}
	s = skipBlank(text, s)
	body, s, ok := cutBody(text, s)
	if !ok {
		return 0, errorf("macro %%%s has an unterminated body", m.name)
	}
	for s < len(text) && (text[s] == '\n' || text[s] == '\r') {
		s++
	}
	if err := checkName(m.name); err != nil {
		return 0, err
	}
	m.body = body
	if expand {
		value, err := b.expanded(body)
		if err != nil {
			return 0, err
		}
		m.body = value
	}
	return s, b.engine.add(m)
}

func (e *Engine) add(m *entry) error {
	if len(e.table) >= e.limits.Macros {
		return &LimitError{What: fmt.Sprintf("%d macros", e.limits.Macros)}
	}
	if err := e.spend(len(m.name) + len(m.body) + 64); err != nil {
		return err
	}
	e.push(m)
	if m.level > 0 {
		f := e.frames[m.level-1]
		f.defined = append(f.defined, m.name)
	}
	return nil
}

// cutBody returns a macro's body, where the text goes on, and whether its brackets close.
func cutBody(text string, s int) (body string, next int, ok bool) {
	if s < len(text) && text[s] == '{' {
		end := matching(text, s, '{', '}')
		if end < 0 {
			return "", s, false
		}
		return text[s+1 : end], end + 1, true
	}
	var out strings.Builder
	var n nesting
	for s < len(text) {
		c := text[s]
		if (c == '\n' || c == '\r') && n.braces == 0 && n.parens == 0 && n.brackets == 0 {
			break
		}
		switch {
		case c == '\\' && s+1 < len(text):
			s++
			c = text[s]
		case c == '%' && s+1 < len(text) && n.openAt(text[s+1]):
			out.WriteByte(c)
			s++
			c = text[s]
		default:
			n.bracket(c)
		}
		out.WriteByte(c)
		s++
	}
	if n.braces > 0 || n.parens > 0 || n.brackets > 0 {
		return "", s, false
	}
	return strings.TrimRight(out.String(), " \t\r\n"), s, true
}

// checkName says why rpm would not take a name for a macro.
func checkName(name string) error {
	if name == "" || name == "_" || name[0] >= '0' && name[0] <= '9' {
		return errorf("macro %%%s has an illegal name", name)
	}
	return nil
}

func skipBlank(text string, s int) int {
	for s < len(text) && isBlank(text[s]) {
		s++
	}
	return s
}
