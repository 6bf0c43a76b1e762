package resolve

import (
	"slices"

	"github.com/slipway-build/slipway/internal/resolve/sat"
	"github.com/slipway-build/slipway/internal/rpm"
)

// ruleKind says what a clause is there for.
type ruleKind uint8

const (
	ruleRequest ruleKind = iota + 1
	ruleBest
	rulePresent // a virtual package is there
	ruleRequires
	ruleConflicts
	ruleObsoletes
	ruleSameName
)

// rule is the reason of a clause: pkg has a dependency that says so. One rule may need several
// clauses. A request has its number instead of a package.
type rule struct {
	kind    ruleKind
	pkg     id // of ruleRequires and the others that a package makes
	request int
	because *rpm.Dependency // nil where no dependency says so
}

// add adds a clause for a rule, sorted. It remembers the rule, and whether the clause leaves a
// choice.
func (s *search) add(r rule, lits ...sat.Lit) sat.Clause {
	c := s.sat.Add(lits...)
	for len(s.rules) <= int(c) {
		s.rules = append(s.rules, rule{})
	}
	s.rules[c] = r
	return c
}

// positives counts the literals that can be chosen.
func positives(lits []sat.Lit) int {
	n := 0
	for _, l := range lits {
		if l > 0 {
			n++
		}
	}
	return n
}

// expand adds what follows from a package being installed. The solver calls it the first time that
// it considers this.
func (s *search) expand(v int) {
	i := id(v)
	if s.pool.virtual(i) != nil {
		return
	}
	rules := s.pool.rulesOf(i)
	for n := range rules.requires {
		s.addRequires(i, &rules.requires[n])
	}
	for n := range rules.conflicts {
		s.addConflicts(i, &rules.conflicts[n])
	}
	for _, other := range rules.same {
		s.add(rule{kind: ruleSameName, pkg: i}, -sat.Lit(i), -sat.Lit(other))
	}
	for n := range rules.obsoletes {
		s.addObsoletes(i, &rules.obsoletes[n])
	}
}

func (s *search) addRequires(i id, required *requirement) {
	r := rule{kind: ruleRequires, pkg: i, because: &required.dep}
	if required.dep.IsRich() {
		s.addFormula(r, i, required.formula)
		return
	}
	if _, itself := slices.BinarySearch(required.ids, i); itself {
		return
	}
	lits := s.scratch[:0]
	lits = append(lits, -sat.Lit(i))
	for _, provider := range required.ids {
		lits = append(lits, sat.Lit(provider))
	}
	s.scratch = lits
	s.addChoice(s.add(r, lits...))
}

func (s *search) addConflicts(i id, conflict *requirement) {
	r := rule{kind: ruleConflicts, pkg: i, because: &conflict.dep}
	if conflict.dep.IsRich() {
		s.addFormula(r, i, conflict.formula)
		return
	}
	for _, other := range conflict.ids {
		if other != i { // a package does not conflict with itself
			s.add(r, -sat.Lit(i), -sat.Lit(other))
		}
	}
}

// addFormula makes a formula hold where the package is installed.
func (s *search) addFormula(r rule, i id, f formula) {
	this := sat.Lit(i)
	for _, clause := range f {
		if r.kind == ruleConflicts && len(clause) == 1 && clause[0] == -this {
			continue
		}
		if slices.Contains(clause, this) {
			continue
		}
		lits := append([]sat.Lit{-this}, clause...)
		slices.Sort(lits)
		s.addChoice(s.add(r, slices.Compact(lits)...))
	}
}

func (s *search) addObsoletes(i id, obsoleted *requirement) {
	r := rule{kind: ruleObsoletes, pkg: i, because: &obsoleted.dep}
	for _, other := range obsoleted.ids {
		if other != i {
			s.add(r, -sat.Lit(i), -sat.Lit(other))
		}
	}
}

// installOnly says whether several versions of the package may be installed side by side: kernels
// and what comes with them (dnf.conf(5), installonlypkgs, its default).
func (p *pool) installOnly(i id) bool {
	pkg := p.pkg(i)
	switch pkg.Name {
	case "kernel", "kernel-PAE":
		return true
	}
	for _, d := range pkg.Provides {
		switch d.Name {
		case "kernel", "kernel-PAE", "installonlypkg(kernel)", "installonlypkg(kernel-module)",
			"installonlypkg(vm)", "multiversion(kernel)":
			return true
		}
	}
	return false
}
