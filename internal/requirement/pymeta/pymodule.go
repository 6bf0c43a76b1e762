package pymeta

import "strings"

// module is a Python source whose top level has been read: assignments in order, and calls of setup().
type module struct {
	file  string
	names map[string]pyValue
	funcs map[string]pyFunction
	setup []setupCall
	open  func(name string) (string, bool) // reads a file of the project; nil: none can be read
	err   error                            // where the source stops being Python, as far as is understood here
	steps int
	depth int
}

// pyFunction is a function whose body is a single return.
type pyFunction struct {
	params []string
	body   *pyExpr
}

// setupCall is a call of setup() with its keyword arguments.
type setupCall struct {
	args        map[string]pyValue
	lines       map[string]int // of each argument
	line        int
	conditional bool // it stands under a condition
	open        bool // it takes a **mapping that is not known
}

// evaluateModule reads a module that may not read files.
func evaluateModule(file, source string) *module {
	m := newModule(file)
	m.run(source)
	return m
}

func newModule(file string) *module {
	return &module{file: file, names: map[string]pyValue{}, funcs: map[string]pyFunction{}}
}

// run reads the statements of the module's top level.
func (m *module) run(source string) {
	statements, err := tokenizePython(source)
	m.err = err
	m.block(statements, false)
}

// block reads statements. In a conditional block, what is assigned is no longer known.
func (m *module) block(statements []pyStatement, conditional bool) {
	for i := 0; i < len(statements); {
		s := statements[i]
		end := i + 1
		for end < len(statements) && statements[end].indent > s.indent {
			end++
		}
		m.statement(s, statements[i+1:end], conditional)
		i = end
	}
}

// statement reads one statement with its indented block.
func (m *module) statement(s pyStatement, body []pyStatement, conditional bool) {
	first := s.tokens[0]
	if first.kind == pyName {
		switch first.text {
		case "import", "from":
			m.imports(s.tokens)
			return
		case "def", "async":
			m.function(s, body)
			return
		case "class":
			return
		case "with":
			m.with(s)
			m.block(body, conditional)
			return
		case "try", "else", "finally":
			m.block(withHead(s, body), conditional || first.text != "try" && first.text != "finally")
			return
		case "except":
			m.block(withHead(s, body), true)
			return
		case "if", "elif":
			m.block(withHead(s, body), conditional || !isMainGuard(s.tokens))
			return
		case "for", "while":
			m.forget(s.tokens)
			for _, inner := range body {
				m.forget(inner.tokens)
			}
			m.block(body, true)
			return
		}
	}
	m.simple(s, conditional)
	for _, inner := range body { // a block after something that is not understood
		m.forget(inner.tokens)
	}
}

// withHead adds what stands on the line of a compound statement after its colon to the block.
func withHead(s pyStatement, body []pyStatement) []pyStatement {
	level := 0
	for i, t := range s.tokens {
		if t.kind != pyOperator {
			continue
		}
		switch t.text {
		case "(", "[", "{":
			level++
		case ")", "]", "}":
			level--
		case ":":
			if level == 0 && i+1 < len(s.tokens) {
				head := pyStatement{indent: s.indent + 1, tokens: s.tokens[i+1:]}
				return append([]pyStatement{head}, body...)
			}
		}
	}
	return body
}

// isMainGuard recognises: if __name__ == "__main__".
func isMainGuard(tokens []pyToken) bool {
	return len(tokens) >= 4 && tokens[1].text == "__name__" && tokens[2].text == "==" && tokens[3].text == "__main__"
}

// forget makes every name that a statement mentions unknown, unless it is a module or function.
func (m *module) forget(tokens []pyToken) {
	for _, t := range tokens {
		if v, ok := m.names[t.text]; ok && t.kind == pyName && v.kind != pyModule {
			m.names[t.text] = pyValue{}
		}
	}
}

