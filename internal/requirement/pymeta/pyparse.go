package pymeta

import "errors"

// pyExpr is an expression of Python, as far as setup.py files need it.
type pyExpr struct {
	op    pyOp
	text  string // of names, strings, numbers, attributes, operators
	args  []*pyExpr
	names []string // of keyword arguments and ** (empty string: positional), parallel to args[1:] of a call
	line  int
}

type pyOp int

const (
	opOpaque pyOp = iota // something whose value can't be known
	opName
	opString
	opNumber
	opList      // a list, tuple or set
	opDict      // args are keys and values in turn; a nil key is a ** entry
	opBinary    // text is the operator
	opUnary     // text is the operator
	opTernary   // condition, value, other value
	opCall      // function, arguments
	opAttribute // object; text is the name
	opIndex     // object, index
	opComp      // element, variable, iterable, conditions: [e for v in i if c]
	opLambda
)

var errPySyntax = errors.New("not an expression that is understood")

// maxPyDepth bounds the nesting of expressions.
const maxPyDepth = 100

type pyParser struct {
	tokens []pyToken
	at     int
	depth  int
}

func (p *pyParser) peek() pyToken {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return pyToken{}
}

// is says whether the next token is an operator or keyword.
func (p *pyParser) is(text string) bool {
	t := p.peek()
	return (t.kind == pyOperator || t.kind == pyName) && t.text == text
}

func (p *pyParser) take(text string) bool {
	if p.is(text) {
		p.at++
		return true
	}
	return false
}

func (p *pyParser) need(text string) error {
	if !p.take(text) {
		return errPySyntax
	}
	return nil
}

// expression parses a whole expression, a ternary included.
func (p *pyParser) expression() (*pyExpr, error) {
	if p.depth++; p.depth > maxPyDepth {
		return nil, errPySyntax
	}
	defer func() { p.depth-- }()
	line := p.peek().line
	if p.take("lambda") {
		for !p.take(":") {
			if p.at++; p.at >= len(p.tokens) {
				return nil, errPySyntax
			}
		}
		_, err := p.expression()
		return &pyExpr{op: opLambda, line: line}, err
	}
	value, err := p.binary(0)
	if err != nil || !p.take("if") {
		return value, err
	}
	condition, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if err := p.need("else"); err != nil {
		return nil, err
	}
	other, err := p.expression()
	return &pyExpr{op: opTernary, args: []*pyExpr{condition, value, other}, line: line}, err
}

// pyLevels are binary operators from loose to tight.
var pyLevels = [][]string{
	{"or"}, {"and"}, {"not in", "in", "is", "==", "!=", "<=", ">=", "<", ">"}, {"|", "^", "&", "<<", ">>"},
	{"+", "-"}, {"*", "/", "//", "%", "@"}, {"**"},
}

func (p *pyParser) binary(level int) (*pyExpr, error) {
	if level == len(pyLevels) {
		return p.unary()
	}
	if level == 2 && p.is("not") {
		line := p.peek().line
		p.at++
		if p.depth++; p.depth > maxPyDepth {
			return nil, errPySyntax
		}
		defer func() { p.depth-- }()
		operand, err := p.binary(2)
		return &pyExpr{op: opUnary, text: "not", args: []*pyExpr{operand}, line: line}, err
	}
	left, err := p.binary(level + 1)
	for err == nil {
		op := p.operator(level)
		if op == "" {
			return left, nil
		}
		var right *pyExpr
		if right, err = p.binary(level + 1); err == nil {
			left = &pyExpr{op: opBinary, text: op, args: []*pyExpr{left, right}, line: left.line}
		}
	}
	return nil, err
}

// operator takes a binary operator of a level, or returns the empty string.
func (p *pyParser) operator(level int) string {
	for _, op := range pyLevels[level] {
		switch op {
		case "not in":
			if p.is("not") && p.at+1 < len(p.tokens) && p.tokens[p.at+1].text == "in" {
				p.at += 2
				return op
			}
		case "is":
			if p.take("is") {
				p.take("not")
				return op
			}
		default:
			if p.take(op) {
				return op
			}
		}
	}
	return ""
}

func (p *pyParser) unary() (*pyExpr, error) {
	line := p.peek().line
	for _, op := range []string{"-", "+", "~", "await", "*", "**"} {
		if !p.take(op) {
			continue
		}
		if p.depth++; p.depth > maxPyDepth {
			return nil, errPySyntax
		}
		defer func() { p.depth-- }()
		operand, err := p.unary()
		return &pyExpr{op: opUnary, text: op, args: []*pyExpr{operand}, line: line}, err
	}
	return p.postfix()
}

func (p *pyParser) postfix() (*pyExpr, error) {
	e, err := p.atom()
	for err == nil {
		switch {
		case p.is("("):
			e, err = p.call(e)
		case p.is("["):
			e, err = p.index(e)
		case p.take("."):
			name := p.peek()
			if name.kind != pyName {
				return nil, errPySyntax
			}
			p.at++
			e = &pyExpr{op: opAttribute, text: name.text, args: []*pyExpr{e}, line: name.line}
		default:
			return e, nil
		}
	}
	return nil, err
}

