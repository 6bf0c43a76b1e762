package pymeta

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Specifier is one clause of a version specifier, such as ">=1.2".
type Specifier struct {
	Operator string // ~= == != <= >= < > ===
	Version  string // as written; "1.*" is possible with == and !=
	parsed   Version
	prefix   bool // the version ends in .*
}

// Specifiers are clauses that must all hold. None at all allows every version.
type Specifiers []Specifier

// What may follow each operator.
const (
	versionBody = `v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*`
	versionTail = `(?:[-_.]?(?:alpha|a|beta|b|preview|pre|c|rc)[-_.]?[0-9]*)?` +
		`(?:-[0-9]+|[-_.]?(?:post|rev|r)[-_.]?[0-9]*)?(?:[-_.]?dev[-_.]?[0-9]*)?`
	versionLocal = `(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?`
)

var (
	operatorPattern   = regexp.MustCompile(`^(===|~=|==|!=|<=|>=|<|>)`)
	arbitraryPattern  = regexp.MustCompile(`^[^\s;),]*`)
	equalPattern      = regexp.MustCompile(`(?i)^` + versionBody + `(?:\.\*|` + versionTail + versionLocal + `)`)
	compatiblePattern = regexp.MustCompile(`(?i)^v?(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)+` + versionTail)
	orderedPattern    = regexp.MustCompile(`(?i)^` + versionBody + versionTail)
)

// ParseSpecifiers reads a list of clauses, separated by commas.
func ParseSpecifiers(s string) (Specifiers, error) {
	var found Specifiers
	for _, part := range strings.Split(s, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		clause, rest, ok, err := cutSpecifier(part)
		if err != nil {
			return nil, err
		}
		if !ok || rest != "" {
			return nil, fmt.Errorf("%q is not a version specifier (PEP 440)", part)
		}
		found = append(found, clause)
	}
	return found, nil
}

// cutSpecifiers takes clauses from the front of a requirement. A comma after the last is taken too.
func cutSpecifiers(s string) (found Specifiers, rest string, err error) {
	rest = trimBlank(s)
	for rest != "" {
		clause, after, ok, err := cutSpecifier(rest)
		if err != nil {
			return nil, "", err
		}
		if !ok {
			break
		}
		found = append(found, clause)
		rest = trimBlank(after)
		if !strings.HasPrefix(rest, ",") {
			break
		}
		rest = trimBlank(rest[1:])
	}
	return found, rest, nil
}

// trimBlank drops blanks; a line break is not one in a requirement.
func trimBlank(s string) string { return strings.TrimLeft(s, " \t") }

// cutSpecifier takes one clause from the front of s. ok is false when s does not start with an operator.
func cutSpecifier(s string) (clause Specifier, rest string, ok bool, err error) {
	op := operatorPattern.FindString(s)
	if op == "" {
		return Specifier{}, s, false, nil
	}
	after := strings.TrimLeft(s[len(op):], " \t\r\n\f\v")
	pattern := orderedPattern
	switch op {
	case "===":
		pattern = arbitraryPattern
	case "==", "!=":
		pattern = equalPattern
	case "~=":
		pattern = compatiblePattern
	}
	text := pattern.FindString(after)
	rest = after[len(text):]
	if text == "" && op != "===" {
		return Specifier{}, "", false, fmt.Errorf("no version after %s in %q", op, s)
	}
	if op != "===" {
		if err := checkTail(op, text, rest); err != nil {
			return Specifier{}, "", false, err
		}
	}
	clause = Specifier{Operator: op, Version: text}
	body, prefix := strings.CutSuffix(text, ".*")
	clause.prefix = prefix && op != "==="
	if !clause.prefix {
		body = text
	}
	clause.parsed, err = ParseVersion(body)
	if err != nil && op != "===" {
		return Specifier{}, "", false, err
	}
	return clause, rest, true, nil
}

// checkTail says why what follows a version makes the clause wrong.
func checkTail(op, text, rest string) error {
	switch {
	case strings.HasPrefix(rest, ".*"):
		return fmt.Errorf("%s%s.*: .* is only for == and !=, after a plain release", op, text)
	case strings.HasPrefix(rest, "+"):
		return fmt.Errorf("%s%s: a local version is only for == and !=", op, text+rest)
	case rest != "" && !strings.ContainsAny(rest[:1], " \t\r\n\f\v,;)"):
		return fmt.Errorf("%s%s is not a version specifier (PEP 440)", op, text+rest)
	}
	return nil
}

// String returns the clause as it is written, without blanks.
func (s Specifier) String() string { return s.Operator + s.Version }

// String returns the clauses in the order of their text, each once.
func (s Specifiers) String() string {
	words := make([]string, len(s))
	for i, clause := range s {
		words[i] = clause.String()
	}
	slices.Sort(words)
	return strings.Join(slices.Compact(words), ",")
}

// Prereleases says whether a clause names a pre-release, which lets the set match pre-releases.
func (s Specifiers) Prereleases() bool {
	for _, clause := range s {
		switch clause.Operator {
		case "==", ">=", "<=", "~=", "===":
			if clause.parsed.release != nil && clause.parsed.IsPrerelease() {
				return true
			}
		}
	}
	return false
}

// Contains says whether a version is allowed. Pre-releases are, when prereleases is set or a clause names one.
func (s Specifiers) Contains(v Version, prereleases bool) bool {
	if v.IsPrerelease() && !prereleases && !s.Prereleases() {
		return false
	}
	for _, clause := range s {
		if !clause.matches(v) {
			return false
		}
	}
	return true
}

// matches is PEP 440's meaning of a clause, pre-releases included.
func (s Specifier) matches(v Version) bool {
	switch s.Operator {
	case "===":
		return strings.EqualFold(v.String(), s.Version)
	case "==":
		return s.equals(v)
	case "!=":
		return !s.equals(v)
	case "~=":
		prefix := s.parsed
		prefix.release = prefix.release[:len(prefix.release)-1]
		return v.public().Compare(s.parsed) >= 0 && hasPrefix(v, prefix.epoch, prefix.release)
	case "<=":
		return v.public().Compare(s.parsed) <= 0
	case ">=":
		return v.public().Compare(s.parsed) >= 0
	case "<":
		if v.Compare(s.parsed) >= 0 {
			return false
		}
		return s.parsed.IsPrerelease() || !v.IsPrerelease() || !sameBase(v, s.parsed)
	default: // >
		if v.Compare(s.parsed) <= 0 {
			return false
		}
		if s.parsed.post == "" && v.post != "" && sameBase(v, s.parsed) {
			return false
		}
		return v.local == nil || !sameBase(v, s.parsed)
	}
}

func (s Specifier) equals(v Version) bool {
	if s.prefix {
		return hasPrefix(v, s.parsed.epoch, s.parsed.release)
	}
	if s.parsed.local == nil {
		v = v.public()
	}
	return v.Compare(s.parsed) == 0
}

// hasPrefix says whether a version's release starts with the given one; a shorter one is filled up with zeros.
func hasPrefix(v Version, epoch number, release []number) bool {
	if v.epoch != epoch {
		return false
	}
	for i, n := range release {
		have := number("0")
		if i < len(v.release) {
			have = v.release[i]
		}
		if have != n {
			return false
		}
	}
	return true
}

// sameBase says whether two versions differ in no more than suffixes.
func sameBase(v, w Version) bool {
	return v.epoch == w.epoch && compareReleases(v.release, w.release) == 0
}
