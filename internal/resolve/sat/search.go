package sat

import "context"

// Decide opens a level in which l is true, and concludes what follows. On a conflict it learns and
// goes back, so afterwards the level may be lower than before, and l may be false: the caller looks
// again. The error is ErrUnsatisfiable or a *LimitError. Deciding a literal that has a value
// already only propagates.
func (s *Solver) Decide(l Lit) error {
	if s.Value(l) == Unknown {
		s.limits = append(s.limits, len(s.trail))
		s.assign(l, none)
	}
	return s.Propagate()
}

// Propagate concludes what follows from the clauses and decisions so far. It is needed after Add,
// and is a part of Decide.
func (s *Solver) Propagate() error {
	for {
		c := s.propagate()
		if c == none {
			return nil
		}
		s.conflicts++
		if !s.learn(c) {
			return ErrUnsatisfiable
		}
		if s.Limit > 0 && s.conflicts >= s.Limit {
			return &LimitError{Conflicts: s.conflicts}
		}
	}
}

// Backtrack forgets all decisions above the level.
func (s *Solver) Backtrack(level int) {
	if level >= len(s.limits) {
		return
	}
	start := s.limits[level]
	for _, l := range s.trail[start:] {
		s.value[l.Var()] = Unknown
	}
	s.trail = s.trail[:start]
	s.limits = s.limits[:level]
	s.pending = min(s.pending, start)
}

// Solve decides the assumptions, then what next says, until next returns 0. next sees a state in
// which all that follows is concluded; it names a literal that is unknown. The error is
// ErrUnsatisfiable, a *LimitError or the context's.
func (s *Solver) Solve(ctx context.Context, assumptions []Lit, next func() Lit) error {
	s.Backtrack(0)
	if err := s.Propagate(); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		l := Lit(0)
		for _, a := range assumptions {
			if s.Value(a) == False {
				s.block(a)
				return ErrUnsatisfiable
			}
			if l == 0 && s.Value(a) == Unknown {
				l = a
			}
		}
		if l == 0 {
			l = next()
		}
		if l == 0 {
			return nil
		}
		if err := s.Decide(l); err != nil {
			return err
		}
	}
}

// assign makes a literal true at the present level, because of a clause or by decision.
func (s *Solver) assign(l Lit, why Clause) {
	v := l.Var()
	s.value[v] = True
	if l < 0 {
		s.value[v] = False
	}
	s.level[v] = int32(len(s.limits))
	s.reason[v] = why
	s.trail = append(s.trail, l)
}

// propagate assigns what is forced until nothing is. It returns a clause that is false, or none.
func (s *Solver) propagate() Clause {
	for {
		if c := s.review(); c != none || s.pending == len(s.trail) {
			return c
		}
		l := s.trail[s.pending]
		if l > 0 && s.Expand != nil && !s.expanded[l] {
			s.expanded[l] = true
			s.Expand(int(l))
			continue
		}
		s.pending++
		if c := s.visit(-l); c != none {
			return c
		}
	}
}

// visit looks at the clauses that watch a literal which has become false.
func (s *Solver) visit(l Lit) Clause {
	at := &s.heads[l.index()]
	for *at != 0 {
		id, which := Clause(*at-1)>>1, int(*at-1)&1
		c := &s.clauses[id]
		other := c.watch[1-which]
		if s.Value(other) == True {
			at = &c.next[which]
			continue
		}
		if to := s.replacement(c, other); to != 0 {
			here := *at
			*at = c.next[which]
			c.watch[which] = to
			c.next[which] = s.heads[to.index()]
			s.heads[to.index()] = here
			continue
		}
		if s.Value(other) == False {
			return id
		}
		s.assign(other, id)
		at = &c.next[which]
	}
	return none
}

// replacement finds another literal of the clause that is not false, to be watched instead.
func (s *Solver) replacement(c *clause, other Lit) Lit {
	if c.end-c.start == 2 {
		return 0
	}
	for _, l := range s.lits[c.start:c.end] {
		if l != other && s.Value(l) != False {
			return l
		}
	}
	return 0
}