func (p *pyParser) call(function *pyExpr) (*pyExpr, error) {
	p.at++
	call := &pyExpr{op: opCall, args: []*pyExpr{function}, line: function.line}
	for !p.take(")") {
		name := ""
		switch {
		case p.take("**"):
			name = "**"
		case p.take("*"):
			name = "*"
		case p.peek().kind == pyName && p.at+1 < len(p.tokens) && p.tokens[p.at+1].text == "=" && p.tokens[p.at+1].kind == pyOperator:
			name = p.peek().text
			p.at += 2
		}
		arg, err := p.element()
		if err != nil {
			return nil, err
		}
		call.args, call.names = append(call.args, arg), append(call.names, name)
		if !p.take(",") && !p.is(")") {
			return nil, errPySyntax
		}
	}
	return call, nil
}

func (p *pyParser) index(object *pyExpr) (*pyExpr, error) {
	p.at++
	e := &pyExpr{op: opIndex, args: []*pyExpr{object}, line: object.line}
	for !p.take("]") {
		if p.take(":") || p.take(",") {
			e.op = opOpaque
			continue
		}
		index, err := p.expression()
		if err != nil {
			return nil, err
		}
		e.args = append(e.args, index)
	}
	if len(e.args) != 2 {
		e.op = opOpaque
	}
	return e, nil
}

func (p *pyParser) atom() (*pyExpr, error) {
	t := p.peek()
	switch {
	case t.kind == pyStringToken:
		return p.strings(), nil
	case t.kind == pyNumberToken:
		p.at++
		return &pyExpr{op: opNumber, text: t.text, line: t.line}, nil
	case t.kind == pyName:
		p.at++
		return &pyExpr{op: opName, text: t.text, line: t.line}, nil
	case p.take("("):
		return p.display(")", t.line)
	case p.take("["):
		return p.display("]", t.line)
	case p.take("{"):
		return p.braces(t.line)
	case p.take("..."):
		return &pyExpr{op: opOpaque, line: t.line}, nil
	}
	return nil, errPySyntax
}

// strings joins string literals that stand side by side.
func (p *pyParser) strings() *pyExpr {
	e := &pyExpr{op: opString, line: p.peek().line}
	for p.peek().kind == pyStringToken {
		if p.peek().opaque {
			e.op = opOpaque
		}
		e.text += p.peek().text
		p.at++
	}
	return e
}

// display reads a list, tuple, or parenthesised expression up to its closing bracket.
func (p *pyParser) display(closing string, line int) (*pyExpr, error) {
	list := &pyExpr{op: opList, line: line}
	comma := false
	for !p.take(closing) {
		element, err := p.element()
		if err != nil {
			return nil, err
		}
		if element.op == opComp {
			return element, p.need(closing)
		}
		list.args = append(list.args, element)
		if p.take(",") {
			comma = true
		} else if !p.is(closing) {
			return nil, errPySyntax
		}
	}
	if closing == ")" && len(list.args) == 1 && !comma {
		return list.args[0], nil
	}
	return list, nil
}

// element reads an expression, or a comprehension over one.
func (p *pyParser) element() (*pyExpr, error) {
	e, err := p.expression()
	if err != nil || !p.is("for") && !p.is("async") {
		return e, err
	}
	return p.comprehension(e)
}

func (p *pyParser) comprehension(element *pyExpr) (*pyExpr, error) {
	p.take("async")
	p.at++
	variable := p.peek()
	p.at++
	comp := &pyExpr{op: opComp, text: variable.text, args: []*pyExpr{element}, line: element.line}
	if variable.kind != pyName || !p.is("in") {
		return p.skipComprehension(comp)
	}
	p.at++
	iterable, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	comp.args = append(comp.args, iterable)
	for p.take("if") {
		condition, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		comp.args = append(comp.args, condition)
	}
	if p.is("for") {
		return p.skipComprehension(comp)
	}
	return comp, nil
}

// skipComprehension passes over a comprehension that is too much, up to the bracket that closes it.
func (p *pyParser) skipComprehension(comp *pyExpr) (*pyExpr, error) {
	comp.op = opOpaque
	for level := 0; p.at < len(p.tokens); p.at++ {
		if t := p.peek(); t.kind == pyOperator {
			switch t.text {
			case "(", "[", "{":
				level++
			case ")", "]", "}":
				if level == 0 {
					return comp, nil
				}
				level--
			}
		}
	}
	return nil, errPySyntax
}

// braces reads a dict or a set.
func (p *pyParser) braces(line int) (*pyExpr, error) {
	e := &pyExpr{op: opDict, line: line}
	for !p.take("}") {
		if p.take("**") {
			value, err := p.expression()
			if err != nil {
				return nil, err
			}
			e.args = append(e.args, nil, value)
		} else {
			key, err := p.element()
			if err != nil {
				return nil, err
			}
			if !p.take(":") {
				e.op, e.text = opList, "set"
				e.args = append(e.args, key)
			} else {
				value, err := p.element()
				if err != nil {
					return nil, err
				}
				e.args = append(e.args, key, value)
			}
		}
		if !p.take(",") && !p.is("}") {
			return nil, errPySyntax
		}
	}
	return e, nil
}
