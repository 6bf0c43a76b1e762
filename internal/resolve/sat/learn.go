package sat

import "slices"

// learn draws the lesson of a false clause: it adds a clause that would have prevented it, goes
// back to where that clause forces a literal, and assigns it. It returns false when there is no
// decision left to blame.
func (s *Solver) learn(conflict Clause) bool {
	// A clause added late may be false since an earlier level.
	s.Backtrack(s.latest(conflict))
	if len(s.limits) == 0 {
		s.core = s.derive(conflict)
		s.failed = append(s.failed, conflict) // it stays so
		s.blocked = nil
		return false
	}
	proof := len(s.proofs)
	learned := s.analyze(conflict)
	back := 0
	for _, l := range learned[1:] {
		back = max(back, int(s.level[l.Var()]))
	}
	s.Backtrack(back)
	c := s.store(learned, proof)
	if len(learned) > 1 {
		a, b := s.choose(learned)
		s.watch(c, 0, learned[a])
		s.watch(c, 1, learned[b])
	}
	s.assign(learned[0], c)
	return true
}

// latest is the highest level of the clause's literals.
func (s *Solver) latest(c Clause) int {
	level := 0
	for _, l := range s.Literals(c) {
		level = max(level, int(s.level[l.Var()]))
	}
	return level
}

// analyze goes back from the conflict, replacing what was forced in the present level by its
// reasons, until one literal of this level is left: the first unique implication point. The result
// starts with it; the clauses used are appended to proofs.
func (s *Solver) analyze(c Clause) []Lit {
	level := int32(len(s.limits))
	learned := []Lit{0}
	open := 0
	at := len(s.trail)
	for {
		s.proofs = append(s.proofs, c)
		for _, l := range s.Literals(c) {
			v := l.Var()
			if s.Value(l) != False || s.seen[v] || s.level[v] == 0 {
				continue
			}
			s.seen[v] = true
			if s.level[v] == level {
				open++
			} else {
				learned = append(learned, l)
			}
		}
		at--
		for !s.seen[s.trail[at].Var()] {
			at--
		}
		l := s.trail[at]
		s.seen[l.Var()] = false
		if open--; open == 0 {
			learned[0] = -l
			break
		}
		c = s.reason[l.Var()]
	}
	for _, l := range learned {
		s.seen[l.Var()] = false
	}
	return learned
}

// block records why an assumption cannot be: from which assumptions and clauses its opposite
// follows.
func (s *Solver) block(assumption Lit) {
	s.blocked = []Lit{assumption}
	var clauses []Clause
	s.seen[assumption.Var()] = true
	for i := len(s.trail) - 1; i >= 0; i-- {
		l := s.trail[i]
		if !s.seen[l.Var()] {
			continue
		}
		s.seen[l.Var()] = false
		why := s.reason[l.Var()]
		if why == none {
			s.blocked = append(s.blocked, l)
			continue
		}
		clauses = append(clauses, why)
		for _, r := range s.Literals(why) {
			if r != l {
				s.seen[r.Var()] = true
			}
		}
	}
	slices.Sort(s.blocked)
	s.blocked = slices.Compact(s.blocked)
	s.core = s.derive(clauses...)
}

// Core names the added clauses that together cannot be true, sorted, once the solver has said
// ErrUnsatisfiable. It is not always the smallest such set.
func (s *Solver) Core() []Clause { return s.core }

// Blocked names the assumptions that the contradiction needs; none when the clauses contradict each
// other by themselves.
func (s *Solver) Blocked() []Lit { return s.blocked }

// derive follows clauses back to the given ones they were learned from, and to those that made
// their literals false at level 0.
func (s *Solver) derive(from ...Clause) []Clause {
	seen := make([]bool, len(s.clauses))
	var given []Clause
	todo := slices.Clone(from)
	for len(todo) > 0 {
		c := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[c] {
			continue
		}
		seen[c] = true
		if s.Learned(c) {
			todo = append(todo, s.proofs[s.clauses[c].proof:s.clauses[c].proofEnd]...)
		} else {
			given = append(given, c)
		}
		for _, l := range s.Literals(c) {
			v := l.Var()
			if s.value[v] != Unknown && s.level[v] == 0 && s.reason[v] != none {
				todo = append(todo, s.reason[v])
			}
		}
	}
	slices.Sort(given)
	return given
}
