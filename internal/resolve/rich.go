package resolve

import (
	"slices"

	"github.com/slipway-build/slipway/internal/resolve/sat"
	"github.com/slipway-build/slipway/internal/rpm"
)

// formula is a condition on what is installed, in conjunctive normal form: every clause must hold.
// Without clauses it is always true; with an empty clause it is never true. Literals of a clause are
// sorted.
type formula [][]sat.Lit

// maxClauses bounds what a rich dependency may grow to. Beyond, it counts as not met by anything.
const maxClauses = 4096

var (
	always = formula{}
	never  = formula{{}}
)

// formulaOf turns a dependency of any kind into a formula.
func (p *pool) formulaOf(d rpm.Dependency, negate bool) formula {
	if !d.IsRich() {
		return p.leaf(d, negate)
	}
	key := formulaKey{d.Name, negate}
	f, ok := p.formulas[key]
	if !ok {
		f = constant(negate)
		if r := p.parseRich(d.Name); r != nil {
			f = p.normalize(r, negate)
		}
		p.formulas[key] = f
	}
	return f
}

type formulaKey struct {
	text   string
	negate bool
}

func constant(v bool) formula {
	if v {
		return always
	}
	return never
}

// normalize gives the formula of r, or of its opposite:
//
//	A if B            A or not B
//	A if B else C     (A or not B) and (C or B)
//	A unless B        A and not B
//	A unless B else C (A and not B) or (C and B)
func (p *pool) normalize(r *rpm.Rich, negate bool) formula {
	is := func(r *rpm.Rich) formula { return p.normalize(r, negate) }
	not := func(r *rpm.Rich) formula { return p.normalize(r, !negate) }
	// By De Morgan, the opposite has "and" and "or" change places.
	and, or := conjunction, disjunction
	if negate {
		and, or = disjunction, conjunction
	}
	switch r.Op {
	case rpm.RichAnd:
		return and(is(r.Left), is(r.Right))
	case rpm.RichOr:
		return or(is(r.Left), is(r.Right))
	case rpm.RichIf:
		f := or(is(r.Left), not(r.Right))
		if r.Else != nil {
			f = and(f, or(is(r.Else), is(r.Right)))
		}
		return f
	case rpm.RichUnless:
		f := and(is(r.Left), not(r.Right))
		if r.Else != nil {
			f = or(f, and(is(r.Else), is(r.Right)))
		}
		return f
	case rpm.RichWith, rpm.RichWithout:
		return oneOf(p.set(r), negate)
	default:
		return p.leaf(r.Dep, negate)
	}
}

func (p *pool) leaf(d rpm.Dependency, negate bool) formula {
	if isFeature(d) {
		return constant(!negate)
	}
	return oneOf(p.whoProvides(d), negate)
}

// oneOf says that at least one of the packages is installed, or none.
func oneOf(ids []id, negate bool) formula {
	if negate {
		f := formula{}
		for _, i := range ids {
			f = append(f, []sat.Lit{-sat.Lit(i)})
		}
		return f
	}
	clause := make([]sat.Lit, len(ids))
	for n, i := range ids {
		clause[n] = sat.Lit(i)
	}
	return formula{clause}
}

// set gives the packages that a single package's dependency means: the operands of "with" and
// "without" speak of one package.
func (p *pool) set(r *rpm.Rich) []id {
	switch r.Op {
	case rpm.RichDep:
		return p.whoProvides(r.Dep)
	case rpm.RichOr:
		both := slices.Concat(p.set(r.Left), p.set(r.Right))
		slices.Sort(both)
		return slices.Compact(both)
	case rpm.RichWith, rpm.RichWithout:
		right := p.set(r.Right)
		var ids []id
		for _, i := range p.set(r.Left) {
			if _, found := slices.BinarySearch(right, i); found == (r.Op == rpm.RichWith) {
				ids = append(ids, i)
			}
		}
		return ids
	default:
		return nil // rpm does not allow the other operators here
	}
}

// isNever says whether a formula can be seen not to hold, whatever is installed.
func (f formula) isNever() bool {
	return slices.ContainsFunc(f, func(clause []sat.Lit) bool { return len(clause) == 0 })
}

// conjunction is the formula that holds where both do.
func conjunction(a, b formula) formula {
	if a.isNever() || b.isNever() || len(a)+len(b) > maxClauses {
		return never
	}
	return append(slices.Clip(a), b...)
}

// disjunction is the formula that holds where one of the two does: every clause of one with every
// clause of the other, without those that always hold.
func disjunction(a, b formula) formula {
	if len(a)*len(b) > maxClauses {
		return never
	}
	f := formula{}
	for _, x := range a {
		for _, y := range b {
			clause := slices.Concat(x, y)
			slices.Sort(clause)
			clause = slices.Compact(clause)
			if !tautology(clause) {
				f = append(f, clause)
			}
		}
	}
	return f
}

// tautology says whether a sorted clause holds a literal and its opposite.
func tautology(clause []sat.Lit) bool {
	for i, j := 0, len(clause)-1; i < j && clause[i] < 0 && clause[j] > 0; {
		switch sum := clause[i] + clause[j]; {
		case sum == 0:
			return true
		case sum < 0:
			i++
		default:
			j--
		}
	}
	return false
}

// condition is a dependency of any kind, to be evaluated on what is installed: the packages of which
// one is needed, or the operands of a rich dependency.
type condition struct {
	op                rpm.RichOp // RichDep: ids
	ids               []id
	left, right, more *condition // more is the operand of "else"
}

// conditionOf prepares a dependency. What is always true is nil.
func (p *pool) conditionOf(d rpm.Dependency) *condition {
	if isFeature(d) {
		return nil
	}
	if !d.IsRich() {
		return &condition{ids: p.whoProvides(d)}
	}
	c, ok := p.conditions[d.Name]
	if !ok {
		c = &condition{}
		if r := p.parseRich(d.Name); r != nil {
			c = p.conditionOfRich(r)
		}
		p.conditions[d.Name] = c
	}
	return c
}

func (p *pool) conditionOfRich(r *rpm.Rich) *condition {
	if r.Op == rpm.RichDep {
		return p.conditionOf(r.Dep)
	}
	if r.Op == rpm.RichWith || r.Op == rpm.RichWithout {
		return &condition{ids: p.set(r)}
	}
	c := &condition{op: r.Op, left: p.conditionOfRich(r.Left), right: p.conditionOfRich(r.Right)}
	if r.Else != nil {
		c.more = p.conditionOfRich(r.Else)
		if c.more == nil {
			c.more = &condition{op: rpm.RichAnd} // nil would say that there is no "else"
		}
	}
	return c
}

// holds evaluates a condition on what is installed now; what is not decided counts as absent.
func (w *weakness) holds(c *condition) bool {
	if c == nil {
		return true
	}
	switch c.op {
	case rpm.RichAnd:
		return w.holds(c.left) && w.holds(c.right)
	case rpm.RichOr:
		return w.holds(c.left) || w.holds(c.right)
	case rpm.RichIf:
		if w.holds(c.right) {
			return w.holds(c.left)
		}
		return c.more == nil || w.holds(c.more)
	case rpm.RichUnless:
		if !w.holds(c.right) {
			return w.holds(c.left)
		}
		return c.more != nil && w.holds(c.more)
	default:
		for _, i := range c.ids {
			if w.installed(i) {
				return true
			}
		}
		return false
	}
}
