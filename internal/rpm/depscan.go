package rpm

import (
	"errors"
	"fmt"
	"strings"
)

// depScanner reads dependency text from left to right. Spaces and commas
// separate words, as in rpm's rpmrichParse; inside a rich dependency a word also
// ends at a parenthesis that it did not open itself. Outside, parentheses need
// not pair up: real packages have such names.
type depScanner struct {
	text   string
	pos    int
	nested int // rich dependencies that are open
	leaves int
}

func (s *depScanner) rest() string { return s.text[s.pos:] }

// skip passes separators and says whether anything is left.
func (s *depScanner) skip() bool {
	for s.pos < len(s.text) && isDepSpace(s.text[s.pos]) {
		s.pos++
	}
	return s.pos < len(s.text)
}

func isDepSpace(c byte) bool { return c == ' ' || c == ',' || '\t' <= c && c <= '\r' }

// word takes the next word.
func (s *depScanner) word() string {
	s.skip()
	start, open := s.pos, 0
	for ; s.pos < len(s.text) && !isDepSpace(s.text[s.pos]); s.pos++ {
		switch s.text[s.pos] {
		case '(':
			open++
		case ')':
			if open == 0 && s.nested > 0 {
				return s.text[start:s.pos]
			}
			open--
		}
	}
	return s.text[start:s.pos]
}

// simple reads "name" or "name op evr".
func (s *depScanner) simple() (Dependency, error) {
	name := s.word()
	if err := checkDepName(name); err != nil {
		return Dependency{}, err
	}
	if s.nested > 0 && strings.Count(name, "(") != strings.Count(name, ")") {
		// rpm takes it where a space follows, and then cannot read what it prints.
		return Dependency{}, fmt.Errorf("the parentheses of %q do not match", name)
	}
	d := Dependency{Name: name}
	before := s.pos
	sense, ok := operators(s.word())
	if !ok {
		s.pos = before
		return d, nil
	}
	version := s.word()
	if version == "" {
		return Dependency{}, fmt.Errorf("no version follows the operator of %q", name)
	}
	evr, err := ParseEVR(version)
	if err != nil {
		return Dependency{}, err
	}
	d.Sense, d.EVR = sense, evr
	return d, nil
}

func operators(word string) (Sense, bool) {
	switch word {
	case "<":
		return Less, true
	case "<=", "=<":
		return Less | Equal, true
	case "=", "==":
		return Equal, true
	case ">=", "=>":
		return Greater | Equal, true
	case ">":
		return Greater, true
	}
	return 0, false
}

// checkDepName refuses what is surely a slip: no name, or an operator glued to
// it. Inside parentheses everything is allowed ("font(:lang=en)").
func checkDepName(name string) error {
	if name == "" {
		return errors.New("a name is missing")
	}
	open := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '(':
			open++
		case c == ')':
			open--
		case open == 0 && strings.IndexByte("<>=", c) >= 0:
			if i == 0 {
				return fmt.Errorf("a name is missing before %q", name)
			}
			return fmt.Errorf("%q needs spaces around its operator", name)
		case c < ' ' || c == 0x7f:
			return fmt.Errorf("%q holds a control character", name)
		}
	}
	return nil
}

// rich reads a parenthesised expression.
func (s *depScanner) rich() (*Rich, error) {
	if s.nested >= maxRichDepth {
		return nil, fmt.Errorf("it nests deeper than %d", maxRichDepth)
	}
	if !s.skip() || s.text[s.pos] != '(' {
		return nil, errors.New("an opening parenthesis is missing")
	}
	s.pos++
	s.nested++
	r, err := s.expression(RichDep)
	if err != nil {
		return nil, err
	}
	if !s.skip() || s.text[s.pos] != ')' {
		return nil, errors.New("a closing parenthesis is missing")
	}
	s.pos++
	s.nested--
	return r, nil
}

// expression reads "operand [op operand ...]". chain is the operator that came
// before: only the same one may follow, and only and, or and with may repeat.
func (s *depScanner) expression(chain RichOp) (*Rich, error) {
	left, err := s.operand()
	if err != nil {
		return nil, err
	}
	op, err := s.operator()
	if err != nil || op == RichDep {
		return left, err
	}
	if chain != RichDep && op != chain {
		return nil, fmt.Errorf("%q follows %q without parentheses", op, chain)
	}
	r := &Rich{Op: op, Left: left}
	if op.chains() {
		r.Right, err = s.expression(op)
		return r, err
	}
	if r.Right, err = s.operand(); err != nil {
		return nil, err
	}
	if op == RichIf || op == RichUnless {
		before := s.pos
		if s.word() == "else" {
			r.Else, err = s.operand()
			return r, err
		}
		s.pos = before
	}
	return r, nil
}

// operator takes an operator, or nothing (RichDep) when the expression ends.
func (s *depScanner) operator() (RichOp, error) {
	before := s.pos
	word := s.word()
	if word == "" {
		return RichDep, nil
	}
	for op := RichAnd; op <= RichWithout; op++ {
		if word == op.String() {
			return op, nil
		}
	}
	s.pos = before
	return RichDep, fmt.Errorf("%q is no operator", word)
}

func (s *depScanner) operand() (*Rich, error) {
	if s.skip() && s.text[s.pos] == '(' {
		return s.rich()
	}
	if s.leaves++; s.leaves > maxRichLeaves {
		return nil, fmt.Errorf("it holds more than %d dependencies", maxRichLeaves)
	}
	d, err := s.simple()
	if err != nil {
		return nil, err
	}
	return &Rich{Dep: d}, nil
}
