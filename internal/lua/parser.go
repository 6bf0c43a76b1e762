package lua

import "fmt"

const (
	maxNesting = 200 // of statements, expressions and functions (LUAI_MAXCCALLS)
	maxLocals  = 200 // of one function
	maxUpvals  = 255
)

type parser struct {
	lex   *lexer
	tok   token
	ahead *token
	fn    *funcState
	depth int
}

// funcState is a function being parsed.
type funcState struct {
	outer  *funcState
	node   *funcExpr
	active []*local
	upvals []string
	scope  *scope
}

// scope is a block being parsed.
type scope struct {
	outer  *scope
	node   *block
	base   int // how many variables there were before
	loop   bool
	labels []*label
	gotos  []*gotoStat // that wait for their label
}

// parse reads a chunk (section 3.3.2). The error is an *Error.
func parse(src, chunk string) (fn *funcExpr, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	p := &parser{lex: &lexer{src: src, line: 1, chunk: chunk}}
	p.open(&funcExpr{vararg: true, name: "main chunk", chunk: chunk})
	p.fn.upvals = []string{"_ENV"}
	p.fn.node.captures = []capture{{index: 0}}
	p.advance()
	p.fn.node.body = p.block(false)
	if p.tok.kind != "<eof>" {
		p.expected("<eof>")
	}
	return p.close(), nil
}

func (p *parser) advance() {
	if p.ahead != nil {
		p.tok, p.ahead = *p.ahead, nil
		return
	}
	p.tok = p.lex.next()
}

func (p *parser) peek() token {
	if p.ahead == nil {
		t := p.lex.next()
		p.ahead = &t
	}
	return *p.ahead
}

func (p *parser) near() string {
	switch t := p.tok; t.kind {
	case "<eof>":
		return "<eof>"
	case "name", "number":
		return "'" + t.text + "'"
	case "string":
		return "'" + t.text + "'"
	default:
		return "'" + t.kind + "'"
	}
}

func (p *parser) fail(format string, args ...any) {
	p.lex.line = p.tok.line
	p.lex.fail(p.near(), format, args...)
}

// failPlain reports an error of meaning at a line, without what is near.
func (p *parser) failPlain(line int, format string, args ...any) {
	p.lex.line = line
	p.lex.fail("", format, args...)
}

func (p *parser) expected(kind string) {
	if kind != "<eof>" && kind != "<name>" {
		kind = "'" + kind + "'"
	}
	p.fail("%s expected", kind)
}

func (p *parser) accept(kind string) bool {
	if p.tok.kind != kind {
		return false
	}
	p.advance()
	return true
}

func (p *parser) need(kind string) {
	if !p.accept(kind) {
		p.expected(kind)
	}
}

// match needs what closes something opened earlier.
func (p *parser) match(kind, opened string, line int) {
	if p.accept(kind) {
		return
	}
	if line == p.tok.line {
		p.expected(kind)
	}
	p.fail("'%s' expected (to close '%s' at line %d)", kind, opened, line)
}

