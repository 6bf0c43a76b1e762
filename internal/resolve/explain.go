package resolve

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/resolve/sat"
)

// explain makes the error for requests that cannot be met. That only the best counts is given as a
// reason only where it is the decisive one.
func (s *search) explain(problem Problem) *Conflict {
	causes := s.causes()
	if !slices.ContainsFunc(causes, func(c cause) bool { return c.kind == ruleBest }) {
		return s.tell(causes)
	}
	problem.NoBest = true
	older := newSearch(s.pool, problem)
	err := older.run()
	if errors.Is(err, sat.ErrUnsatisfiable) {
		return older.tell(older.causes())
	}
	conflict := s.tell(causes)
	if err == nil {
		conflict.OnlyBest, conflict.Instead = true, s.instead(older)
	}
	return conflict
}

// tell turns causes into reasons.
func (s *search) tell(causes []cause) *Conflict {
	st := story{search: s, pool: s.pool, against: map[id][]int{}, causes: causes, told: map[id]bool{}, settled: map[int]bool{}}
	for n, c := range causes {
		for _, clause := range c.clauses {
			for _, l := range clause {
				if i := id(-l); l < 0 && !slices.Contains(st.against[i], n) {
					st.against[i] = append(st.against[i], n)
				}
			}
		}
	}
	conflict := &Conflict{}
	for _, c := range st.requests() {
		conflict.Requests = append(conflict.Requests, s.asks[c.request].from...)
		conflict.Reasons = append(conflict.Reasons, st.request(c))
	}
	return conflict
}

// instead names what meets requests in a solution that does without the best.
func (s *search) instead(other *search) []string {
	var instead []string
	for _, c := range s.fixed {
		if s.rules[c].kind != ruleBest {
			continue
		}
		lits := s.sat.Literals(c)
		if slices.ContainsFunc(lits, func(l sat.Lit) bool { return other.sat.Value(l) == sat.True }) {
			continue
		}
		for _, i := range other.metBy(s.pool.requirement(s.asks[s.rules[c].request].dep)) {
			instead = append(instead, s.pool.label(i))
		}
	}
	slices.Sort(instead)
	return slices.Compact(instead)
}

// story turns causes into reasons. A package's story is told once.
type story struct {
	search  *search
	pool    *pool
	causes  []cause
	against map[id][]int // causes that speak against a package, by index
	told    map[id]bool
	settled map[int]bool // causes that speak of two packages and were told of one
}

// requests are the causes that are requests, in their order; where a request and its best candidates
// are both causes, the latter.
func (st *story) requests() []cause {
	var found []cause
	for _, c := range st.causes {
		if c.kind == ruleRequest || c.kind == ruleBest {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b cause) int { return a.request - b.request })
	return slices.CompactFunc(found, func(a, b cause) bool { return a.request == b.request })
}

func (st *story) request(c cause) Reason {
	a := st.search.asks[c.request]
	var origins []string
	for _, r := range a.from {
		origins = append(origins, Why{Dependency: a.dep.String(), Origin: r.Origin, Label: r.Label}.String())
	}
	r := Reason{Text: strings.Join(slices.Compact(origins), ", ")}
	if c.kind == ruleBest {
		r.Text += ", for which only the best candidate counts"
	}
	r.Because = st.candidates(c)
	return r
}

