package pymeta

import (
	"fmt"
	"strconv"
	"strings"
)

// poetry reads tool.poetry, the table that poetry-core had before PEP 621.
func (r *reader) poetry(table *tomlNode) {
	for _, field := range []string{"name", "version", "dependencies", "optional-dependencies", "requires-python"} {
		r.seen[field] = true
	}
	if n := table.get("name"); n != nil {
		r.meta.Name = tomlField(n)
	}
	if n := table.get("version"); n != nil {
		r.meta.Version = tomlField(n)
	}
	if r.hasVersionPlugin() {
		r.meta.Version, r.meta.VersionDynamic = Field{}, true
	}
	r.poetryRequirements(table)
}

// poetryRequirements reads the dependencies of the main group. The extras say which optional ones belong to them.
func (r *reader) poetryRequirements(table *tomlNode) {
	dependencies := table.get("dependencies")
	if dependencies == nil {
		return
	}
	extras := map[string][]string{} // dependency to extras
	if t := table.get("extras"); t != nil {
		for _, key := range t.keys {
			name := NormalizeName(key)
			r.meta.Extras = append(r.meta.Extras, name)
			for _, member := range t.fields[key].strings() {
				dependency := NormalizeName(member.text)
				extras[dependency] = append(extras[dependency], name)
			}
		}
	}
	for _, name := range dependencies.keys {
		n := dependencies.fields[name]
		if name == "python" {
			if constraint, err := poetryConstraint(n.str()); err == nil {
				r.meta.RequiresPython = Field{Text: constraint, File: pyprojectName, Line: n.line}
			}
			continue
		}
		variants := []*tomlNode{n}
		if n.kind == tomlArray {
			variants = n.list
		}
		for _, variant := range variants {
			r.poetryDependency(name, variant, extras[NormalizeName(name)])
		}
	}
}

// poetryDependency reads one entry: a constraint, or a table with version, extras, markers, optional, python.
func (r *reader) poetryDependency(name string, n *tomlNode, extras []string) {
	const section = "tool.poetry.dependencies"
	constraint := n.str()
	var marks []string
	text := name
	if n.kind == tomlTable {
		for _, source := range []string{"git", "path", "file", "url"} {
			if n.get(source) != nil {
				r.report(pyprojectName, n.line, "%s: %s comes from a %s, only its name is required", section, name, source)
			}
		}
		constraint = n.get("version").str()
		if list := n.get("extras").strings(); len(list) > 0 {
			words := make([]string, len(list))
			for i, e := range list {
				words[i] = e.text
			}
			text += "[" + strings.Join(words, ",") + "]"
		}
		if m := n.get("markers").str(); m != "" {
			marks = append(marks, "("+m+")")
		}
		if p := n.get("python").str(); p != "" {
			marks = append(marks, pythonMarkers(p)...)
		}
		if extras == nil && n.get("optional") != nil && n.get("optional").text == "true" {
			return // optional, and no extra asks for it
		}
	}
	clauses, err := poetryConstraint(constraint)
	if err != nil {
		r.report(pyprojectName, n.line, "%s.%s: %v", section, name, err)
		return
	}
	text += clauses
	if len(marks) > 0 {
		text += " ; " + strings.Join(marks, " and ")
	}
	if extras == nil {
		extras = []string{""}
	}
	for _, extra := range extras {
		r.declare(&r.meta.Requires, Declared{Text: text, File: pyprojectName, Line: n.line, Section: section, Extra: extra})
	}
}

// pythonMarkers turns a constraint on Python into markers.
func pythonMarkers(constraint string) []string {
	clauses, err := poetryConstraint(constraint)
	if err != nil || clauses == "" {
		return nil
	}
	var marks []string
	for _, clause := range strings.Split(clauses, ",") {
		op := operatorPattern.FindString(clause)
		marks = append(marks, fmt.Sprintf("python_version %s %q", op, clause[len(op):]))
	}
	return marks
}

// poetryConstraint turns poetry's notation (^1.2, ~1.2, 1.*, >=1,<2) into clauses of PEP 440.
func poetryConstraint(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" || s == "*" {
		return "", nil
	}
	if strings.Contains(s, "|") {
		return "", fmt.Errorf("%q holds alternatives, which a requirement can't say", s)
	}
	var clauses []string
	for _, part := range strings.FieldsFunc(s, func(c rune) bool { return c == ',' }) {
		clause, err := poetryClause(strings.TrimSpace(part))
		if err != nil {
			return "", err
		}
		clauses = append(clauses, clause)
	}
	return strings.Join(clauses, ","), nil
}

func poetryClause(s string) (string, error) {
	switch {
	case s == "*":
		return ">=0", nil
	case strings.HasPrefix(s, "^"):
		return poetryRange(strings.TrimSpace(s[1:]), caretIndex)
	case strings.HasPrefix(s, "~") && !strings.HasPrefix(s, "~="):
		return poetryRange(strings.TrimSpace(s[1:]), func(parts []string) int { return min(len(parts)-1, 1) })
	case operatorPattern.MatchString(s):
		op := operatorPattern.FindString(s)
		return op + strings.TrimSpace(s[len(op):]), nil
	case strings.HasPrefix(s, "="):
		return "==" + strings.TrimSpace(s[1:]), nil
	default:
		return "==" + s, nil
	}
}

// caretIndex is the leftmost part that is not zero: what ^ keeps.
func caretIndex(parts []string) int {
	for i, part := range parts {
		if strings.Trim(part, "0") != "" {
			return i
		}
	}
	return len(parts) - 1
}

// poetryRange makes ">=version,<next", where next has the part that keep names one higher.
func poetryRange(version string, keep func(parts []string) int) (string, error) {
	v, err := ParseVersion(version)
	if err != nil {
		return "", err
	}
	parts := make([]string, len(v.release))
	for i, n := range v.release {
		parts[i] = string(n)
	}
	k := keep(parts)
	next := append([]string(nil), parts[:k+1]...)
	n, err := strconv.ParseUint(next[k], 10, 62)
	if err != nil {
		return "", fmt.Errorf("version %q is too large", version)
	}
	next[k] = strconv.FormatUint(n+1, 10)
	for len(next) < len(parts) {
		next = append(next, "0")
	}
	return ">=" + version + ",<" + strings.Join(next, "."), nil
}