func (p *parser) name() string {
	if p.tok.kind != "name" {
		p.expected("<name>")
	}
	n := p.tok.text
	p.advance()
	return n
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxNesting {
		p.fail("chunk has too many syntax levels")
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) open(node *funcExpr) {
	node.chunk = p.lex.chunk
	p.fn = &funcState{outer: p.fn, node: node}
}

func (p *parser) close() *funcExpr {
	node := p.fn.node
	p.fn = p.fn.outer
	return node
}

// declare brings a local variable into scope.
func (p *parser) declare(v *local) {
	f := p.fn
	v.slot = len(f.active)
	f.active = append(f.active, v)
	f.node.slots = max(f.node.slots, len(f.active))
	if len(f.active) > maxLocals {
		p.failPlain(p.tok.line, "too many local variables (limit is %d)", maxLocals)
	}
}

func (p *parser) newLocal(name string) *local { return &local{name: name} }

// resolve finds a name: a local variable, an upvalue, or a field of _ENV.
func (p *parser) resolve(name string, line int) expr {
	if x := p.find(p.fn, name); x != nil {
		return x
	}
	return &indexExpr{object: p.find(p.fn, "_ENV"), key: &constExpr{name}, line: line, global: true}
}

func (p *parser) find(f *funcState, name string) expr {
	for i := len(f.active) - 1; i >= 0; i-- {
		if f.active[i].name == name {
			return &localExpr{f.active[i]}
		}
	}
	for i, n := range f.upvals {
		if n == name {
			return &upvalExpr{i, name}
		}
	}
	if f.outer == nil {
		return nil
	}
	var c capture
	switch x := p.find(f.outer, name).(type) {
	case *localExpr:
		x.v.captured = true
		c.v = x.v
	case *upvalExpr:
		c.index = x.index
	default:
		return nil
	}
	if len(f.upvals) >= maxUpvals {
		p.failPlain(p.tok.line, "too many upvalues (limit is %d)", maxUpvals)
	}
	f.upvals = append(f.upvals, name)
	f.node.captures = append(f.node.captures, c)
	return &upvalExpr{len(f.upvals) - 1, name}
}

// variable finds the local that a name means, also in functions around; nil for others.
func (p *parser) variable(name string) *local {
	for f := p.fn; f != nil; f = f.outer {
		for i := len(f.active) - 1; i >= 0; i-- {
			if f.active[i].name == name {
				return f.active[i]
			}
		}
	}
	return nil
}

func blockEnds(kind string) bool {
	switch kind {
	case "<eof>", "end", "else", "elseif", "until":
		return true
	}
	return false
}

func (p *parser) openScope(loop bool) *scope {
	s := &scope{outer: p.fn.scope, node: &block{}, base: len(p.fn.active), loop: loop}
	p.fn.scope = s
	return s
}

func (p *parser) closeScope(s *scope) *block {
	p.fn.active = p.fn.active[:s.base]
	p.fn.scope = s.outer
	for _, g := range s.gotos {
		if s.outer == nil {
			p.failPlain(g.line, "no visible label '%s' for <goto> at line %d", g.name, g.line)
		}
		g.active = min(g.active, s.base)
		s.outer.gotos = append(s.outer.gotos, g)
	}
	return s.node
}

func (p *parser) block(loop bool) *block {
	s := p.openScope(loop)
	p.statements(s)
	return p.closeScope(s)
}

func (p *parser) statements(s *scope) {
	for !blockEnds(p.tok.kind) {
		if p.tok.kind == "return" {
			p.add(p.returnStat(), p.tok.line)
			break
		}
		p.statement(s)
	}
}

func (p *parser) add(st stat, line int) {
	b := p.fn.scope.node
	b.stats = append(b.stats, st)
	b.lines = append(b.lines, line)
}

func (p *parser) statement(s *scope) {
	p.enter()
	defer p.leave()
	line := p.tok.line
	switch p.tok.kind {
	case ";":
		p.advance()
	case "::":
		p.labelStat(s)
	case "if":
		p.add(p.ifStat(), line)
	case "while":
		p.advance()
		cond := p.expr(0)
		p.need("do")
		body := p.block(true)
		p.match("end", "while", line)
		p.add(&loopStat{cond, body}, line)
	case "do":
		p.advance()
		body := p.block(false)
		p.match("end", "do", line)
		p.add(&doStat{body}, line)
	case "for":
		p.add(p.forStat(), line)
	case "repeat":
		p.add(p.repeatStat(), line)
	case "function":
		p.add(p.functionStat(), line)
	case "local":
		p.advance()
		if p.accept("function") {
			v := p.newLocal(p.name())
			p.declare(v)
			p.add(&localFuncStat{v, p.function(false, v.name, line)}, line)
			return
		}
		p.localStat(line)
	case "goto":
		p.advance()
		p.gotoStat(s, line)
	case "break":
		p.advance()
		p.breakStat(line)
	default:
		p.exprStat(line)
	}
}

func (p *parser) breakStat(line int) {
	for s := p.fn.scope; s != nil; s = s.outer {
		if s.loop {
			p.add(breakStat{}, line)
			return
		}
	}
	p.failPlain(line, "break outside loop at line %d", line)
}

func (p *parser) gotoStat(s *scope, line int) {
	g := &gotoStat{name: p.name(), line: line, active: len(p.fn.active)}
	p.add(g, line)
	for at := s; at != nil; at = at.outer {
		for _, l := range at.labels {
			if l.name == g.name {
				g.target = l
				return
			}
		}
	}
	s.gotos = append(s.gotos, g)
}

func (p *parser) labelStat(s *scope) {
	line := p.tok.line
	p.advance()
	name := p.name()
	p.need("::")
	for at := s; at != nil; at = at.outer {
		for _, l := range at.labels {
			if l.name == name {
				p.failPlain(p.tok.line, "label '%s' already defined on line %d", name, l.line)
			}
		}
	}
	for p.tok.kind == ";" {
		p.advance()
	}
	l := &label{name, line, len(p.fn.active)}
	if blockEnds(p.tok.kind) && p.tok.kind != "until" {
		l.active = s.base // nothing follows that could see the variables
	}
	s.labels = append(s.labels, l)
	if s.node.labels == nil {
		s.node.labels = map[*label]int{}
	}
	s.node.labels[l] = len(s.node.stats)
	var waiting []*gotoStat
	for _, g := range s.gotos {
		if g.name != name {
			waiting = append(waiting, g)
			continue
		}
		if g.active < l.active {
			p.failPlain(g.line, "<goto %s> at line %d jumps into the scope of local '%s'", name, g.line, p.fn.active[g.active].name)
		}
		g.target = l
	}
	s.gotos = waiting
}

func (p *parser) ifStat() stat {
	st := &ifStat{}
	line := p.tok.line
	for {
		p.advance()
		st.conds = append(st.conds, p.expr(0))
		p.need("then")
		st.blocks = append(st.blocks, p.block(false))
		if p.tok.kind != "elseif" {
			break
		}
	}
	if p.accept("else") {
		st.blocks = append(st.blocks, p.block(false))
	}
	p.match("end", "if", line)
	return st
}

func (p *parser) repeatStat() stat {
	line := p.tok.line
	p.advance()
	outer := p.openScope(true) // the loop itself; its body's variables are seen by the condition
	inner := p.openScope(false)
	p.statements(inner)
	p.match("until", "repeat", line)
	st := &repeatStat{cond: p.expr(0)}
	st.body = p.closeScope(inner)
	p.closeScope(outer)
	return st
}

func (p *parser) forStat() stat {
	line := p.tok.line
	p.advance()
	first := p.name()
	switch p.tok.kind {
	case "=":
		return p.numericFor(first, line)
	case ",", "in":
		return p.genericFor(first, line)
	}
	p.fail("'=' or 'in' expected")
	return nil
}

func (p *parser) numericFor(name string, line int) stat {
	p.advance()
	st := &forStat{v: p.newLocal(name), line: line}
	st.start = p.expr(0)
	p.need(",")
	st.stop = p.expr(0)
	if p.accept(",") {
		st.step = p.expr(0)
	}
	p.need("do")
	s := p.openScope(true)
	p.declare(st.v)
	st.body = p.block(false)
	p.closeScope(s)
	p.match("end", "for", line)
	return st
}

func (p *parser) genericFor(name string, line int) stat {
	st := &forInStat{vars: []*local{p.newLocal(name)}, line: line}
	for p.accept(",") {
		st.vars = append(st.vars, p.newLocal(p.name()))
	}
	p.need("in")
	st.exprs = p.exprList()
	p.need("do")
	s := p.openScope(true)
	for _, v := range st.vars {
		p.declare(v)
	}
	st.body = p.block(false)
	p.closeScope(s)
	p.match("end", "for", line)
	return st
}

func (p *parser) functionStat() stat {
	line := p.tok.line
	p.advance()
	name := p.name()
	target := p.resolve(name, line)
	p.checkAssignable(target, name)
	method := false
	for p.tok.kind == "." || p.tok.kind == ":" {
		method = p.tok.kind == ":"
		sep := p.tok.kind
		p.advance()
		field := p.name()
		name += sep + field
		target = &indexExpr{object: target, key: &constExpr{field}, line: line}
		if method {
			break
		}
	}
	return &assignStat{[]expr{target}, []expr{p.function(method, name, line)}, line}
}

// function reads parameters and body.
func (p *parser) function(method bool, name string, line int) *funcExpr {
	p.open(&funcExpr{name: name, line: line})
	node := p.fn.node
	s := p.openScope(false)
	if method {
		node.params = append(node.params, p.newLocal("self"))
	}
	p.need("(")
	if p.tok.kind != ")" {
		for {
			if p.accept("...") {
				node.vararg = true
				break
			}
			node.params = append(node.params, p.newLocal(p.name()))
			if !p.accept(",") {
				break
			}
		}
	}
	p.need(")")
	for _, v := range node.params {
		p.declare(v)
	}
	p.statements(s)
	node.body = p.closeScope(s)
	p.match("end", "function", line)
	return p.close()
}

func (p *parser) localStat(line int) {
	st := &localStat{line: line}
	for {
		v := p.newLocal(p.name())
		if p.accept("<") {
			switch attrib := p.name(); attrib {
			case "const":
				v.constant = true
			case "close":
				v.constant, v.closes = true, true
				p.fn.scope.node.closes = true
			default:
				p.failPlain(p.tok.line, "unknown attribute '%s'", attrib)
			}
			p.need(">")
		}
		st.vars = append(st.vars, v)
		if !p.accept(",") {
			break
		}
	}
	closing := 0
	for _, v := range st.vars {
		if v.closes {
			closing++
		}
	}
	if closing > 1 {
		p.failPlain(p.tok.line, "multiple to-be-closed variables in local list")
	}
	if p.accept("=") {
		st.exprs = p.exprList()
	}
	for _, v := range st.vars {
		p.declare(v)
	}
	p.add(st, line)
}

func (p *parser) returnStat() stat {
	st := &returnStat{line: p.tok.line}
	p.advance()
	if !blockEnds(p.tok.kind) && p.tok.kind != ";" {
		st.exprs = p.exprList()
	}
	p.accept(";")
	if len(st.exprs) == 1 {
		_, st.tail = st.exprs[0].(*callExpr)
	}
	for s := p.fn.scope; s != nil; s = s.outer {
		if s.node.closes {
			st.tail = false // the call comes before the variables are closed
		}
	}
	if !blockEnds(p.tok.kind) {
		p.expected("<eof>")
	}
	return st
}

// exprStat is a call or an assignment.
func (p *parser) exprStat(line int) {
	first := p.suffixed()
	if p.tok.kind != "=" && p.tok.kind != "," {
		call, ok := first.(*callExpr)
		if !ok {
			p.fail("syntax error")
		}
		p.add(&callStat{call}, line)
		return
	}
	st := &assignStat{targets: []expr{first}, line: line}
	for p.accept(",") {
		p.enter()
		defer p.leave()
		st.targets = append(st.targets, p.suffixed())
	}
	for _, t := range st.targets {
		p.checkTarget(t)
	}
	p.need("=")
	st.exprs = p.exprList()
	p.add(st, line)
}

func (p *parser) checkTarget(t expr) {
	switch t := t.(type) {
	case *localExpr:
		p.checkAssignable(t, t.v.name)
	case *upvalExpr:
		p.checkAssignable(t, t.name)
	case *indexExpr:
	default:
		p.fail("syntax error")
	}
}

func (p *parser) checkAssignable(target expr, name string) {
	switch target.(type) {
	case *localExpr, *upvalExpr:
		if v := p.variable(name); v != nil && v.constant {
			p.failPlain(p.tok.line, "attempt to assign to const variable '%s'", name)
		}
	}
}

func (p *parser) exprList() []expr {
	list := []expr{p.expr(0)}
	for p.accept(",") {
		list = append(list, p.expr(0))
	}
	return list
}

// priorities of binary operators, left and right: a right one that is lower makes the operator
// associate to the right (section 3.4.8).
var priorities = map[string][2]int{
	"or": {1, 1}, "and": {2, 2},
	"<": {3, 3}, ">": {3, 3}, "<=": {3, 3}, ">=": {3, 3}, "~=": {3, 3}, "==": {3, 3},
	"|": {4, 4}, "~": {5, 5}, "&": {6, 6}, "<<": {7, 7}, ">>": {7, 7},
	"..": {9, 8}, "+": {10, 10}, "-": {10, 10},
	"*": {11, 11}, "/": {11, 11}, "//": {11, 11}, "%": {11, 11},
	"^": {14, 13},
}

const unaryPriority = 12

func (p *parser) expr(limit int) expr {
	p.enter()
	defer p.leave()
	var x expr
	switch line := p.tok.line; p.tok.kind {
	case "not", "-", "#", "~":
		op := p.tok.kind
		p.advance()
		x = fold(&unaryExpr{op, p.expr(unaryPriority), line})
	default:
		x = p.simple()
	}
	for {
		op := p.tok.kind
		prio, ok := priorities[op]
		if !ok || prio[0] <= limit {
			return x
		}
		line := p.tok.line
		p.advance()
		r := p.expr(prio[1])
		switch op {
		case "and":
			x = &andExpr{x, r}
		case "or":
			x = &orExpr{x, r}
		default:
			x = &binaryExpr{op, x, r, line}
		}
	}
}

// fold makes negative numerals constants.
func fold(u *unaryExpr) expr {
	if c, ok := u.x.(*constExpr); ok && u.op == "-" {
		switch n := c.value.(type) {
		case int64:
			return &constExpr{-n}
		case float64:
			return &constExpr{-n}
		}
	}
	return u
}

func (p *parser) simple() expr {
	t := p.tok
	switch t.kind {
	case "number":
		p.advance()
		return &constExpr{t.num}
	case "string":
		p.advance()
		return &constExpr{t.text}
	case "nil":
		p.advance()
		return &constExpr{nil}
	case "true", "false":
		p.advance()
		return &constExpr{t.kind == "true"}
	case "...":
		if !p.fn.node.vararg {
			p.fail("cannot use '...' outside a vararg function")
		}
		p.advance()
		return varargExpr{}
	case "{":
		return p.table()
	case "function":
		p.advance()
		return p.function(false, fmt.Sprintf("function <%s:%d>", p.lex.chunk, t.line), t.line)
	}
	return p.suffixed()
}

func (p *parser) suffixed() expr {
	var x expr
	line := p.tok.line
	switch p.tok.kind {
	case "name":
		x = p.resolve(p.name(), line)
	case "(":
		p.advance()
		x = p.expr(0)
		p.match(")", "(", line)
		x = &parenExpr{x}
	default:
		p.fail("unexpected symbol")
	}
	for {
		line := p.tok.line
		switch p.tok.kind {
		case ".":
			p.advance()
			x = &indexExpr{object: x, key: &constExpr{p.name()}, line: line}
		case "[":
			p.advance()
			key := p.expr(0)
			p.need("]")
			x = &indexExpr{object: x, key: key, line: line}
		case ":":
			p.advance()
			method := p.name()
			x = &callExpr{x, method, p.args(), line}
		case "(", "string", "{":
			x = &callExpr{x, "", p.args(), line}
		default:
			return x
		}
	}
}

func (p *parser) args() []expr {
	switch t := p.tok; t.kind {
	case "string":
		p.advance()
		return []expr{&constExpr{t.text}}
	case "{":
		return []expr{p.table()}
	case "(":
		p.advance()
		if p.accept(")") {
			return nil
		}
		list := p.exprList()
		p.match(")", "(", t.line)
		return list
	}
	p.fail("function arguments expected")
	return nil
}

func (p *parser) table() expr {
	t := &tableExpr{line: p.tok.line}
	p.need("{")
	for p.tok.kind != "}" {
		switch {
		case p.tok.kind == "[":
			p.advance()
			key := p.expr(0)
			p.need("]")
			p.need("=")
			t.items = append(t.items, tableItem{key, p.expr(0)})
		case p.tok.kind == "name" && p.peek().kind == "=":
			key := &constExpr{p.name()}
			p.advance()
			t.items = append(t.items, tableItem{key, p.expr(0)})
		default:
			t.items = append(t.items, tableItem{nil, p.expr(0)})
		}
		if !p.accept(",") && !p.accept(";") {
			break
		}
	}
	p.match("}", "{", t.line)
	return t
}
