package rpm

import (
	"fmt"
	"strings"
)

// Dependency is one Provides, Requires, Conflicts and so on: a name, and the
// versions of it that are meant. A rich dependency has its whole text,
// starting with "(", in Name and nothing in EVR.
type Dependency struct {
	Name  string
	Sense Sense
	EVR   EVR
}

// maxDependency bounds the text of one dependency, in bytes.
const maxDependency = 64 << 10

// ParseDependency reads a dependency as a spec file writes it: "foo",
// "foo >= 1:2-3", "/bin/sh", "python3dist(x) < 2~~" or "(a or b)".
func ParseDependency(s string) (Dependency, error) {
	text := strings.TrimSpace(s)
	if len(text) > maxDependency {
		return Dependency{}, fmt.Errorf("parsing a dependency: it is %d bytes long", len(text))
	}
	if strings.HasPrefix(text, "(") {
		if _, err := ParseRich(text); err != nil {
			return Dependency{}, err
		}
		return Dependency{Name: text}, nil
	}
	scan := depScanner{text: text}
	d, err := scan.simple()
	if err == nil && scan.skip() {
		err = fmt.Errorf("%q follows the dependency", scan.rest())
	}
	if err != nil {
		return Dependency{}, fmt.Errorf("parsing dependency %q: %w", s, err)
	}
	return d, nil
}

// IsRich says whether the name is the text of a rich dependency; see ParseRich.
func (d Dependency) IsRich() bool { return strings.HasPrefix(d.Name, "(") }

// IsPath says whether the dependency can be met by a file of that path.
func (d Dependency) IsPath() bool { return strings.HasPrefix(d.Name, "/") }

// Operator is "<", "<=", "=", ">=", ">" or, without a range, "".
func (d Dependency) Operator() string {
	op := ""
	if d.Sense&Less != 0 {
		op += "<"
	}
	if d.Sense&Greater != 0 {
		op += ">"
	}
	if d.Sense&Equal != 0 {
		op += "="
	}
	return op
}

// String gives the dependency as rpm prints it: "name" or "name op evr".
func (d Dependency) String() string {
	if d.Sense&RangeMask == 0 || d.EVR.IsZero() {
		return d.Name
	}
	return d.Name + " " + d.Operator() + " " + d.EVR.String()
}

// MatchedBy says whether a provide of that name and range meets d: whether the
// two ranges have a version in common, as rpm's rpmdsCompare finds it. A side
// without a range has every version; a release is ignored when only one side
// names one. A rich dependency is matched by no single provide.
func (d Dependency) MatchedBy(provide Dependency) bool {
	if d.Name != provide.Name || d.IsRich() {
		return false
	}
	if d.Sense&RangeMask == 0 || provide.Sense&RangeMask == 0 || d.EVR.IsZero() || provide.EVR.IsZero() {
		return true
	}
	a, b := d, provide
	order := 0
	switch {
	case a.EVR.Epoch != b.EVR.Epoch:
		order = -1
		if a.EVR.Epoch > b.EVR.Epoch {
			order = 1
		}
	default:
		order = CompareVersion(a.EVR.Version, b.EVR.Version)
		if order != 0 {
			break
		}
		switch {
		case a.EVR.Release != "" && b.EVR.Release != "":
			order = CompareVersion(a.EVR.Release, b.EVR.Release)
		case a.EVR.Release != "" && b.Sense&Equal != 0, b.EVR.Release != "" && a.Sense&Equal != 0:
			return true // the side that names no release means all of them
		}
	}
	switch {
	case order < 0:
		return a.Sense&Greater != 0 || b.Sense&Less != 0
	case order > 0:
		return a.Sense&Less != 0 || b.Sense&Greater != 0
	}
	return a.Sense&b.Sense&RangeMask != 0
}
