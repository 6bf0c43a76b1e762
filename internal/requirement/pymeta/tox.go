package pymeta

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Tox is what a test environment of tox asks for.
type Tox struct {
	Requires    []Declared
	Extras      []string // of the project itself, normalised
	Groups      []string // dependency groups, normalised
	Diagnostics []Diagnostic
}

// ReadTox reads what a test environment (such as "py314" or "py314-integration") of the project asks for, from the first
// of tox.ini, setup.cfg, pyproject.toml and tox.toml that has tox' configuration (tox documentation, "Configuration").
// Conditions on factors are evaluated, and other sections and requirement files followed. What hangs on the environment
// of a process is reported. Without any configuration nothing is asked for.
func ReadTox(tree fs.FS, environment string) (*Tox, error) {
	t := &toxReader{reader: reader{tree: tree, seen: map[string]bool{}}, environment: environment, factors: strings.Split(environment, "-")}
	for _, read := range []func() (bool, error){t.iniFile, t.setupCfgFile, t.pyprojectFile, t.tomlFile} {
		if found, err := read(); found || err != nil {
			t.tox.Diagnostics = t.meta.Diagnostics
			return &t.tox, err
		}
	}
	return &t.tox, nil
}

type toxReader struct {
	reader
	environment string
	factors     []string
	tox         Tox

	file     string
	ini      *iniFile
	first    int // line of the file that the ini text's line 1 is at, less one
	expanded int
}

func (t *toxReader) iniFile() (bool, error) {
	text, ok, err := t.open("tox.ini")
	if err != nil || !ok {
		return false, err
	}
	return true, t.readINI("tox.ini", text, 0)
}

func (t *toxReader) setupCfgFile() (bool, error) {
	text, ok, err := t.open(setupCfgName)
	if err != nil || !ok || !strings.Contains(text, "[tox:tox]") {
		return false, err
	}
	return true, t.readINI(setupCfgName, text, 0)
}

func (t *toxReader) pyprojectFile() (bool, error) {
	text, ok, err := t.open(pyprojectName)
	if err != nil || !ok {
		return false, err
	}
	doc, err := parseTOML(text)
	if err != nil {
		return false, nil //nolint:nilerr // whoever reads the metadata says so
	}
	table := doc.get("tool", "tox")
	if table == nil {
		return false, nil
	}
	if old := table.get("legacy_tox_ini"); old != nil {
		return true, t.readINI(pyprojectName, old.str(), old.line-1)
	}
	t.readTOML(pyprojectName, table)
	return true, nil
}

func (t *toxReader) tomlFile() (bool, error) {
	text, ok, err := t.open("tox.toml")
	if err != nil || !ok {
		return false, err
	}
	doc, err := parseTOML(text)
	if err != nil {
		t.report("tox.toml", 0, "not valid TOML, not read: %v", err)
		return true, nil
	}
	t.readTOML("tox.toml", doc)
	return true, nil
}

// readINI reads the older of tox' two notations.
func (t *toxReader) readINI(file, text string, first int) error {
	t.file, t.first = file, first
	var bad *iniError
	var err error
	if t.ini, err = parseINI(text); errors.As(err, &bad) {
		t.report(file, first+bad.line, "%s; the rest of the file is not read", bad.message)
	}
	sections := []*iniSection{t.ini.section("testenv:" + t.environment), t.ini.section("testenv")}
	value := func(key string) *iniValue {
		for _, s := range sections {
			if v := s.get(key); v != nil {
				return v
			}
		}
		return nil
	}
	for _, line := range t.lines(value("deps"), 0) {
		if err := t.requirement(line); err != nil {
			return err
		}
	}
	names := func(key string) []string {
		var list []string
		for _, line := range t.lines(value(key), 0) {
			for _, name := range words(line.text) {
				list = append(list, NormalizeName(name))
			}
		}
		return list
	}
	t.tox.Extras, t.tox.Groups = names("extras"), names("dependency_groups")
	return nil
}

