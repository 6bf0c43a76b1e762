package macro

import (
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// The grammar, loosest first: ternary, then && and || (which bind alike, from the left), then comparisons, sums,
// products, and unary operators.

// maxExpressionDepth bounds the nesting of parentheses and unary operators.
const maxExpressionDepth = 200

func (p *parser) ternary() (value, error) {
	if p.depth++; p.depth > maxExpressionDepth {
		return value{}, &LimitError{What: "200 levels of nesting in an expression"}
	}
	defer func() { p.depth-- }()
	condition, err := p.logical()
	if err != nil || p.token != question {
		return condition, err
	}
	yes := condition.truth()
	first, err := p.branch(yes)
	if err != nil {
		return value{}, err
	}
	if p.token != colon {
		return value{}, p.errorf("syntax error while parsing ternary")
	}
	second, err := p.branch(!yes)
	if err != nil {
		return value{}, err
	}
	if err := p.sameType(first, second); err != nil {
		return value{}, err
	}
	if yes {
		return first, nil
	}
	return second, nil
}

// branch evaluates one side of a ternary; the side that is not taken is only checked.
func (p *parser) branch(taken bool) (value, error) {
	if !taken {
		p.skip++
		defer func() { p.skip-- }()
	}
	if err := p.next(); err != nil {
		return value{}, err
	}
	return p.ternary()
}

func (p *parser) logical() (value, error) {
	left, err := p.comparison()
	for err == nil && (p.token == and || p.token == or) {
		op := p.token
		decided := left.truth() == (op == or)
		var right value
		if right, err = p.operand(p.comparison, decided); err != nil {
			break
		}
		if err = p.sameType(left, right); err != nil {
			break
		}
		if !decided {
			left = right
		}
	}
	return left, err
}

// operand reads the token after an operator and evaluates what follows with parse.
func (p *parser) operand(parse func() (value, error), skip bool) (value, error) {
	if skip {
		p.skip++
		defer func() { p.skip-- }()
	}
	if err := p.next(); err != nil {
		return value{}, err
	}
	return parse()
}

func (p *parser) comparison() (value, error) {
	left, err := p.sum()
	for err == nil && p.token >= equal && p.token <= greaterEqual {
		op := p.token
		var right value
		if right, err = p.operand(p.sum, false); err != nil {
			break
		}
		if err = p.sameType(left, right); err != nil {
			break
		}
		left = boolean(holds(op, compare(left, right)))
	}
	return left, err
}

// compare orders two values of one type.
func compare(a, b value) int {
	switch a.kind {
	case text:
		return strings.Compare(a.text, b.text)
	case version:
		x, errX := rpm.ParseEVR(a.text)
		y, errY := rpm.ParseEVR(b.text)
		if errX != nil || errY != nil {
			return 0 // a part that is only checked
		}
		return x.Compare(y)
	default:
		switch {
		case a.number < b.number:
			return -1
		case a.number > b.number:
			return 1
		}
		return 0
	}
}

func holds(op token, order int) bool {
	switch op {
	case equal:
		return order == 0
	case notEqual:
		return order != 0
	case less:
		return order < 0
	case lessEqual:
		return order <= 0
	case greater:
		return order > 0
	default:
		return order >= 0
	}
}

func (p *parser) sum() (value, error) {
	left, err := p.product()
	for err == nil && (p.token == add || p.token == subtract) {
		op := p.token
		var right value
		if right, err = p.operand(p.product, false); err != nil {
			break
		}
		if err = p.sameType(left, right); err != nil {
			break
		}
		switch {
		case left.kind == version:
			err = p.errorf("+ and - are not supported for versions")
		case left.kind == text && op == subtract:
			err = p.errorf("- is not supported for strings")
		case left.kind == text:
			left.text += right.text
			err = p.engine.spend(len(left.text))
		case op == add:
			left.number += right.number
		default:
			left.number -= right.number
		}
	}
	return left, err
}

func (p *parser) product() (value, error) {
	left, err := p.unary()
	for err == nil && (p.token == multiply || p.token == divide) {
		op := p.token
		var right value
		if right, err = p.operand(p.unary, false); err != nil {
			break
		}
		if err = p.sameType(left, right); err != nil {
			break
		}
		switch {
		case left.kind != integer:
			err = p.errorf("* and / are only supported for numbers")
		case op == multiply:
			left.number *= right.number
		case p.skip > 0:
		case right.number == 0:
			err = p.errorf("division by zero")
		default:
			left.number /= right.number
		}
	}
	return left, err
}

func (p *parser) unary() (value, error) {
	if p.depth++; p.depth > maxExpressionDepth {
		return value{}, &LimitError{What: "200 levels of nesting in an expression"}
	}
	defer func() { p.depth-- }()
	switch p.token {
	case operand:
		v := p.value
		return v, p.next()
	case openParen:
		if err := p.next(); err != nil {
			return value{}, err
		}
		v, err := p.ternary()
		if err != nil {
			return value{}, err
		}
		if p.token != closeParen {
			return value{}, p.errorf("unmatched (")
		}
		return v, p.next()
	case subtract:
		v, err := p.operand(p.unary, false)
		if err == nil && v.kind != integer {
			err = p.errorf("- is only supported for numbers")
		}
		return value{number: -v.number}, err
	case not:
		v, err := p.operand(p.unary, false)
		return boolean(!v.truth()), err
	case end:
		return value{}, p.errorf("unexpected end")
	default:
		return value{}, p.errorf("syntax error")
	}
}

func (p *parser) sameType(a, b value) error {
	if a.kind != b.kind {
		return p.errorf("types must match")
	}
	return nil
}
