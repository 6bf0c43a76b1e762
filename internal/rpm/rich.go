package rpm

import (
	"fmt"
	"strings"
)

// RichOp is the operator of a rich dependency.
type RichOp uint8

// The operators of rich dependencies (rpm documentation, "Boolean
// dependencies"). RichDep is a leaf: a plain dependency.
const (
	RichDep RichOp = iota
	RichAnd
	RichOr
	RichIf
	RichUnless
	RichWith
	RichWithout
)

var richWords = [...]string{"", "and", "or", "if", "unless", "with", "without"}

// String is the operator's word, "" for a leaf.
func (op RichOp) String() string {
	if int(op) < len(richWords) {
		return richWords[op]
	}
	return fmt.Sprintf("RichOp(%d)", op)
}

// Rich is a rich dependency as a tree. A leaf (RichDep) has only Dep. The
// others have Left and Right in the order they are written: "(Left if Right
// else Else)", where Else may be nil. A chain "(a or b or c)" nests to the
// right.
type Rich struct {
	Op                RichOp
	Dep               Dependency
	Left, Right, Else *Rich
}

// Bounds of a rich dependency: how deep parentheses nest, how many plain
// dependencies it holds.
const (
	maxRichDepth  = 64
	maxRichLeaves = 4096
)

// ParseRich reads a rich dependency, parentheses included. Depth and size are
// bounded, so that walking the result is safe.
func ParseRich(s string) (*Rich, error) {
	if len(s) > maxDependency {
		return nil, fmt.Errorf("parsing a rich dependency: it is %d bytes long", len(s))
	}
	scan := depScanner{text: s}
	r, err := scan.rich()
	if err == nil && scan.skip() {
		err = fmt.Errorf("%q follows the closing parenthesis", scan.rest())
	}
	if err != nil {
		return nil, fmt.Errorf("parsing rich dependency %q: %w", s, err)
	}
	return r, nil
}

// String writes the dependency as rpm does, outer parentheses included.
func (r *Rich) String() string {
	var b strings.Builder
	r.write(&b, RichDep)
	return b.String()
}

func (r *Rich) write(b *strings.Builder, chain RichOp) {
	if r.Op == RichDep {
		b.WriteString(r.Dep.String())
		return
	}
	if r.Op != chain { // a chain's links share one pair of parentheses
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	r.Left.write(b, RichDep)
	b.WriteString(" " + r.Op.String() + " ")
	if r.Op.chains() {
		r.Right.write(b, r.Op)
	} else {
		r.Right.write(b, RichDep)
	}
	if r.Else != nil {
		b.WriteString(" else ")
		r.Else.write(b, RichDep)
	}
}

func (op RichOp) chains() bool { return op == RichAnd || op == RichOr || op == RichWith }
