package resolve

import (
	"slices"

	"github.com/slipway-build/slipway/internal/resolve/sat"
)

// maxConflicts bounds the search. Real requests meet a few dozen.
const maxConflicts = 200_000

// search is one run: the clauses of a problem, and the order in which choices are made. That order
// is libsolv's, because it can change the answer: requests first, then what is required with one
// best candidate, then the rest; at the end, choices that turned out superfluous are taken back.
type search struct {
	pool   *pool
	sat    *sat.Solver
	policy policy
	asks   []ask
	noBest bool
	// recommends says that weak dependencies are installed as well
	recommends bool

	rules   []rule       // by clause; the zero rule for learned ones
	jobs    []sat.Clause // of requests
	fixed   []sat.Clause // jobs and best, as choices they come after those of packages
	choices []choice     // of packages, sorted
	fresh   []sat.Clause // choices not sorted in yet
	learned []sat.Clause // those that leave a choice
	scanned int          // clauses looked at for learned

	branches []branch
	scratch  []sat.Lit
	notes    []note  // of reasoning
	places   []int32 // its places in the answer, by id; what is not installed has any
}

// branch is a choice that had several candidates left, at the level before its decision.
type branch struct {
	level int
	ids   []id
	tried []bool
}

func newSearch(p *pool, problem Problem) *search {
	s := p.spare
	p.spare = nil
	if s == nil {
		s = &search{pool: p, sat: sat.New(int(p.last)), places: make([]int32, p.last+1)}
		s.policy = policy{pool: p, weak: &weakness{
			pool: p, sat: s.sat, stamp: 1, wanted: make([]uint32, p.last+1), liked: make([]uint32, p.last+1),
		}}
		s.sat.Limit = maxConflicts
		s.sat.Expand = s.expand
	}
	s.asks, s.noBest, s.recommends = asksOf(problem.Requests), problem.NoBest, problem.Weak
	s.policy.keep = problem.Keep
	return s
}

// release ends the use of a search: another one can have its memory.
func (s *search) release() {
	s.sat.Reset()
	s.policy.weak.reset()
	s.rules, s.jobs, s.fixed = s.rules[:0], s.jobs[:0], s.fixed[:0]
	s.choices, s.fresh, s.learned = s.choices[:0], s.fresh[:0], s.learned[:0]
	s.scanned, s.branches = 0, s.branches[:0]
	s.pool.spare = s
}

// run finds an assignment. Errors are those of the solver.
func (s *search) run() error {
	for n := range s.pool.virtuals {
		i := s.pool.firstVirtual() + id(n)
		s.add(rule{kind: rulePresent, pkg: i}, sat.Lit(i))
	}
	s.addRequests()
	if err := s.sat.Propagate(); err != nil {
		return err
	}
	afterJobs := s.sat.Level() + 1
	for {
		if s.sat.Level() < afterJobs {
			level := s.sat.Level()
			if err := s.meetRequests(); err != nil {
				return err
			}
			if s.sat.Level() < level {
				continue
			}
			afterJobs = s.sat.Level()
		}
		level := s.sat.Level()
		if err := s.meetDependencies(); err != nil {
			return err
		}
		if s.sat.Level() < level {
			continue
		}
		changed, err := false, error(nil)
		if s.recommends {
			changed, err = s.addWeak()
		}
		if err == nil && !changed {
			changed, err = s.simplify()
		}
		if err != nil || !changed {
			return err
		}
	}
}

// decide installs a package, and forgets branches that no longer stand.
func (s *search) decide(i id) error {
	if err := s.pool.err; err != nil {
		return err
	}
	if err := s.pool.ctx.Err(); err != nil {
		return err
	}
	level := s.sat.Level()
	if err := s.sat.Decide(sat.Lit(i)); err != nil {
		return err
	}
	if s.sat.Level() <= level {
		s.policy.weak.reset()
	}
	s.dropBranches(s.sat.Level())
	return nil
}

// dropBranches forgets the branches of this level and above.
func (s *search) dropBranches(level int) {
	for n := len(s.branches); n > 0 && s.branches[n-1].level >= level; n-- {
		s.branches = s.branches[:n-1]
	}
}

// install makes a choice: the best candidate by all rules.
func (s *search) install(ids []id) error {
	if len(ids) > 1 {
		ids = s.policy.choose(ids)
	}
	if len(ids) > 1 {
		b := branch{level: s.sat.Level(), ids: slices.Clone(ids), tried: make([]bool, len(ids))}
		b.tried[0] = true
		s.branches = append(s.branches, b)
	}
	return s.decide(ids[0])
}

