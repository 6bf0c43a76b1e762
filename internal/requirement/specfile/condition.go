package specfile

import (
	"errors"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/specfile/macro"
)

// condition is one open %if with its branches.
type condition struct {
	reading bool   // the current branch counts
	decided bool   // a branch was taken, or the whole stands in a branch that is not
	closed  bool   // %else was seen
	written string // the condition of the current branch, as in the file
	line    int
}

// directives are the lines that the reader acts on itself.
var directives = []string{
	"%ifarch", "%ifnarch", "%ifos", "%ifnos", "%if", "%elifarch", "%elifos", "%elif", "%else", "%endif", "%include",
}

// cutDirective takes a conditional or %include line apart. directive is empty for every other line. What takes an
// argument must be followed by a blank: "%if(1)" is no conditional to rpm.
func cutDirective(line string) (directive, argument string) {
	line = strings.TrimLeft(line, " \t")
	if !strings.HasPrefix(line, "%") {
		return "", ""
	}
	for _, d := range directives {
		rest, ok := strings.CutPrefix(line, d)
		if !ok {
			continue
		}
		alone := d == "%else" || d == "%endif"
		if alone && (rest == "" || !isLetter(rest[0])) || !alone && rest != "" && (rest[0] == ' ' || rest[0] == '\t') {
			return d, strings.TrimSpace(rest)
		}
	}
	return "", ""
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

// reading says whether the current line counts.
func (r *reader) reading() bool {
	return len(r.conds) == 0 || r.conds[len(r.conds)-1].reading
}

// undecided says whether the innermost conditional may still take a branch.
func (r *reader) undecided() bool {
	return len(r.conds) > 0 && !r.conds[len(r.conds)-1].decided
}

func (r *reader) directive(name, argument string) error {
	switch name {
	case "%include":
		if r.reading() {
			return r.include(argument)
		}
		return nil
	case "%else":
		return r.otherwise("%else", argument, func() bool { return true })
	case "%elif", "%elifarch", "%elifos":
		return r.otherwise(name, argument, func() bool { return r.holds("%"+strings.TrimPrefix(name, "%el"), argument) })
	case "%endif":
		if len(r.conds) == 0 {
			r.parser.fatal("%%endif without %%if")
			return nil
		}
		r.conds = r.conds[:len(r.conds)-1]
		return nil
	}
	if len(r.conds) >= maxConditions {
		return &macro.LimitError{What: "256 nested conditionals"}
	}
	c := condition{written: r.written(name, argument), line: r.parser.line}
	if r.reading() {
		c.reading = r.holds(name, argument)
		c.decided = c.reading
	} else {
		c.decided = true
	}
	r.conds = append(r.conds, c)
	return nil
}

// otherwise starts the next branch of the innermost conditional.
func (r *reader) otherwise(name, argument string, holds func() bool) error {
	if len(r.conds) == 0 || r.conds[len(r.conds)-1].closed {
		r.parser.fatal("%s without %%if", name)
		return nil
	}
	c := &r.conds[len(r.conds)-1]
	previous := c.written
	c.closed = name == "%else"
	c.reading = !c.decided && holds()
	c.decided = c.decided || c.reading
	c.written = r.written(name, argument)
	if name == "%else" {
		c.written = "%else of " + previous
	}
	return nil
}

// written is the conditional as it stands in the file, where the line is not itself the result of an expansion.
func (r *reader) written(name, argument string) string {
	if d, a := cutDirective(r.raw); d == name {
		argument = a
	}
	return strings.TrimSpace(name + " " + argument)
}

// holds evaluates the condition of a branch.
func (r *reader) holds(name, argument string) bool {
	switch name {
	case "%if":
		return r.condition(argument)
	case "%ifarch":
		return matchesArch(r.arch, argument)
	case "%ifnarch":
		return !matchesArch(r.arch, argument)
	case "%ifos":
		return matchesOS(argument)
	default:
		return !matchesOS(argument)
	}
}

func (r *reader) condition(expression string) bool {
	value, err := r.engine.Condition(expression)
	var unknown *macro.UnknownError
	switch {
	case errors.As(err, &unknown):
		r.parser.report("whether %s holds is not known without running something; taken as false", r.written("%if", expression))
	case err != nil:
		r.parser.fatal("%v", err)
	}
	return value
}

func matchesArch(arch, list string) bool {
	for _, word := range words(list) {
		if strings.EqualFold(word, arch) {
			return true
		}
	}
	return false
}

func matchesOS(list string) bool {
	for _, word := range words(list) {
		if strings.EqualFold(word, "linux") {
			return true
		}
	}
	return false
}

// words splits at white space and commas.
func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
}
