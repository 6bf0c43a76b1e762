package resolve

import (
	"context"
	"errors"
	"slices"

	"github.com/slipway-build/slipway/internal/resolve/sat"
	"github.com/slipway-build/slipway/internal/rpm"
)

// cause is a rule that a contradiction needs, with its clauses.
type cause struct {
	rule
	dep     rpm.Dependency // what the rule is because of, if anything
	clauses [][]sat.Lit
}

// maxCauses bounds the effort of making an explanation short.
const maxCauses = 2000

// causes gives rules that contradict each other, such that without any of them there is no
// contradiction (a minimal unsatisfiable subset).
func (s *search) causes() []cause {
	all := s.group(s.sat.Core())
	if len(all) > maxCauses {
		return all
	}
	sub := newSubset(all)
	kept := sub.shrink(sub.all())
	for _, n := range slices.Clone(kept) {
		if !slices.Contains(kept, n) {
			continue // shrink has dropped it since
		}
		rest := slices.DeleteFunc(slices.Clone(kept), func(m int) bool { return m == n })
		if smaller := sub.shrink(rest); smaller != nil {
			kept = smaller
		}
	}
	slices.SortFunc(kept, func(a, b int) int { return b - a })
	causes := make([]cause, len(kept))
	for i, n := range kept {
		causes[i] = all[n]
	}
	return causes
}

// group collects clauses by rule, in the order in which they should be given up: that only the best
// will do first, then what the search met last.
func (s *search) group(core []sat.Clause) []cause {
	type key struct {
		kind    ruleKind
		pkg     id
		request int
		dep     string
	}
	index := map[key]int{}
	var all []cause
	for _, c := range core {
		r := s.rules[c]
		var dep rpm.Dependency
		if r.because != nil {
			dep = *r.because
		}
		k := key{r.kind, r.pkg, r.request, dep.String()}
		n, ok := index[k]
		if !ok {
			n = len(all)
			index[k] = n
			all = append(all, cause{rule: r, dep: dep})
		}
		all[n].clauses = append(all[n].clauses, s.sat.Literals(c))
	}
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b cause) int {
		switch {
		case a.kind == b.kind:
			return 0
		case a.kind == ruleBest:
			return -1
		case b.kind == ruleBest:
			return 1
		}
		return 0
	})
	return all
}

// subset asks whether some of the causes contradict each other. Each cause has a variable that
// switches its clauses on.
type subset struct {
	solver *sat.Solver
	vars   int
	n      int
	at     int // where the search for an undecided variable goes on
}

func newSubset(causes []cause) *subset {
	vars := map[int]int{}
	for _, c := range causes {
		for _, clause := range c.clauses {
			for _, l := range clause {
				if vars[l.Var()] == 0 {
					vars[l.Var()] = len(vars) + 1
				}
			}
		}
	}
	s := &subset{solver: sat.New(len(vars) + len(causes)), vars: len(vars), n: len(causes)}
	for n, c := range causes {
		for _, clause := range c.clauses {
			lits := []sat.Lit{-s.on(n)}
			for _, l := range clause {
				v := sat.Lit(vars[l.Var()])
				if l < 0 {
					v = -v
				}
				lits = append(lits, v)
			}
			s.solver.Add(lits...)
		}
	}
	return s
}

func (s *subset) on(n int) sat.Lit { return sat.Lit(s.vars + n + 1) }

func (s *subset) all() []int {
	all := make([]int, s.n)
	for n := range all {
		all[n] = n
	}
	return all
}

// shrink gives those of the causes that the solver needed to find a contradiction, nil if there is
// none.
func (s *subset) shrink(causes []int) []int {
	var assumptions []sat.Lit
	for _, n := range causes {
		assumptions = append(assumptions, s.on(n))
	}
	if !errors.Is(s.solver.Solve(context.Background(), assumptions, s.next), sat.ErrUnsatisfiable) {
		return nil
	}
	var needed []int
	for _, l := range s.solver.Blocked() {
		needed = append(needed, l.Var()-s.vars-1)
	}
	slices.Sort(needed)
	return needed
}

// next decides that a package is not installed.
func (s *subset) next() sat.Lit {
	for range s.vars {
		s.at = s.at%s.vars + 1
		if s.solver.Value(sat.Lit(s.at)) == sat.Unknown {
			return -sat.Lit(s.at)
		}
	}
	return 0
}
