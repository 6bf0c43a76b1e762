package sat

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// problem is a set of clauses over the variables 1 to vars.
type problem struct {
	vars    int
	clauses [][]Lit
}

// random makes clauses of one to four literals, mostly three, so that about half of the problems
// can be met.
func random(r *rand.Rand, vars int) problem {
	p := problem{vars: vars}
	for range vars*4 + r.IntN(vars+1) - vars/2 {
		n := 3
		switch r.IntN(20) {
		case 0:
			n = 1
		case 1, 2, 3:
			n = 2
		case 4:
			n = 4
		}
		var clause []Lit
		for range n {
			l := Lit(1 + r.IntN(vars))
			if r.IntN(2) == 0 {
				l = -l
			}
			clause = append(clause, l)
		}
		p.clauses = append(p.clauses, clause)
	}
	return p
}

// holds says whether a model, by variable, makes all clauses true.
func holds(clauses [][]Lit, model []bool) bool {
	return !slices.ContainsFunc(clauses, func(clause []Lit) bool {
		return !slices.ContainsFunc(clause, func(l Lit) bool { return model[l.Var()] == (l > 0) })
	})
}

// possible tries all models.
func possible(p problem, assumed ...Lit) bool {
	clauses := slices.Clone(p.clauses)
	for _, l := range assumed {
		clauses = append(clauses, []Lit{l})
	}
	model := make([]bool, p.vars+1)
	for bits := range 1 << p.vars {
		for v := 1; v <= p.vars; v++ {
			model[v] = bits>>(v-1)&1 == 1
		}
		if holds(clauses, model) {
			return true
		}
	}
	return false
}

func modelOf(s *Solver, vars int) []bool {
	model := make([]bool, vars+1)
	for v := 1; v <= vars; v++ {
		model[v] = s.Value(Lit(v)) == True
	}
	return model
}

// firstUnknown decides the variables in order, positively.
func firstUnknown(s *Solver, vars int) func() Lit {
	return func() Lit {
		for v := 1; v <= vars; v++ {
			if s.Value(Lit(v)) == Unknown {
				return Lit(v)
			}
		}
		return 0
	}
}

func TestAgainstBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	counts := map[bool]int{}
	for round := range 3000 {
		p := random(r, 3+r.IntN(9))
		s := New(p.vars)
		for _, c := range p.clauses {
			s.Add(c...)
		}
		err := s.Solve(context.Background(), nil, firstUnknown(s, p.vars))
		can := possible(p)
		counts[can]++
		switch {
		case err == nil && !holds(p.clauses, modelOf(s, p.vars)):
			t.Fatalf("round %d: the answer breaks a clause of %v", round, p.clauses)
		case (err == nil) != can:
			t.Fatalf("round %d: got %v, want possible %v: %v", round, err, can, p.clauses)
		case err != nil:
			checkCore(t, p, s)
		}
	}
	if min(counts[true], counts[false]) < 500 {
		t.Errorf("the problems are one-sided: %v", counts)
	}
}

// checkCore wants the clauses that were blamed to be contradictory by themselves.
func checkCore(t *testing.T, p problem, s *Solver) {
	t.Helper()
	core := problem{vars: p.vars}
	for _, c := range s.Core() {
		if s.Learned(c) {
			t.Fatalf("clause %d of the core was not given", c)
		}
		core.clauses = append(core.clauses, s.Literals(c))
	}
	if possible(core, s.Blocked()...) {
		t.Fatalf("the core %v with %v can be met, of %v", core.clauses, s.Blocked(), p.clauses)
	}
}

func TestAssumptions(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	blocked := 0
	for round := range 2000 {
		p := random(r, 4+r.IntN(7))
		p.clauses = p.clauses[:len(p.clauses)*2/3]
		s := New(p.vars)
		for _, c := range p.clauses {
			s.Add(c...)
		}
		for range 3 { // the solver can be asked again
			var assumed []Lit
			for range 1 + r.IntN(4) {
				l := Lit(1 + r.IntN(p.vars))
				if r.IntN(2) == 0 {
					l = -l
				}
				assumed = append(assumed, l)
			}
			err := s.Solve(context.Background(), assumed, firstUnknown(s, p.vars))
			if can := possible(p, assumed...); (err == nil) != can {
				t.Fatalf("round %d: got %v for %v, want possible %v: %v", round, err, assumed, can, p.clauses)
			}
			if err == nil {
				continue
			}
			if len(s.Blocked()) > 0 {
				blocked++
			}
			for _, l := range s.Blocked() {
				if !slices.Contains(assumed, l) {
					t.Fatalf("%d is blamed, which nobody assumed", l)
				}
			}
			checkCore(t, p, s)
		}
	}
	if blocked < 500 {
		t.Errorf("only %d times assumptions were to blame", blocked)
	}
}

