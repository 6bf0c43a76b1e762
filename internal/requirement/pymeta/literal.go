package pymeta

import (
	"errors"
	"fmt"
	"regexp"
)

// A literal is a value that stands in a file as it is: nil, a bool, a string, a [Number], a []any, a [*Table], or,
// in the arguments of setup(), a [Call].

// Number is a number as written; in TOML, a date or time too.
type Number string

// Table is a dict of Python or a table of TOML, its keys in the order in which they are written.
type Table struct {
	Keys   []string
	Values map[string]any
}

// Get returns a value, nil where there is none. A nil table has none.
func (t *Table) Get(key string) any {
	if t == nil {
		return nil
	}
	return t.Values[key]
}

// Has tells whether there is a value, nil included.
func (t *Table) Has(key string) bool {
	if t == nil {
		return false
	}
	_, ok := t.Values[key]
	return ok
}

// Set sets a value; a new key comes last.
func (t *Table) Set(key string, value any) {
	if t.Values == nil {
		t.Values = map[string]any{}
	}
	if _, there := t.Values[key]; !there {
		t.Keys = append(t.Keys, key)
	}
	t.Values[key] = value
}

// Call is a call of one of setuptools' own functions that find packages, with literal arguments.
type Call struct {
	Name     string // find_packages or find_namespace_packages
	Args     []any
	Keywords *Table
}

// ParseTOML reads a TOML document. Its values are literals.
func ParseTOML(text string) (*Table, error) {
	root, err := parseTOML(text)
	if err != nil {
		return nil, fmt.Errorf("reading TOML: %w", err)
	}
	return root.literal().(*Table), nil
}

func (t *tomlNode) literal() any {
	switch t.kind {
	case tomlTable:
		table := &Table{}
		for _, key := range t.keys {
			table.Set(key, t.fields[key].literal())
		}
		return table
	case tomlArray:
		list := make([]any, len(t.list))
		for i, element := range t.list {
			list[i] = element.literal()
		}
		return list
	case tomlString:
		return t.text
	}
	if t.text == "true" || t.text == "false" {
		return t.text == "true"
	}
	return Number(t.text)
}

var (
	errNotLiteral = errors.New("something in it is not written down literally")
	// oddEscape is what the reader of strings here leaves as it is and Python does not.
	oddEscape = regexp.MustCompile(`\\[^nrt\\'"\n]`)
)

// SetupArguments reads a setup.py that does nothing but call setuptools' setup() once, with literal arguments. Of
// anything else the error says what it is; then only running the file can tell what it does.
func SetupArguments(source string) (*Table, error) {
	if oddEscape.MatchString(source) {
		return nil, errors.New("it has strings with escapes")
	}
	statements, err := tokenizePython(source)
	if err != nil {
		return nil, err
	}
	s := setupReader{names: map[string]any{}, imported: map[string]string{}}
	for i := 0; i < len(statements); i++ {
		if isMainGuard(statements[i].tokens) && statements[i].indent == 0 {
			for i++; i < len(statements) && statements[i].indent > 0; i++ {
				if err := s.statement(statements[i]); err != nil {
					return nil, err
				}
			}
			if i < len(statements) {
				return nil, errors.New("it does more than to call setup()")
			}
			break
		}
		if statements[i].indent > 0 {
			return nil, errors.New("it does more than to call setup()")
		}
		if err := s.statement(statements[i]); err != nil {
			return nil, err
		}
	}
	if s.arguments == nil {
		return nil, errors.New("it does not call setup()")
	}
	return s.arguments, nil
}

// setupReader reads the statements of a setup.py that is plain.
type setupReader struct {
	names     map[string]any
	imported  map[string]string // local name -> name in setuptools; "" for setuptools itself
	arguments *Table
}

func (s *setupReader) statement(statement pyStatement) error {
	tokens := statement.tokens
	fail := fmt.Errorf("line %d does more than to call setup()", tokens[0].line)
	switch {
	case tokens[0].kind == pyName && (tokens[0].text == "import" || tokens[0].text == "from"):
		if !s.imports(tokens) {
			return fail
		}
		return nil
	case len(tokens) > 2 && tokens[0].kind == pyName && tokens[1].kind == pyOperator && tokens[1].text == "=":
		value, err := s.evaluateAll(tokens[2:])
		if _, known := s.imported[tokens[0].text]; err != nil || known {
			return fail
		}
		s.names[tokens[0].text] = value
		return nil
	}
	p := pyParser{tokens: tokens}
	e, err := p.expression()
	switch {
	case err != nil || p.at != len(tokens):
		return fail
	case e.op == opString:
		return nil
	case e.op != opCall || s.function(e.args[0]) != "setup" || s.arguments != nil:
		return fail
	}
	call, err := s.call(e)
	if err != nil {
		return err
	}
	if len(call.Args) > 0 {
		return fail
	}
	s.arguments = call.Keywords
	return nil
}