// words splits at commas and white space.
func words(s string) []string {
	return strings.FieldsFunc(s, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' || c == '\n' })
}

// Bounds of what references between sections may come to.
const (
	maxToxDepth = 16
	maxToxLines = 10_000
)

var (
	toxCondition = regexp.MustCompile(`^([\w{}.,! -]+):\s+(.*)$`)
	toxReference = regexp.MustCompile(`^\{\[([^\]]+)\]([\w-]+)\}$`)
	toxFolder    = regexp.MustCompile(`\{(?:toxinidir|tox_root)\}/?`)
	toxExpansion = regexp.MustCompile(`\{([^{}]*)\}`)
)

// lines are the lines of a value that hold for the environment, with what they refer to put in.
func (t *toxReader) lines(v *iniValue, depth int) []iniLine {
	var out []iniLine
	if v == nil {
		return nil
	}
	for _, l := range v.lines {
		if t.expanded++; t.expanded > maxToxLines || depth > maxToxDepth {
			t.report(t.file, t.first+l.line, "tox: sections refer to each other without end")
			return out
		}
		text := strings.TrimSpace(stripComment(l.text))
		if m := toxCondition.FindStringSubmatch(text); m != nil {
			if !t.holds(m[1]) {
				continue
			}
			text = m[2]
		}
		if m := toxReference.FindStringSubmatch(text); m != nil {
			out = append(out, t.lines(t.ini.section(m[1]).get(m[2]), depth+1)...)
			continue
		}
		text = toxFolder.ReplaceAllString(text, "")
		if text != "" {
			out = append(out, iniLine{text: text, line: l.line})
		}
	}
	return out
}

// holds evaluates a condition: alternatives separated by commas, each of factors joined by dashes, "!" for not. Braces
// hold alternatives inside of a factor: "py{39,310}-x".
func (t *toxReader) holds(condition string) bool {
	for _, alternative := range t.alternatives(strings.TrimSpace(condition)) {
		all := true
		for _, factor := range strings.Split(alternative, "-") {
			name, not := strings.CutPrefix(strings.TrimSpace(factor), "!")
			all = all && slices.Contains(t.factors, name) != not
		}
		if all {
			return true
		}
	}
	return false
}

// alternatives splits at commas outside of braces, and expands the braces.
func (t *toxReader) alternatives(s string) []string {
	if open := strings.IndexByte(s, '{'); open >= 0 {
		end := strings.IndexByte(s[open:], '}')
		if end < 0 || len(s) > 1000 || t.expanded > maxToxLines {
			return nil
		}
		var out []string
		start := strings.LastIndexByte(s[:open], ',') + 1
		stop := len(s)
		if comma := strings.IndexByte(s[open+end:], ','); comma >= 0 {
			stop = open + end + comma
		}
		for _, choice := range strings.Split(s[open+1:open+end], ",") {
			t.expanded++
			out = append(out, t.alternatives(s[start:open]+strings.TrimSpace(choice)+s[open+end+1:stop])...)
		}
		if start > 0 {
			out = append(out, t.alternatives(s[:start-1])...)
		}
		if stop < len(s) {
			out = append(out, t.alternatives(s[stop+1:])...)
		}
		return out
	}
	return strings.Split(s, ",")
}

// requirement reads one line of deps: a requirement, or a file of them after -r. Constraints (-c) ask for nothing.
func (t *toxReader) requirement(l iniLine) error {
	const section = "tox deps"
	text, line := l.text, t.first+l.line
	if file, ok := strings.CutPrefix(text, "-r"); ok && !toxExpansion.MatchString(text) {
		file = path.Clean(strings.TrimLeft(file, " \t="))
		return t.requirementsFile(&t.tox.Requires, file, section, "", Field{File: t.file, Line: line})
	}
	switch {
	case strings.HasPrefix(text, "-c"):
	case toxExpansion.MatchString(text):
		t.report(t.file, line, "%s: %q hangs on what is only known when tox runs", section, text)
	case strings.HasPrefix(text, "-"), strings.HasPrefix(text, "."), strings.Contains(text, "://") && !strings.Contains(text, "@"):
		t.report(t.file, line, "%s: %q is no requirement of a package", section, text)
	default:
		t.declare(&t.tox.Requires, Declared{Text: text, File: t.file, Line: line, Section: section})
	}
	return nil
}

// readTOML reads the newer notation, in which there are no conditions.
func (t *toxReader) readTOML(file string, table *tomlNode) {
	t.file = file
	value := func(key string) *tomlNode {
		if n := table.get("env", t.environment, key); n != nil {
			return n
		}
		return table.get("env_run_base", key)
	}
	each := func(key string, take func(*tomlNode)) {
		n := value(key)
		if n == nil {
			return
		}
		if n.kind != tomlArray {
			t.report(file, n.line, "tox: %s is not an array", key)
			return
		}
		for _, element := range n.list {
			if element.kind == tomlString {
				take(element)
			} else {
				t.report(file, element.line, "tox: an entry of %s hangs on what is only known when tox runs", key)
			}
		}
	}
	each("deps", func(n *tomlNode) {
		if err := t.requirement(iniLine{text: toxFolder.ReplaceAllString(n.text, ""), line: n.line}); err != nil {
			t.report(file, n.line, "tox: %v", err)
		}
	})
	each("extras", func(n *tomlNode) { t.tox.Extras = append(t.tox.Extras, NormalizeName(n.text)) })
	each("dependency_groups", func(n *tomlNode) { t.tox.Groups = append(t.tox.Groups, NormalizeName(n.text)) })
}

// ReadRequirementsFile reads a file of requirements, one a line, such as %pyproject_buildrequires may be given.
func ReadRequirementsFile(tree fs.FS, name string) ([]Declared, []Diagnostic, error) {
	r := reader{tree: tree, seen: map[string]bool{}}
	var list []Declared
	clean, ok := inTree(name)
	if !ok {
		return nil, nil, fmt.Errorf("%s is not a file inside the project", name)
	}
	err := r.requirementsFile(&list, clean, "requirements of "+clean, "", Field{File: clean})
	return list, r.meta.Diagnostics, err
}