// TestExpand holds clauses back until the variable that they are about becomes true.
func TestExpand(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	counts := map[bool]int{}
	for round := range 3000 {
		p := random(r, 4+r.IntN(8))
		late := map[int][][]Lit{}
		s := New(p.vars)
		for _, c := range p.clauses {
			slices.Sort(c)
			if c[0] < 0 {
				late[c[0].Var()] = append(late[c[0].Var()], c)
			} else {
				s.Add(c...)
			}
		}
		seen := map[int]bool{}
		s.Expand = func(v int) {
			if seen[v] {
				t.Fatalf("variable %d is expanded twice", v)
			}
			seen[v] = true
			for _, c := range late[v] {
				s.Add(c...)
			}
		}
		err := s.Solve(context.Background(), nil, firstUnknown(s, p.vars))
		can := possible(p)
		counts[can]++
		if (err == nil) != can || err == nil && !holds(p.clauses, modelOf(s, p.vars)) {
			t.Fatalf("round %d: got %v, want possible %v: %v", round, err, can, p.clauses)
		}
		if err != nil {
			checkCore(t, p, s)
		}
	}
	if min(counts[true], counts[false]) < 500 {
		t.Errorf("the problems are one-sided: %v", counts)
	}
}

// TestDecide goes back and forth as a caller with a policy does.
func TestDecide(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for round := range 2000 {
		p := random(r, 4+r.IntN(8))
		s := New(p.vars)
		for _, c := range p.clauses {
			s.Add(c...)
		}
		err := s.Propagate()
		for steps := 0; err == nil && steps < 200; steps++ {
			if r.IntN(5) == 0 {
				s.Backtrack(r.IntN(s.Level() + 1))
			}
			l := Lit(1 + r.IntN(p.vars))
			if s.Value(l) != Unknown {
				continue
			}
			level := s.Level()
			if err = s.Decide(l); err == nil && s.Level() > level && s.Value(l) != True {
				t.Fatalf("round %d: a decision does not stand", round)
			}
		}
		if err == nil {
			err = s.Solve(context.Background(), nil, firstUnknown(s, p.vars))
		}
		if can := possible(p); (err == nil) != can {
			t.Fatalf("round %d: got %v, want possible %v: %v", round, err, can, p.clauses)
		}
	}
}

func TestDeterminism(t *testing.T) {
	run := func(seed uint64) ([]Lit, int, error) {
		p := random(rand.New(rand.NewPCG(9, seed)), 80)
		s := New(p.vars)
		for _, c := range p.clauses {
			s.Add(c...)
		}
		err := s.Solve(context.Background(), nil, firstUnknown(s, p.vars))
		return s.Trail(), s.Conflicts(), err
	}
	for seed := range uint64(20) {
		trail, conflicts, err := run(seed)
		trailAgain, conflictsAgain, errAgain := run(seed)
		if !slices.Equal(trail, trailAgain) || conflicts != conflictsAgain || !errors.Is(errAgain, err) {
			t.Errorf("seed %d: the same problem was solved in two ways", seed)
		}
	}
}

// pigeons says that n+1 pigeons sit in n holes, each alone: hard for any solver of this kind.
func pigeons(n int) *Solver {
	at := func(pigeon, hole int) Lit { return Lit(pigeon*n + hole + 1) }
	s := New((n + 1) * n)
	for p := range n + 1 {
		var somewhere []Lit
		for h := range n {
			somewhere = append(somewhere, at(p, h))
			for q := range p {
				s.Add(-at(p, h), -at(q, h))
			}
		}
		s.Add(somewhere...)
	}
	return s
}

func TestLimit(t *testing.T) {
	s := pigeons(9)
	s.Limit = 100
	err := s.Solve(context.Background(), nil, firstUnknown(s, 90))
	var limit *LimitError
	if !errors.As(err, &limit) || limit.Conflicts != 100 {
		t.Errorf("got %v", err)
	}
	small := pigeons(4)
	if err := small.Solve(context.Background(), nil, firstUnknown(small, 20)); !errors.Is(err, ErrUnsatisfiable) {
		t.Errorf("got %v", err)
	}
	if len(small.Core()) != small.given() {
		t.Errorf("the core has %d of %d clauses; all are needed", len(small.Core()), small.given())
	}
}

// given counts the clauses that were added.
func (s *Solver) given() int {
	n := 0
	for c := range s.clauses {
		if !s.Learned(Clause(c)) {
			n++
		}
	}
	return n
}

func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := pigeons(9)
	n := 0
	next := firstUnknown(s, 90)
	err := s.Solve(ctx, nil, func() Lit {
		if n++; n == 50 {
			cancel()
		}
		return next()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestEmptyClause(t *testing.T) {
	s := New(1)
	c := s.Add()
	for range 2 { // it stays so
		if err := s.Solve(context.Background(), nil, firstUnknown(s, 1)); !errors.Is(err, ErrUnsatisfiable) {
			t.Fatalf("got %v", err)
		}
		if !slices.Equal(s.Core(), []Clause{c}) {
			t.Errorf("the core is %v", s.Core())
		}
	}
}

func FuzzSolve(f *testing.F) {
	f.Add([]byte{1, 2, 0, 255, 254})
	f.Fuzz(func(t *testing.T, data []byte) {
		p := problem{vars: 8}
		var clause []Lit
		for _, b := range data[:min(len(data), 200)] {
			l := Lit(int8(b) % 9)
			if l == 0 {
				p.clauses = append(p.clauses, clause)
				clause = nil
			} else {
				clause = append(clause, l)
			}
		}
		s := New(p.vars)
		for _, c := range p.clauses {
			s.Add(c...)
		}
		err := s.Solve(context.Background(), nil, firstUnknown(s, p.vars))
		if (err == nil) != possible(p) {
			t.Fatalf("got %v for %v", err, p.clauses)
		}
		if err != nil {
			checkCore(t, p, s)
		}
	})
}
