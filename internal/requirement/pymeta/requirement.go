package pymeta

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxRequirement bounds the length of one requirement, in bytes.
const maxRequirement = 16 << 10

// Requirement is one requirement by PEP 508.
type Requirement struct {
	Name       string   // as written
	Extras     []string // as written
	Specifiers Specifiers
	URL        string // of "name @ URL"; then there are no specifiers
	Marker     *Marker
}

var identifierPattern = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?`)

// ParseRequirement reads a requirement such as `requests[socks] >= 2.8 ; python_version < "3.12"`.
func ParseRequirement(s string) (Requirement, error) {
	if len(s) > maxRequirement {
		return Requirement{}, fmt.Errorf("requirement of %d bytes is too long", len(s))
	}
	r, err := parseRequirement(s)
	if err != nil {
		return Requirement{}, fmt.Errorf("requirement %q: %w", s, err)
	}
	return r, nil
}

func parseRequirement(s string) (Requirement, error) {
	rest := trimBlank(s)
	r := Requirement{Name: identifierPattern.FindString(rest)}
	if r.Name == "" {
		return r, fmt.Errorf("a project's name is expected at its start")
	}
	rest = trimBlank(rest[len(r.Name):])
	var err error
	if strings.HasPrefix(rest, "[") {
		if r.Extras, rest, err = cutExtras(rest); err != nil {
			return r, err
		}
	}
	if strings.HasPrefix(rest, "@") {
		r.URL, rest, err = cutURL(rest[1:])
	} else {
		r.Specifiers, rest, err = cutVersions(rest)
	}
	if err != nil {
		return r, err
	}
	rest = trimBlank(rest)
	if rest == "" {
		return r, nil
	}
	if rest[0] != ';' {
		return r, fmt.Errorf("unexpected %q", rest)
	}
	r.Marker, err = ParseMarker(rest[1:])
	return r, err
}

// cutExtras reads "[a, b]".
func cutExtras(s string) (extras []string, rest string, err error) {
	inner, rest, ok := strings.Cut(s[1:], "]")
	if !ok {
		return nil, "", fmt.Errorf("the list of extras is not closed")
	}
	rest = trimBlank(rest)
	if strings.TrimSpace(inner) == "" {
		return nil, rest, nil
	}
	for _, extra := range strings.Split(inner, ",") {
		extra = strings.TrimSpace(extra)
		if extra == "" || identifierPattern.FindString(extra) != extra {
			return nil, "", fmt.Errorf("%q is not the name of an extra", extra)
		}
		extras = append(extras, extra)
	}
	return extras, rest, nil
}

// cutURL reads an address. A marker after it must be set off by a blank, as a semicolon may belong to the address.
func cutURL(s string) (url, rest string, err error) {
	s = trimBlank(s)
	end := strings.IndexAny(s, " \t")
	if end < 0 {
		end = len(s)
	}
	scheme, place, _ := strings.Cut(s[:end], ":")
	if scheme == "" || scheme != "file" && (!strings.HasPrefix(place, "//") || len(place) < 3 || place[2] == '/') {
		return "", "", fmt.Errorf("a whole address is expected after @")
	}
	return s[:end], s[end:], nil
}

// cutVersions reads specifiers, with or without parentheses.
func cutVersions(s string) (Specifiers, string, error) {
	if !strings.HasPrefix(s, "(") {
		return cutSpecifiers(s)
	}
	specifiers, rest, err := cutSpecifiers(s[1:])
	if err != nil {
		return nil, "", err
	}
	if !strings.HasPrefix(rest, ")") {
		return nil, "", fmt.Errorf("the parenthesis before the versions is not closed")
	}
	return specifiers, rest[1:], nil
}

// String returns the requirement in the form that the packaging library prints: extras and specifiers sorted.
func (r Requirement) String() string {
	var b strings.Builder
	b.WriteString(r.Name)
	if len(r.Extras) > 0 {
		extras := slices.Clone(r.Extras)
		slices.Sort(extras)
		b.WriteString("[" + strings.Join(slices.Compact(extras), ",") + "]")
	}
	if len(r.Specifiers) > 0 {
		b.WriteString(r.Specifiers.String())
	}
	if r.URL != "" {
		b.WriteString("@ " + r.URL)
		if r.Marker != nil {
			b.WriteString(" ")
		}
	}
	if r.Marker != nil {
		b.WriteString("; " + r.Marker.String())
	}
	return b.String()
}

// Applies says whether the requirement holds in an environment, for any of the extras asked for (no extra at all is
// always among them).
func (r Requirement) Applies(env Environment, extras ...string) (bool, error) {
	if r.Marker == nil {
		return true, nil
	}
	for _, extra := range append([]string{""}, extras...) {
		ok, err := r.Marker.Evaluate(env, extra)
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
