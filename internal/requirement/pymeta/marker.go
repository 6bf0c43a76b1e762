package pymeta

import (
	"errors"
	"fmt"
	"strings"
)

// maxMarkerDepth bounds the nesting of parentheses in a marker.
const maxMarkerDepth = 100

// Marker is the condition of a requirement (PEP 508).
type Marker struct {
	// A node is either a comparison (Op empty) or joins Left and Right with "and" or "or".
	join        string
	left, right *Marker
	lhs, rhs    markerValue
	op          string
	grouped     bool // written in parentheses
}

// markerValue is a variable or a string.
type markerValue struct {
	variable bool
	text     string
}

// markerVariables are the variables of PEP 508, with older spellings that are still accepted.
var markerVariables = map[string]string{
	"python_version": "python_version", "python_full_version": "python_full_version", "os_name": "os_name",
	"sys_platform": "sys_platform", "platform_release": "platform_release", "platform_system": "platform_system",
	"platform_version": "platform_version", "platform_machine": "platform_machine",
	"platform_python_implementation": "platform_python_implementation",
	"python_implementation":          "platform_python_implementation",
	"implementation_name":            "implementation_name", "implementation_version": "implementation_version",
	"extra": "extra", "os.name": "os_name", "sys.platform": "sys_platform", "platform.version": "platform_version",
	"platform.machine":               "platform_machine",
	"platform.python_implementation": "platform_python_implementation",
}

