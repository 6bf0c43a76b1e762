// Package sat decides whether clauses over Boolean variables can all be true, and finds values that
// make them so. It knows nothing of packages: what the variables mean, and which of two possible
// values is the better one, is for the caller to say.
//
// It is a small CDCL solver: two watched literals a clause, propagation of what is forced, and, when
// a clause turns out false, a learned clause (first unique implication point) that keeps the same
// mistake from being made again, with a jump back to where it would have changed something. There is
// no heuristic of its own. The caller opens each level with Decide, and after each conflict looks
// again at what is decided:
//
//	s := sat.New(3)
//	s.Add(1, 2)
//	s.Add(-1, 3)
//	for s.Value(1) == sat.Unknown {
//		if err := s.Decide(1); err != nil { … }
//	}
//
// Solve does this with a function that names the next literal.
//
// The same calls in the same order give the same result: nothing depends on time, addresses or map
// order. Work is bounded by Solver.Limit. When the clauses cannot be met, Core names clauses that
// are enough to show it.
//
// The method is that of Marques-Silva and Sakallah, GRASP (1999), and Moskewicz et al., Chaff (2001).
package sat