// candidates says of each package that could meet a dependency why it does not, then of those that
// could not anyway.
func (st *story) candidates(c cause) []Reason {
	var ids []id
	for _, clause := range c.clauses {
		ids = append(ids, candidates(clause)...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	slices.SortFunc(ids, func(a, b id) int {
		x, y := st.pool.pkg(a).NEVRA, st.pool.pkg(b).NEVRA
		if x.Name != y.Name {
			return strings.Compare(x.Name, y.Name)
		}
		return y.Compare(x) // the newest first
	})
	var reasons []Reason
	for len(ids) > 0 {
		n := 1
		for n < len(ids) && st.pool.pkg(ids[n]).Name == st.pool.pkg(ids[0]).Name && st.alike(ids[n], ids[0]) {
			n++
		}
		reasons = append(reasons, st.falls(ids[0], ids[1:n])...)
		ids = ids[n:]
	}
	if c.kind != ruleBest {
		reasons = append(reasons, st.pool.misses(c.dep)...)
	}
	return reasons
}

// alike says whether two packages fall for the same reasons, but for their own versions.
func (st *story) alike(a, b id) bool { return st.shape(a) == st.shape(b) }

func (st *story) shape(i id) string {
	var lines []string
	for _, n := range st.against[i] {
		c := st.causes[n]
		line := fmt.Sprint(c.kind, c.pkg == i, c.dep)
		if c.pkg != i {
			line = fmt.Sprint(c.kind, st.pool.pkg(c.pkg).Name, c.dep)
		}
		lines = append(lines, strings.ReplaceAll(line, st.pool.pkg(i).EVR.String(), "%"))
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// falls says why a package cannot be installed, and that others of its name fall the same way.
func (st *story) falls(i id, others []id) []Reason {
	label := st.pool.label(i)
	if len(others) > 0 {
		label += fmt.Sprintf(" (and %s like it)", versions(len(others)))
	}
	if st.told[i] {
		return []Reason{{Text: label + ": see above"}}
	}
	st.told[i] = true
	var reasons []Reason
	for _, n := range st.against[i] {
		reasons = append(reasons, st.objection(n, i, label)...)
	}
	return reasons
}

func versions(n int) string {
	if n == 1 {
		return "another version"
	}
	return fmt.Sprintf("%d other versions", n)
}

// objection says what a cause has against a package.
func (st *story) objection(n int, i id, label string) []Reason {
	c := st.causes[n]
	if c.kind == ruleRequires && c.pkg == i {
		return []Reason{{
			Text: fmt.Sprintf("%s requires %s", label, plain(c.dep)), Because: st.candidates(c),
		}}
	}
	if st.settled[n] {
		return []Reason{{Text: label + ": see above"}}
	}
	st.settled[n] = true
	verb := "conflicts with"
	switch c.kind {
	case ruleRequires:
		return []Reason{{Text: fmt.Sprintf("%s makes %s require %s", label, st.pool.label(c.pkg), c.dep)}}
	case ruleSameName:
		return st.opponents(c, i, func(other id) string {
			return fmt.Sprintf("%s cannot be beside %s", label, st.needed(other))
		})
	case ruleObsoletes:
		verb = "obsoletes"
	default:
	}
	return st.opponents(c, i, func(other id) string {
		if c.pkg == i {
			return fmt.Sprintf("%s %s %s: %s", label, verb, c.dep, st.needed(other))
		}
		return fmt.Sprintf("%s: %s %s it (%s)", label, st.needed(c.pkg), verb, c.dep)
	})
}

// opponents makes a reason for each package with which the cause keeps i apart.
func (st *story) opponents(c cause, i id, text func(id) string) []Reason {
	var reasons []Reason
	for _, clause := range c.clauses {
		if !slices.Contains(clause, -sat.Lit(i)) {
			continue
		}
		for _, l := range clause {
			if l < 0 && id(-l) != i {
				reasons = append(reasons, Reason{Text: text(id(-l))})
			}
		}
	}
	return reasons
}

// needed names a package and who needs it.
func (st *story) needed(i id) string {
	var by []string
	for _, c := range st.causes {
		for _, clause := range c.clauses {
			if !slices.Contains(clause, sat.Lit(i)) {
				continue
			}
			switch c.kind {
			case ruleRequest, ruleBest:
				for _, r := range st.search.asks[c.request].from {
					by = append(by, cmp.Or(r.Origin, "request "+c.dep.String()))
				}
			case ruleRequires:
				by = append(by, st.pool.label(c.pkg))
			default: // the others need nothing
			}
		}
	}
	slices.Sort(by)
	if by = slices.Compact(by); len(by) == 0 {
		return st.pool.label(i)
	}
	return fmt.Sprintf("%s (needed by %s)", st.pool.label(i), enumerate(by[:min(3, len(by))]))
}
