package resolve

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/resolve/sat"
	"github.com/slipway-build/slipway/internal/rpm"
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
	st := story{search: s, pool: s.pool, against: map[id][]int{}, causes: causes, told: map[id]bool{}, settled: map[int]bool{}, missing: map[string]bool{}}
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
		isTrue := func(l sat.Lit) bool { return other.sat.Value(l) == sat.True }
		if slices.ContainsFunc(lits, isTrue) {
			continue
		}
		best := candidates(lits)
		for _, wide := range s.pool.requested(s.asks[s.rules[c].request].dep) {
			if len(best) == 0 || !slices.Contains(wide, sat.Lit(best[0])) {
				continue // a pattern asks for each name by itself
			}
			for _, i := range candidates(wide) {
				if isTrue(sat.Lit(i)) {
					instead = append(instead, s.pool.label(i)+s.lessPreferred(i, best[0]))
				}
			}
		}
	}
	slices.Sort(instead)
	return slices.Compact(instead)
}

// lessPreferred tells of a package of a repository with a lower priority that this makes it second.
func (s *search) lessPreferred(i, best id) string {
	if s.pool.priority(i) <= s.pool.priority(best) {
		return ""
	}
	src, _ := s.pool.source(i)
	return fmt.Sprintf(" (of repository %s, which has a lower priority)", src.Config.ID)
}

// story turns causes into reasons. A package's story is told once.
type story struct {
	search  *search
	pool    *pool
	causes  []cause
	against map[id][]int // causes that speak against a package, by index
	told    map[id]bool
	settled map[int]bool    // causes that speak of two packages and were told of one
	missing map[string]bool // dependencies without candidates of which the near misses were told
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

// maxGroups is how many different ways in which versions of one package fall are told of it.
const maxGroups = 4

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
	offered, groups, last := len(ids), 0, ""
	for len(ids) > 0 {
		n := 1
		if name := st.pool.pkg(ids[0]).Name; name != last {
			groups, last = 0, name
		}
		if groups++; groups > maxGroups {
			for n < len(ids) && st.pool.pkg(ids[n]).Name == last {
				n++
			}
			reasons = append(reasons, Reason{Text: fmt.Sprintf("%s: %s", last, olderVersions(n))})
			ids = ids[n:]
			continue
		}
		for n < len(ids) && st.pool.pkg(ids[n]).Name == st.pool.pkg(ids[0]).Name && st.alike(ids[n], ids[0]) {
			n++
		}
		reasons = append(reasons, st.falls(ids[0], ids[1:n])...)
		ids = ids[n:]
	}
	if c.kind != ruleBest {
		reasons = append(reasons, st.pool.misses(c.dep, offered > 0)...)
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
		switch {
		case c.pkg != i:
			line = fmt.Sprint(c.kind, st.pool.pkg(c.pkg).Name, c.dep)
		case c.outOfReach():
			line = fmt.Sprint(c.kind, c.dep.Name, c.dep.Operator())
		}
		lines = append(lines, strings.ReplaceAll(line, st.pool.pkg(i).EVR.String(), "%"))
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// outOfReach says whether the cause is a dependency, not a rich one, that nothing can meet.
func (c *cause) outOfReach() bool {
	return c.kind == ruleRequires && !c.dep.IsRich() &&
		!slices.ContainsFunc(c.clauses, func(clause []sat.Lit) bool { return len(candidates(clause)) > 0 })
}

// falls says why a package cannot be installed, and that others of its name fall the same way.
func (st *story) falls(i id, others []id) []Reason {
	label := st.pool.label(i)
	if len(others) > 0 {
		label += fmt.Sprintf(" (and %s like it%s)", versions(len(others)), st.downTo(i, others[len(others)-1]))
	}
	if st.told[i] {
		return []Reason{{Text: label + ": see above"}}
	}
	st.told[i] = true
	for _, other := range others {
		st.told[other] = true
	}
	var reasons []Reason
	for _, n := range st.against[i] {
		if c := st.causes[n]; c.kind == ruleRequires && c.pkg == i {
			reasons = append(reasons, st.unmet(c, label))
		}
	}
	for _, o := range st.objections(i) {
		settled := true
		for _, n := range o.causes {
			settled = settled && st.settled[n]
			st.settled[n] = true
		}
		text := label + ": see above"
		if !settled {
			text = st.objection(o, label)
		}
		reasons = append(reasons, Reason{Text: text})
	}
	return slices.CompactFunc(reasons, func(a, b Reason) bool { return a.Text == b.Text })
}

// downTo tells what the oldest of several packages needs, where the newest needs more of the same.
func (st *story) downTo(newest, oldest id) string {
	for _, n := range st.against[oldest] {
		c := st.causes[n]
		if c.pkg != oldest || !c.outOfReach() {
			continue
		}
		same := func(m int) bool {
			return st.causes[m].pkg == newest && st.regardless(newest, st.causes[m].dep) == st.regardless(oldest, c.dep)
		}
		if !slices.ContainsFunc(st.against[newest], same) {
			return fmt.Sprintf(", down to %s with %s", st.pool.pkg(oldest).EVR, plain(c.dep))
		}
	}
	return ""
}

// regardless is a dependency as text, whichever the version of the package that has it.
func (st *story) regardless(i id, d rpm.Dependency) string {
	return strings.ReplaceAll(plain(d).String(), st.pool.pkg(i).EVR.String(), "%")
}

func versions(n int) string {
	if n == 1 {
		return "another version"
	}
	return fmt.Sprintf("%d other versions", n)
}

func olderVersions(n int) string {
	if n == 1 {
		return "an older version falls as well"
	}
	return fmt.Sprintf("%d older versions fall as well", n)
}

// unmet says what a package requires and why that is not to be had.
func (st *story) unmet(c cause, label string) Reason {
	needs := plain(c.dep).String()
	r := Reason{Text: fmt.Sprintf("%s requires %s", label, needs)}
	if c.outOfReach() {
		if st.missing[needs] {
			r.Text += ": see above"
			return r
		}
		st.missing[needs] = true
	}
	r.Because = st.candidates(c)
	return r
}