// imports binds the names that an import statement binds.
func (m *module) imports(tokens []pyToken) {
	prefix := ""
	i := 1
	if tokens[0].text == "from" {
		for ; i < len(tokens) && tokens[i].text != "import"; i++ {
			prefix += tokens[i].text
		}
		prefix += "."
		i++
	}
	for i < len(tokens) {
		name := ""
		for ; i < len(tokens) && tokens[i].text != "," && tokens[i].text != "as"; i++ {
			if t := tokens[i]; t.kind == pyName || t.text == "." {
				name += t.text
			}
		}
		bound := name
		if prefix == "" {
			bound, _, _ = strings.Cut(name, ".")
		}
		target := prefix + name
		if prefix == "" {
			target = bound
		}
		if i+1 < len(tokens) && tokens[i].text == "as" {
			bound, target = tokens[i+1].text, prefix+name
			i += 2
		}
		if bound != "" {
			m.names[bound] = pyValue{kind: pyModule, text: target}
		}
		i++
	}
}

// function notes a function whose body, after a docstring, is one return statement.
func (m *module) function(s pyStatement, body []pyStatement) {
	if len(s.tokens) < 4 || s.tokens[0].text != "def" {
		return
	}
	name := s.tokens[1].text
	m.names[name] = pyValue{}
	delete(m.funcs, name)
	if len(body) > 0 && len(body[0].tokens) == 1 && body[0].tokens[0].kind == pyStringToken {
		body = body[1:]
	}
	f := pyFunction{params: plainParameters(s.tokens[2:])}
	inner := body
	// "with open(…) as f: return f.read()" is as good as one return.
	var opened *pyStatement
	if len(inner) == 2 && inner[0].tokens[0].text == "with" {
		opened, inner = &inner[0], inner[1:]
	}
	if f.params == nil || len(inner) != 1 || inner[0].tokens[0].text != "return" {
		return
	}
	p := &pyParser{tokens: inner[0].tokens[1:]}
	e, err := p.expression()
	if err != nil || p.at != len(p.tokens) {
		return
	}
	if opened != nil {
		context, variable, ok := withItem(*opened)
		if !ok {
			return
		}
		e = substitute(e, variable, context)
	}
	f.body = e
	m.funcs[name] = f
	m.names[name] = pyValue{kind: pyFunc, text: name}
}

// plainParameters returns the names of "(a, b):", or nil when there is more to the parameters than names.
func plainParameters(tokens []pyToken) []string {
	params := []string{}
	for _, t := range tokens[1:] {
		switch {
		case t.kind == pyName:
			params = append(params, t.text)
		case t.text == ")":
			return params
		case t.text != ",":
			return nil
		}
	}
	return nil
}

// withItem takes "with EXPRESSION as NAME:" apart.
func withItem(s pyStatement) (context *pyExpr, variable string, ok bool) {
	p := &pyParser{tokens: s.tokens, at: 1}
	context, err := p.expression()
	if err != nil || !p.take("as") || p.peek().kind != pyName {
		return nil, "", false
	}
	return context, p.peek().text, true
}

// substitute replaces a name in an expression.
func substitute(e *pyExpr, name string, by *pyExpr) *pyExpr {
	if e == nil {
		return nil
	}
	if e.op == opName && e.text == name {
		return by
	}
	out := *e
	out.args = make([]*pyExpr, len(e.args))
	for i, arg := range e.args {
		out.args[i] = substitute(arg, name, by)
	}
	return &out
}

// with binds the name of "with open(…) as f:".
func (m *module) with(s pyStatement) {
	if context, variable, ok := withItem(s); ok {
		m.names[variable] = m.evaluate(context, nil)
		return
	}
	m.forget(s.tokens)
}

// simple reads an assignment or an expression statement.
func (m *module) simple(s pyStatement, conditional bool) {
	p := &pyParser{tokens: s.tokens}
	target, err := p.expression()
	if err != nil {
		m.forget(s.tokens)
		return
	}
	if p.take(":") { // an annotation
		if _, err := p.expression(); err != nil {
			m.forget(s.tokens)
			return
		}
	}
	switch {
	case p.is("="):
		m.assign(p, target, conditional)
	case p.is("+="):
		p.at++
		m.augment(p, target, conditional)
	case p.at == len(p.tokens):
		m.effect(target, conditional)
	default:
		m.forget(s.tokens)
	}
}