// imports takes "import setuptools" and "from setuptools import a, b".
func (s *setupReader) imports(tokens []pyToken) bool {
	if len(tokens) == 2 && tokens[0].text == "import" && tokens[1].text == "setuptools" {
		s.imported["setuptools"] = ""
		return true
	}
	if len(tokens) < 4 || tokens[1].text != "setuptools" || tokens[2].text != "import" {
		return false
	}
	for i, t := range tokens[3:] {
		switch {
		case t.kind == pyName && (t.text == "setup" || t.text == "find_packages" || t.text == "find_namespace_packages"):
			s.imported[t.text] = t.text
		case t.kind == pyOperator && (t.text == "," || t.text == "(" && i == 0 || t.text == ")" && i == len(tokens)-4):
		default:
			return false
		}
	}
	return true
}

// function is the name in setuptools of what is called.
func (s *setupReader) function(e *pyExpr) string {
	switch {
	case e.op == opName:
		return s.imported[e.text]
	case e.op == opAttribute && e.args[0].op == opName:
		if name, ok := s.imported[e.args[0].text]; ok && name == "" {
			return e.text
		}
	}
	return ""
}

func (s *setupReader) call(e *pyExpr) (Call, error) {
	c := Call{Name: s.function(e.args[0]), Keywords: &Table{}}
	for i, arg := range e.args[1:] {
		value, err := s.evaluate(arg)
		name := e.names[i]
		switch {
		case err != nil && name != "":
			return c, fmt.Errorf("%s: %w", name, err)
		case err != nil:
			return c, err
		case name == "":
			c.Args = append(c.Args, value)
		case name[0] == '*' || c.Keywords.Has(name):
			return c, errNotLiteral
		default:
			c.Keywords.Set(name, value)
		}
	}
	return c, nil
}

func (s *setupReader) evaluateAll(tokens []pyToken) (any, error) {
	p := pyParser{tokens: tokens}
	e, err := p.expression()
	if err != nil || p.at != len(tokens) {
		return nil, errNotLiteral
	}
	return s.evaluate(e)
}

func (s *setupReader) evaluate(e *pyExpr) (any, error) {
	switch e.op {
	case opName:
		if value, ok := s.names[e.text]; ok {
			return value, nil
		}
		switch e.text {
		case "True", "False":
			return e.text == "True", nil
		case "None":
			return nil, nil
		}
	case opString:
		return e.text, nil
	case opNumber:
		return Number(e.text), nil
	case opList:
		if e.text == "set" { // whose order is not known
			return nil, errNotLiteral
		}
		list := make([]any, len(e.args))
		for i, arg := range e.args {
			var err error
			if list[i], err = s.evaluate(arg); err != nil {
				return nil, err
			}
		}
		return list, nil
	case opDict:
		table := &Table{}
		for i := 0; i+1 < len(e.args); i += 2 {
			if e.args[i] == nil {
				return nil, errNotLiteral
			}
			key, err := s.evaluate(e.args[i])
			if err != nil {
				return nil, err
			}
			name, ok := key.(string)
			if !ok || table.Has(name) {
				return nil, errNotLiteral
			}
			value, err := s.evaluate(e.args[i+1])
			if err != nil {
				return nil, err
			}
			table.Set(name, value)
		}
		return table, nil
	case opCall:
		if name := s.function(e.args[0]); name == "find_packages" || name == "find_namespace_packages" {
			return s.call(e)
		}
	}
	return nil, errNotLiteral
}

// ModuleAttribute returns the literal that a module's top level gives a name first, read as Python's ast.literal_eval
// would. ok is false where there is none.
func ModuleAttribute(source, name string) (value any, ok bool) {
	if oddEscape.MatchString(source) {
		return nil, false
	}
	statements, err := tokenizePython(source)
	if err != nil {
		return nil, false
	}
	for _, statement := range statements {
		tokens := statement.tokens
		if statement.indent > 0 || tokens[0].kind != pyName || tokens[0].text != name || len(tokens) < 3 || tokens[1].kind != pyOperator {
			continue
		}
		at := 1
		if tokens[1].text == ":" { // name: type = value
			for at < len(tokens) && tokens[at].text != "=" {
				at++
			}
		}
		if at >= len(tokens) || tokens[at].kind != pyOperator || tokens[at].text != "=" {
			continue
		}
		value, err := new(setupReader).evaluateAll(tokens[at+1:])
		return value, err == nil
	}
	return nil, false
}

// FirstDocstring returns a module's docstring as written, "" where it has none; ok is false where that is not certain.
func FirstDocstring(source string) (text string, ok bool) {
	if oddEscape.MatchString(source) {
		return "", false
	}
	statements, err := tokenizePython(source)
	if err != nil {
		return "", false
	}
	if len(statements) == 0 {
		return "", true
	}
	p := pyParser{tokens: statements[0].tokens}
	if p.peek().kind != pyStringToken {
		return "", true
	}
	e := p.strings()
	return e.text, e.op == opString && p.at == len(p.tokens)
}
