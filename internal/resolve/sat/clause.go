package sat

// Add adds a clause: at least one of the literals must be true. A clause without literals is a
// contradiction. Literals may be decided already; then the clause takes effect with the next
// propagation, and unless it holds a literal that became false at the present level, the caller has
// to be at level 0. Inside Expand that is so for clauses with the variable's negation.
func (s *Solver) Add(lits ...Lit) Clause {
	c := s.store(lits, -1)
	switch len(lits) {
	case 0:
		s.fail(c)
		return c
	case 1:
		s.assert(lits[0], c)
		return c
	}
	a, b := s.choose(lits)
	s.watch(c, 0, lits[a])
	s.watch(c, 1, lits[b])
	switch {
	case s.Value(lits[a]) == False:
		s.fail(c)
	case s.Value(lits[b]) == False && s.Value(lits[a]) == Unknown:
		s.assign(lits[a], c)
	}
	return c
}

// assert handles a clause of one literal.
func (s *Solver) assert(l Lit, c Clause) {
	switch s.Value(l) {
	case Unknown:
		s.assign(l, c)
	case False:
		s.fail(c)
	case True:
	}
}

// fail remembers that the clause is false; propagate looks at it.
func (s *Solver) fail(c Clause) { s.failed = append(s.failed, c) }

// review looks at the clauses that were false when they were added. It returns one that still is, or
// none; what has come to be forced by going back is assigned.
func (s *Solver) review() Clause {
	for len(s.failed) > 0 {
		c := s.failed[len(s.failed)-1]
		open, free := 0, Lit(0)
		for _, l := range s.Literals(c) {
			if s.Value(l) != False {
				open, free = open+1, l
			}
		}
		if open == 0 {
			return c
		}
		s.failed = s.failed[:len(s.failed)-1]
		if len(s.Literals(c)) == 1 && (s.Value(free) == Unknown || s.level[free.Var()] > 0) {
			s.Backtrack(0) // it has no watch to be found by, so it is to stay
		}
		if open == 1 && s.Value(free) == Unknown {
			s.assign(free, c)
		}
	}
	return none
}

// store appends the clause without looking at it. proof is -1 for a given clause.
func (s *Solver) store(lits []Lit, proof int) Clause {
	start := int32(len(s.lits))
	s.lits = append(s.lits, lits...)
	s.clauses = append(s.clauses, clause{
		start: start, end: int32(len(s.lits)),
		proof: int32(proof), proofEnd: int32(len(s.proofs)),
	})
	return Clause(len(s.clauses) - 1)
}

// choose finds the two literals to watch: the ones that stay not false for longest, the better
// first.
func (s *Solver) choose(lits []Lit) (first, second int) {
	first, second = 0, 1
	if s.rank(lits[1]) > s.rank(lits[0]) {
		first, second = 1, 0
	}
	for i := 2; i < len(lits); i++ {
		switch r := s.rank(lits[i]); {
		case r > s.rank(lits[first]):
			first, second = i, first
		case r > s.rank(lits[second]):
			second = i
		}
	}
	return first, second
}

// rank orders literals by how good they are to watch: true, then unknown, then the latest false.
func (s *Solver) rank(l Lit) int {
	switch s.Value(l) {
	case True:
		return int(^uint32(0))
	case Unknown:
		return int(^uint32(0)) - 1
	default:
		return int(s.level[l.Var()])
	}
}

// watch puts the clause into the list of the literal.
func (s *Solver) watch(c Clause, which int, l Lit) {
	s.clauses[c].watch[which] = l
	s.clauses[c].next[which] = s.heads[l.index()]
	s.heads[l.index()] = link(int(c)*2+which) + 1
}
