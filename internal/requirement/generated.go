package requirement

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// buildRequires are the options of one call of %pyproject_buildrequires (README of pyproject-rpm-macros).
type buildRequires struct {
	runtime      bool // what the project needs to run: by default, and by -r
	bare         bool // -N: nothing is asked of the build system
	extras       []string
	tox          bool // -t, -e
	environments []string
	groups       []string
	files        []string // of requirements
}

// parseBuildRequires reads the arguments. Options whose way of finding things out changes nothing about what is found
// (-w, -p, -C) are passed over.
func parseBuildRequires(args []string) (buildRequires, error) {
	b := buildRequires{runtime: true}
	excluded := ""
	given := map[byte]bool{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if len(arg) < 2 || arg[0] != '-' {
			b.files = append(b.files, arg)
			continue
		}
		for at := 1; at < len(arg); at++ {
			option := arg[at]
			given[option] = true
			if !strings.ContainsRune("xegC", rune(option)) {
				continue
			}
			value := strings.TrimPrefix(arg[at+1:], "=")
			if value == "" && i+1 < len(args) {
				i++
				value = args[i]
			}
			b.value(option, value)
			break
		}
	}
	b.tox = given['t'] || given['e']
	b.bare = given['N']
	b.runtime = !given['R'] && !b.bare
	switch {
	case given['R']:
		excluded = "rxte"
	case b.bare:
		excluded = "rxtewpC"
	}
	for _, other := range []byte(excluded) {
		if given[other] {
			first := "-R"
			if b.bare {
				first = "-N"
			}
			return b, fmt.Errorf("%%pyproject_buildrequires refuses %s together with -%c", first, other)
		}
	}
	return b, nil
}

func (b *buildRequires) value(option byte, value string) {
	for _, word := range strings.FieldsFunc(value, func(c rune) bool { return c == ',' || c == ' ' }) {
		switch option {
		case 'x':
			b.extras = append(b.extras, pymeta.NormalizeName(word))
		case 'e':
			b.environments = append(b.environments, word)
		case 'g':
			b.groups = append(b.groups, pymeta.NormalizeName(word))
		}
	}
}

// toxHelper is the plugin by which the macro asks tox.
const toxHelper = "tox-current-env >= 0.0.16"

// generate adds what the spec's %generate_buildrequires would ask for beyond the build system.
func (r *reading) generate() error {
	if r.spec == nil {
		return nil
	}
	for _, g := range r.spec.Dynamic {
		b, err := parseBuildRequires(g.Args)
		if err != nil {
			r.report(r.needs.Spec, g.Line, "%v", err)
			continue
		}
		if b.tox {
			if err := r.tox(&b, g.Line); err != nil {
				return err
			}
		}
		if b.runtime {
			r.runtimeOf(b.extras)
		}
		for _, name := range b.groups {
			r.group(name, g.Line)
		}
		for _, file := range b.files {
			list, diagnostics, err := pymeta.ReadRequirementsFile(r.project.Tree, file)
			if err != nil {
				r.report(r.needs.Spec, g.Line, "%%pyproject_buildrequires: %v", err)
			}
			r.declared(list, diagnostics)
		}
	}
	return nil
}

// runtimeOf adds the runtime requirements with those of extras.
func (r *reading) runtimeOf(extras []string) {
	for _, extra := range extras {
		if !slices.Contains(r.meta.Extras, extra) && len(r.meta.Unread) == 0 {
			r.report(r.needs.Spec, 0, "%%pyproject_buildrequires: the project has no extra %s", extra)
		}
	}
	for _, d := range r.meta.Requires {
		if d.Extra == "" || slices.Contains(extras, d.Extra) {
			r.fromPython(&r.needs.Generated, d, Build)
		}
	}
}

// tox adds what test environments ask for; by default the one for the target's Python.
func (r *reading) tox(b *buildRequires, line int) error {
	if len(b.environments) == 0 {
		b.environments = []string{"py" + strings.ReplaceAll(r.target.python(), ".", "")}
	}
	if helper, err := pymeta.ParseRequirement(toxHelper); err == nil {
		r.fromPython(&r.needs.Generated, pymeta.Declared{
			Requirement: helper, Text: toxHelper, File: r.needs.Spec, Line: line, Section: "%pyproject_buildrequires -t",
		}, Build)
	}
	for _, environment := range b.environments {
		t, err := pymeta.ReadTox(r.project.Tree, environment)
		if err != nil {
			return fmt.Errorf("reading what tox needs for %s: %w", r.project.Name, err)
		}
		r.declared(t.Requires, t.Diagnostics)
		b.extras = append(b.extras, t.Extras...)
		for _, name := range t.Groups {
			r.group(name, line)
		}
	}
	return nil
}

// group adds a dependency group.
func (r *reading) group(name string, line int) {
	list, ok := r.meta.Groups[name]
	if !ok {
		r.report(r.needs.Spec, line, "%%pyproject_buildrequires: pyproject.toml has no dependency group %s", name)
	}
	r.declared(list, nil)
}

func (r *reading) declared(list []pymeta.Declared, diagnostics []pymeta.Diagnostic) {
	for _, d := range diagnostics {
		r.report(d.File, d.Line, "%s", d.Message)
	}
	for _, d := range list {
		r.fromPython(&r.needs.Generated, d, Build)
	}
}