// open gives the undecided candidates of a clause which is not true yet and whose conditions are;
// none if there is nothing to choose.
func (s *search) open(c sat.Clause, ids []id) []id {
	ids = s.openIn(s.sat.Literals(c), ids)
	if len(ids) > 1 {
		ids = s.withoutDoomed(ids)
	}
	return ids
}

func (s *search) openIn(clause []sat.Lit, ids []id) []id {
	ids = ids[:0]
	for _, l := range clause {
		switch v := s.sat.Value(l); {
		case v == sat.True, l < 0 && v == sat.Unknown:
			return nil
		case l > 0 && v == sat.Unknown:
			ids = append(ids, id(l))
		}
	}
	return ids
}

// meetRequests installs a candidate for each request in turn. It returns at once when the solver
// went back to before its first decision.
func (s *search) meetRequests() error {
	start := s.sat.Level()
	for n := 0; n < len(s.jobs); n++ {
		ids := s.open(s.jobs[n], nil)
		if len(ids) == 0 {
			continue
		}
		level := s.sat.Level()
		if err := s.install(ids); err != nil {
			return err
		}
		switch now := s.sat.Level(); {
		case now == level:
			n-- // it was not to be: try another
		case now < start:
			return nil
		case now < level:
			n = -1
		}
	}
	return nil
}

// meetDependencies makes choices until none is open. In a first round it puts off those that still
// have several candidates after rule 5; once only such are left, it takes them as they come. It
// returns at once when the solver went back to before its first decision.
func (s *search) meetDependencies() error {
	start := s.sat.Level()
	const (
		nothing = -1
		done    = -2
	)
	postponed := nothing
	s.sortIn()
	var ids []id
	for at, seen := 0, 0; ; at, seen = at+1, seen+1 {
		total := s.total()
		if seen >= total {
			if postponed < 0 {
				return nil
			}
			at, postponed, seen = postponed, done, 0
		}
		if at >= total {
			at = 0
		}
		c := s.choice(at)
		if s.sat.Value(c.met) == sat.True {
			continue
		}
		if ids = s.open(c.clause, ids); len(ids) == 0 {
			c.met = s.truth(c.clause)
			continue
		}
		if len(ids) > 1 && postponed != done {
			if ids = s.narrow(c, ids); len(ids) > 1 {
				if postponed == nothing {
					postponed = at
				}
				continue
			}
		}
		if err := s.install(ids); err != nil {
			return err
		}
		if s.sat.Level() < start {
			return nil
		}
		s.sortIn(&at, &postponed)
		seen = -1
	}
}

// total is the number of clauses that may leave a choice.
func (s *search) total() int { return len(s.choices) + len(s.fixed) + len(s.learned) }

// choice is a clause that leaves one, with what was found out the last time that it was looked at.
type choice struct {
	clause sat.Clause
	met    sat.Lit // was true then, unless it is 0
	// Of these candidates the rules that do not depend on what is installed left these.
	ids, left []id
}

// choice gives one of these: those of packages, then those of requests, then learned ones.
func (s *search) choice(n int) *choice {
	if n < len(s.choices) {
		return &s.choices[n]
	}
	if n -= len(s.choices); n < len(s.fixed) {
		return &choice{clause: s.fixed[n]}
	}
	return &choice{clause: s.learned[n-len(s.fixed)]}
}

// truth gives the literal that makes a clause true, or 0.
func (s *search) truth(c sat.Clause) sat.Lit {
	for _, l := range s.sat.Literals(c) {
		if s.sat.Value(l) == sat.True {
			return l
		}
	}
	return 0
}

// narrow is that of the policy. It works in place.
func (s *search) narrow(c *choice, ids []id) []id {
	if !slices.Equal(ids, c.ids) {
		c.ids = append(c.ids[:0], ids...)
		c.left = append(c.left[:0], s.policy.timeless(ids)...)
	}
	ids = append(ids[:0], c.left...)
	if len(ids) > 1 {
		ids = s.policy.weak.recommended(ids)
	}
	return ids
}

// addChoice remembers a clause if it leaves a choice.
func (s *search) addChoice(c sat.Clause) {
	if positives(s.sat.Literals(c)) > 1 {
		s.fresh = append(s.fresh, c)
	}
}