// assign handles "a = b = value".
func (m *module) assign(p *pyParser, target *pyExpr, conditional bool) {
	targets := []*pyExpr{target}
	var value *pyExpr
	for p.take("=") {
		e, err := p.expression()
		if err != nil {
			m.forget(p.tokens)
			return
		}
		value = e
		targets = append(targets, e)
	}
	if p.at != len(p.tokens) {
		m.forget(p.tokens)
		m.bindUnknown(targets[:len(targets)-1])
		return
	}
	v := m.evaluate(value, nil)
	for _, t := range targets[:len(targets)-1] {
		m.bind(t, v, conditional)
	}
}

func (m *module) bindUnknown(targets []*pyExpr) {
	for _, t := range targets {
		m.bind(t, pyValue{}, false)
	}
}

// bind gives a target its value. An assignment under a condition leaves the name unknown, unless both ways agree.
func (m *module) bind(target *pyExpr, v pyValue, conditional bool) {
	switch target.op {
	case opName:
		if conditional {
			if _, before := m.names[target.text]; before || v.kind != pyModule {
				v = pyValue{}
			}
		}
		m.names[target.text] = v
	case opIndex:
		m.bindIndex(target, v, conditional)
	case opList:
		for i, t := range target.args {
			element := pyValue{}
			if v.kind == pyList && len(v.list) == len(target.args) {
				element = v.list[i]
			}
			m.bind(t, element, conditional)
		}
	}
}

// bindIndex handles name["key"] = value.
func (m *module) bindIndex(target *pyExpr, v pyValue, conditional bool) {
	object, index := target.args[0], target.args[1]
	if object.op != opName {
		return
	}
	dict := m.names[object.text]
	key := m.evaluate(index, nil)
	if conditional || dict.kind != pyDict || key.kind != pyString {
		m.names[object.text] = pyValue{}
		return
	}
	m.names[object.text] = dict.set(key.text, v)
}

// augment handles "name += value".
func (m *module) augment(p *pyParser, target *pyExpr, conditional bool) {
	e, err := p.expression()
	if err != nil || p.at != len(p.tokens) {
		m.forget(p.tokens)
		return
	}
	sum := &pyExpr{op: opBinary, text: "+", args: []*pyExpr{target, e}, line: target.line}
	m.bind(target, m.evaluate(sum, nil), conditional)
}

// effect handles an expression that is called for what it does: setup(), list.append() and the like.
func (m *module) effect(e *pyExpr, conditional bool) {
	if e.op != opCall {
		return
	}
	callee := e.args[0]
	function := m.evaluate(callee, nil)
	if function.kind == pyModule && (function.text == "setuptools.setup" || function.text == "distutils.core.setup" || function.text == "skbuild.setup") {
		m.setup = append(m.setup, m.setupArguments(e, conditional))
		return
	}
	if callee.op != opAttribute || callee.args[0].op != opName {
		return
	}
	name := callee.args[0].text
	object, bound := m.names[name]
	if !bound || object.kind == pyModule {
		return
	}
	m.names[name] = pyValue{}
	if conditional || len(e.args) != 2 || object.kind != pyList {
		return
	}
	argument := m.evaluate(e.args[1], nil)
	switch {
	case callee.text == "append":
		object.list = append(object.list[:len(object.list):len(object.list)], argument)
		m.names[name] = object
	case callee.text == "extend" && argument.kind == pyList:
		object.list = append(object.list[:len(object.list):len(object.list)], argument.list...)
		m.names[name] = object
	}
}

func (m *module) setupArguments(e *pyExpr, conditional bool) setupCall {
	call := setupCall{args: map[string]pyValue{}, lines: map[string]int{}, line: e.line, conditional: conditional}
	for i, name := range e.names {
		arg := e.args[i+1]
		v := m.evaluate(arg, nil)
		switch name {
		case "**":
			if v.kind != pyDict {
				call.open = true
				continue
			}
			for j, key := range v.keys {
				call.args[key], call.lines[key] = v.list[j], v.list[j].line
			}
		case "", "*":
			call.open = true
		default:
			call.args[name], call.lines[name] = v, arg.line
		}
	}
	return call
}