// ParseMarker reads a marker without the semicolon before it.
func ParseMarker(s string) (*Marker, error) {
	if len(s) > maxRequirement {
		return nil, fmt.Errorf("marker of %d bytes is too long", len(s))
	}
	p := markerParser{rest: trimBlank(s)}
	m, err := p.or(0)
	if err == nil && p.rest != "" {
		err = fmt.Errorf("unexpected %q", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("marker %q: %w", strings.TrimSpace(s), err)
	}
	return m, nil
}

type markerParser struct{ rest string }

func (p *markerParser) or(depth int) (*Marker, error) {
	return p.chain("or", depth, p.and)
}

func (p *markerParser) and(depth int) (*Marker, error) {
	return p.chain("and", depth, p.expression)
}

// chain reads operands joined by one word; it binds to the left.
func (p *markerParser) chain(word string, depth int, operand func(int) (*Marker, error)) (*Marker, error) {
	m, err := operand(depth)
	for err == nil && p.word(word) {
		var right *Marker
		if right, err = operand(depth); err == nil {
			m = &Marker{join: word, left: m, right: right}
		}
	}
	return m, err
}

// word takes a keyword from the input.
func (p *markerParser) word(word string) bool {
	rest, ok := strings.CutPrefix(p.rest, word)
	if !ok || rest != "" && isIdentifier(rest[0]) {
		return false
	}
	p.rest = trimBlank(rest)
	return true
}

func isIdentifier(c byte) bool {
	return c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (p *markerParser) expression(depth int) (*Marker, error) {
	if !strings.HasPrefix(p.rest, "(") {
		return p.comparison()
	}
	if depth >= maxMarkerDepth {
		return nil, errors.New("too many parentheses")
	}
	p.rest = trimBlank(p.rest[1:])
	m, err := p.or(depth + 1)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(p.rest, ")") {
		return nil, errors.New("a parenthesis is not closed")
	}
	p.rest = trimBlank(p.rest[1:])
	m.grouped = true
	return m, nil
}

func (p *markerParser) comparison() (*Marker, error) {
	m := &Marker{}
	var err error
	if m.lhs, err = p.value(); err != nil {
		return nil, err
	}
	if m.op, err = p.operator(); err != nil {
		return nil, err
	}
	if m.rhs, err = p.value(); err != nil {
		return nil, err
	}
	// The names of extras are compared in their normal form.
	switch {
	case m.lhs.isExtra() && !m.rhs.variable:
		m.rhs.text = NormalizeName(m.rhs.text)
	case m.rhs.isExtra() && !m.lhs.variable:
		m.lhs.text = NormalizeName(m.lhs.text)
	}
	return m, nil
}

func (v markerValue) isExtra() bool { return v.variable && v.text == "extra" }

func (p *markerParser) operator() (string, error) {
	switch {
	case p.word("in"):
		return "in", nil
	case p.word("not"):
		if p.word("in") {
			return "not in", nil
		}
		return "", errors.New("'in' is expected after 'not'")
	}
	op := operatorPattern.FindString(p.rest)
	if op == "" {
		return "", fmt.Errorf("a comparison is expected before %q", p.rest)
	}
	p.rest = trimBlank(p.rest[len(op):])
	return op, nil
}

func (p *markerParser) value() (markerValue, error) {
	if p.rest == "" {
		return markerValue{}, errors.New("a variable or a string is expected at its end")
	}
	if quote := p.rest[0]; quote == '"' || quote == '\'' {
		text, rest, ok := strings.Cut(p.rest[1:], string(quote))
		if !ok {
			return markerValue{}, errors.New("a string is not closed")
		}
		p.rest = trimBlank(rest)
		return markerValue{text: text}, nil
	}
	end := 0
	for end < len(p.rest) && isIdentifier(p.rest[end]) {
		end++
	}
	name, ok := markerVariables[p.rest[:end]]
	if !ok {
		return markerValue{}, fmt.Errorf("%q is neither a variable nor a string", p.rest)
	}
	p.rest = trimBlank(p.rest[end:])
	return markerValue{variable: true, text: name}, nil
}

// String returns the marker with double quotes and single blanks.
func (m *Marker) String() string {
	if m.join == "" {
		return m.lhs.String() + " " + m.op + " " + m.rhs.String()
	}
	return m.left.inside(m.join) + " " + m.join + " " + m.right.inside(m.join)
}

// inside is the marker as an operand of a join, in parentheses where they matter.
func (m *Marker) inside(join string) string {
	if m.join == "or" && join == "and" || m.grouped && m.join != "" {
		return "(" + m.String() + ")"
	}
	return m.String()
}

func (v markerValue) String() string {
	if v.variable {
		return v.text
	}
	if strings.Contains(v.text, `"`) {
		return "'" + v.text + "'"
	}
	return `"` + v.text + `"`
}

// Environment gives the marker variables their values.
type Environment map[string]string

// LinuxEnvironment is the environment of CPython on Linux. python is a version such as "3.11" or "3.11.4"; machine is
// what uname -m says, such as "x86_64".
func LinuxEnvironment(python, machine string) Environment {
	full := python
	version := python
	if parts := strings.SplitN(python, ".", 3); len(parts) < 3 {
		full += ".0"
	} else {
		version = parts[0] + "." + parts[1]
	}
	return Environment{
		"python_version": version, "python_full_version": full, "implementation_version": full,
		"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": machine,
		"platform_python_implementation": "CPython", "implementation_name": "cpython",
		"platform_release": "", "platform_version": "",
	}
}

// Evaluate says whether the marker holds. extra is the value of the variable extra; it is compared by its normalised
// name (PEP 685).
func (m *Marker) Evaluate(env Environment, extra string) (bool, error) {
	switch m.join {
	case "and":
		ok, err := m.left.Evaluate(env, extra)
		if err != nil || !ok {
			return false, m.right.check(env, extra, err)
		}
		return m.right.Evaluate(env, extra)
	case "or":
		ok, err := m.left.Evaluate(env, extra)
		if err != nil || ok {
			return ok, m.right.check(env, extra, err)
		}
		return m.right.Evaluate(env, extra)
	}
	return m.compare(env, extra)
}

// check evaluates a part that does not decide, for a comparison that makes no sense is an error wherever it stands.
func (m *Marker) check(env Environment, extra string, err error) error {
	if err != nil {
		return err
	}
	_, err = m.Evaluate(env, extra)
	return err
}

func (m *Marker) compare(env Environment, extra string) (bool, error) {
	lhs, rhs := m.lhs.resolve(env, extra), m.rhs.resolve(env, extra)
	if m.lhs.isExtra() || m.rhs.isExtra() {
		lhs, rhs = NormalizeName(lhs), NormalizeName(rhs)
	}
	if clause, rest, ok, err := cutSpecifier(m.op + rhs); m.op != "in" && m.op != "not in" && ok && err == nil && rest == "" {
		v, err := ParseVersion(lhs)
		if err != nil {
			return false, fmt.Errorf("marker %s: %w", m, err)
		}
		return clause.matches(v), nil
	}
	switch m.op {
	case "in":
		return strings.Contains(rhs, lhs), nil
	case "not in":
		return !strings.Contains(rhs, lhs), nil
	case "==":
		return lhs == rhs, nil
	case "!=":
		return lhs != rhs, nil
	case "<":
		return lhs < rhs, nil
	case "<=":
		return lhs <= rhs, nil
	case ">":
		return lhs > rhs, nil
	case ">=":
		return lhs >= rhs, nil
	}
	return false, fmt.Errorf("marker %s: %s does not compare strings", m, m.op)
}

func (v markerValue) resolve(env Environment, extra string) string {
	switch {
	case !v.variable:
		return v.text
	case v.text == "extra":
		return extra
	default:
		return env[v.text]
	}
}

// MentionsExtra says whether the marker looks at the extra that is asked for.
func (m *Marker) MentionsExtra() bool {
	if m == nil {
		return false
	}
	if m.join != "" {
		return m.left.MentionsExtra() || m.right.MentionsExtra()
	}
	return m.lhs.isExtra() || m.rhs.isExtra()
}
