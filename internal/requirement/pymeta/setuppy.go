package pymeta

import (
	"slices"
	"strings"
)

const setupPyName = "setup.py"

// setupPy reads the arguments of setup() in setup.py, as far as they are written down literally.
func (r *reader) setupPy() error {
	text, ok, err := r.open(setupPyName)
	if err != nil || !ok {
		return err
	}
	m := newModule(setupPyName)
	var openErr error
	m.open = func(name string) (string, bool) {
		text, ok, err := r.open(name)
		if err != nil {
			openErr = err
		}
		return text, ok && err == nil
	}
	m.run(text)
	if openErr != nil {
		return openErr
	}
	if m.err != nil {
		r.report(setupPyName, 0, "%v; the rest of the file is not read", m.err)
	}
	if len(m.setup) == 0 {
		r.openSetup(setupCall{}, 0, "no call of setup() was found")
		return nil
	}
	if len(m.setup) > 1 || m.setup[0].conditional {
		r.report(setupPyName, m.setup[0].line, "setup() is called under a condition or more than once; its first call is taken")
	}
	call := m.setup[0]
	if call.open {
		r.openSetup(call, call.line, "setup() gets arguments that are not written in the call")
	}
	r.setupFields(call)
	r.setupLists(call)
	return nil
}

// openSetup marks as unread what setup() may be given beyond what is written in its call. Such arguments come before
// setup.cfg, and after pyproject.toml.
func (r *reader) openSetup(call setupCall, line int, message string) {
	r.unread("*", setupPyName, line, "%s", message)
	for field, arg := range setupArguments {
		if v, ok := call.args[arg]; (!ok || v.kind == pyNone) && !r.seen[field] && !slices.Contains(r.meta.Unread, field) {
			r.meta.Unread = append(r.meta.Unread, field)
		}
	}
}

// setupArguments are the arguments of setup() that say what the fields are.
var setupArguments = map[string]string{
	"name": "name", "version": "version", "requires-python": "python_requires",
	"dependencies": "install_requires", "optional-dependencies": "extras_require",
}

func (r *reader) setupFields(call setupCall) {
	field := func(arg, name string, to *Field) {
		v, ok := call.args[arg]
		if !ok || v.kind == pyNone || !r.once(name) {
			return
		}
		if v.kind != pyString {
			r.unread(name, setupPyName, call.lines[arg], "%s is not written literally", arg)
			return
		}
		*to = Field{Text: strings.TrimSpace(v.text), File: v.file, Line: v.line}
	}
	field("name", "name", &r.meta.Name)
	field("python_requires", "requires-python", &r.meta.RequiresPython)
	for _, arg := range []string{"use_scm_version", "setuptools_git_versioning", "vcversioner", "pbr"} {
		if v, ok := call.args[arg]; ok {
			if truth, known := v.truth(); !known || truth {
				r.meta.VersionDynamic = true
				r.seen["version"] = true
				if arg == "pbr" {
					r.unread("dependencies", setupPyName, call.lines[arg], "pbr finds out the requirements when it builds, so they are not known")
				}
			}
		}
	}
	field("version", "version", &r.meta.Version)
}

func (r *reader) setupLists(call setupCall) {
	r.setupList(call, "install_requires", "dependencies", &r.meta.Requires)
	r.setupList(call, "setup_requires", "setup_requires", &r.meta.BuildRequires)
	v, ok := call.args["extras_require"]
	if !ok || v.kind == pyDict && len(v.list) == 0 || !r.once("optional-dependencies") {
		return
	}
	if v.kind != pyDict {
		r.unread("optional-dependencies", setupPyName, call.lines["extras_require"], "extras_require is not written literally")
		return
	}
	for i, key := range v.keys {
		extra, marker, _ := strings.Cut(key, ":")
		section := "extras_require[" + key + "]"
		extra = NormalizeName(strings.TrimSpace(extra))
		if extra != "" {
			r.meta.Extras = append(r.meta.Extras, extra)
		}
		r.setupRequirements(v.list[i], section, "optional-dependencies", extra, marker, &r.meta.Requires)
	}
}

func (r *reader) setupList(call setupCall, arg, name string, list *[]Declared) {
	v, ok := call.args[arg]
	if !ok || v.kind == pyNone {
		return
	}
	if (v.kind == pyList && len(v.list) == 0 || v.kind == pyString && v.text == "") || !r.once(name) {
		return // an empty list leaves the word to setup.cfg
	}
	if v.line == 0 {
		v.line = call.lines[arg]
	}
	r.setupRequirements(v, arg, name, "", "", list)
}

// setupRequirements reads a list of requirements, or a string with one a line.
// field is the one that is not known when the list is not literal.
func (r *reader) setupRequirements(v pyValue, section, field, extra, marker string, list *[]Declared) {
	if v.kind == pyString {
		v = splitLines(v, "\n")
	}
	if v.kind != pyList {
		r.unread(field, setupPyName, v.line, "%s is not written literally, so what it asks for is not known", section)
		return
	}
	for _, element := range v.list {
		if element.kind != pyString {
			r.unread(field, setupPyName, element.line, "an entry of %s is not written literally", section)
			continue
		}
		text := stripComment(element.text)
		if strings.HasPrefix(strings.TrimSpace(text), "-") {
			r.unread(field, element.file, element.line, "%s: the pip option %q is not followed", section, strings.TrimSpace(text))
			continue
		}
		r.declare(list, Declared{Text: withMarker(text, marker), File: element.file, Line: element.line, Section: section, Extra: extra})
	}
}

// withMarker adds a condition to a requirement.
func withMarker(requirement, marker string) string {
	marker = strings.TrimSpace(marker)
	if marker == "" || strings.TrimSpace(requirement) == "" {
		return requirement
	}
	text, own, found := strings.Cut(requirement, ";")
	if !found {
		return text + " ; " + marker
	}
	return text + " ; (" + own + ") and (" + marker + ")"
}
