package sat

import (
	"errors"
	"fmt"
)

// Lit is a literal: variable v is Lit(v), its negation Lit(-v). Variables start at 1.
type Lit int32

// Var is the literal's variable.
func (l Lit) Var() int {
	if l < 0 {
		return int(-l)
	}
	return int(l)
}

// index orders literals for tables: two places a variable.
func (l Lit) index() int {
	if l < 0 {
		return int(-l)<<1 | 1
	}
	return int(l) << 1
}

// Value is what is known of a literal.
type Value int8

// A literal is unknown until it is decided or forced.
const (
	Unknown Value = 0
	True    Value = 1
	False   Value = -1
)

// Clause names a clause; clauses are numbered from 0 in the order in which they came to be, learned
// ones included.
type Clause int32

// none is the reason of a decision.
const none Clause = -1

// ErrUnsatisfiable says that the clauses cannot all be true (with the assumptions, if there were
// any); Core says which.
var ErrUnsatisfiable = errors.New("the clauses contradict each other")

// LimitError says that the search was given up, having neither a solution nor a proof.
type LimitError struct {
	// Conflicts is how many were met.
	Conflicts int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("no answer after %d conflicts", e.Conflicts)
}

// Solver holds clauses and a partial assignment of their variables. It is used from one goroutine.
type Solver struct {
	// Expand, when set, is called the first time that a variable becomes true, before anything is
	// concluded from it. It may Add clauses that hold the variable's negation. So clauses that
	// matter only where a variable is true need not exist before.
	Expand func(v int)
	// Limit bounds the number of conflicts; 0 means no bound.
	Limit int

	lits    []Lit    // the literals of all clauses, one clause after the other
	clauses []clause // watch[0] and watch[1] are watched
	heads   []link   // by Lit.index: the watches of that literal

	value    []Value // by variable
	level    []int32
	reason   []Clause
	expanded []bool

	trail   []Lit // in the order in which they became true
	limits  []int // limits[n] is the length of the trail when level n+1 was opened
	pending int   // trail[pending:] is not propagated yet

	proofs    []Clause // what learned clauses follow from
	conflicts int
	failed    []Clause // added clauses that were false then
	core      []Clause
	blocked   []Lit // the assumptions of the core
	seen      []bool
}

type clause struct {
	start, end int32 // in lits
	proof      int32 // where in proofs the antecedents start; -1 for a clause that was added
	proofEnd   int32
	watch      [2]Lit
	next       [2]link // the next watch of the same literal
}

// link is a place in a list of watches: clause*2+which, plus 1; 0 ends the list.
type link int32

// New makes a solver of the variables 1 to n, without clauses.
func New(n int) *Solver {
	s := &Solver{}
	s.Grow(n)
	return s
}

// Reset takes all clauses, decisions and conflicts back. The variables stay.
func (s *Solver) Reset() {
	for _, lits := range [][]Lit{s.lits, s.trail} {
		for _, l := range lits {
			v := l.Var()
			s.value[v], s.expanded[v] = Unknown, false
			s.heads[l.index()], s.heads[(-l).index()] = 0, 0
		}
	}
	s.lits, s.clauses, s.trail, s.limits = s.lits[:0], s.clauses[:0], s.trail[:0], s.limits[:0]
	s.proofs, s.failed = s.proofs[:0], s.failed[:0]
	s.pending, s.conflicts = 0, 0
	s.core, s.blocked = nil, nil
}

// Grow makes sure that the variables 1 to n exist.
func (s *Solver) Grow(n int) {
	if n < len(s.value) {
		return
	}
	s.value = grown(s.value, n+1)
	s.level = grown(s.level, n+1)
	s.reason = grown(s.reason, n+1)
	s.expanded = grown(s.expanded, n+1)
	s.seen = grown(s.seen, n+1)
	s.heads = grown(s.heads, 2*n+2)
}

func grown[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return append(make([]T, 0, n+n/4), s...)[:n]
}

// Level is how many decisions stand. At level 0 stands only what follows from the clauses alone.
func (s *Solver) Level() int { return len(s.limits) }

// Value is what is known of a literal now.
func (s *Solver) Value(l Lit) Value {
	if l < 0 {
		return -s.value[-l]
	}
	return s.value[l]
}

// LevelOf is the level at which the variable got its value; meaningless while it has none.
func (s *Solver) LevelOf(v int) int { return int(s.level[v]) }

// Trail lists the literals that are true, in the order in which they became so. It is valid until
// the next call that changes the solver, and must not be changed.
func (s *Solver) Trail() []Lit { return s.trail }

// Literals are those of a clause, in the order in which they were given; a learned clause starts
// with what it made true. The slice must not be changed.
func (s *Solver) Literals(c Clause) []Lit {
	return s.lits[s.clauses[c].start:s.clauses[c].end]
}

// Clauses is the number of clauses; Learned says which were not given to Add.
func (s *Solver) Clauses() int { return len(s.clauses) }

// Learned says whether the solver made the clause itself.
func (s *Solver) Learned(c Clause) bool { return s.clauses[c].proof >= 0 }

// Conflicts is the number of conflicts met so far.
func (s *Solver) Conflicts() int { return s.conflicts }
