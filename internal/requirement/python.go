package requirement

import (
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// python adds what the project's Python metadata says.
func (r *reading) python() {
	if len(r.meta.Files) == 0 {
		return
	}
	r.interpreter()
	for _, d := range r.meta.Requires {
		if d.Extra == "" {
			r.fromPython(&r.needs.Runtime, d, Runtime)
		}
	}
	r.backend()
}

// metadataFile is where a project without a better place for it is described.
func (r *reading) metadataFile() string { return r.meta.Files[0] }

// interpreter asks for Python itself, and checks that the target's is the one that the project wants.
func (r *reading) interpreter() {
	request := "/usr/bin/python3"
	if r.target.AlternativePython {
		request += strings.TrimPrefix(r.target.python(), "3")
	}
	at := r.meta.RequiresPython
	origin := Origin{Project: r.project.Name, File: at.File, Line: at.Line, Section: "requires-python"}
	if at.File == "" {
		origin.File = r.metadataFile()
	}
	q := Requirement{Request: request, Written: strings.TrimSpace("Python " + at.Text), Kind: Runtime, Origin: origin}
	r.add(&r.needs.Runtime, q)
	q.Kind = Build
	r.add(&r.needs.Build, q)
	if at.Text == "" {
		return
	}
	wanted, err := pymeta.ParseSpecifiers(at.Text)
	if err != nil {
		r.report(at.File, at.Line, "requires-python: %v", err)
		return
	}
	have, err := pymeta.ParseVersion(r.target.python())
	if err == nil && !wanted.Contains(have, true) {
		r.report(at.File, at.Line, "requires Python %s, but %s has %s", at.Text, r.target.Release, r.target.python())
	}
}

// fromPython adds a requirement of the metadata, if its marker holds on the target.
func (r *reading) fromPython(list *[]Requirement, d pymeta.Declared, kind Kind) {
	var extras []string
	if d.Extra != "" {
		extras = []string{d.Extra}
	}
	ok, err := d.Requirement.Applies(r.markers, extras...)
	if err != nil {
		r.report(d.File, d.Line, "%s: %v", d.Section, err)
	}
	if !ok {
		return
	}
	if d.Requirement.URL != "" {
		r.report(d.File, d.Line, "%s: %s is asked for by address; any version of its RPM is taken", d.Section, d.Requirement.Name)
	}
	if len(d.Requirement.Extras) > 0 && !dialectOf(r.target.Release).extras {
		r.report(d.File, d.Line, "%s: the packages of %s have no extras, so [%s] of %s is not asked for",
			d.Section, r.target.Release, strings.Join(d.Requirement.Extras, ","), d.Requirement.Name)
	}
	requests, err := FromPython(d.Requirement, r.target)
	if err != nil {
		r.report(d.File, d.Line, "%s: %v", d.Section, err)
		return
	}
	condition := ""
	if d.Requirement.Marker != nil {
		condition = d.Requirement.Marker.String()
	}
	for _, request := range requests {
		r.add(list, Requirement{
			Request: request, Written: d.Text, Kind: kind, Condition: condition,
			Origin: Origin{Project: r.project.Name, File: d.File, Line: d.Line, Section: d.Section},
		})
	}
}

// backend adds what building a wheel needs: build-system.requires and setup_requires, and what PEP 517 and setuptools
// add to them on their own.
func (r *reading) backend() {
	b := &r.needs.Backend
	b.Name, b.Path = r.meta.Backend, r.meta.BackendPath
	declared := map[string]bool{}
	for _, d := range r.meta.BuildRequires {
		b.Requires = append(b.Requires, d.Text)
		declared[pymeta.NormalizeName(d.Requirement.Name)] = true
		r.fromPython(&r.needs.Build, d, Build)
	}
	if !strings.HasPrefix(b.Name, "setuptools.") {
		return
	}
	if !declared["setuptools"] {
		r.implied(b, "setuptools >= 40.8.0", "the build system of a project that names none")
	}
	if !declared["wheel"] && needsWheel(r.target.Release) {
		r.implied(b, "wheel", "what setuptools asks for to build a wheel")
	}
}

// needsWheel says whether a release's setuptools is older than 70.1, which builds wheels without the package wheel.
func needsWheel(release string) bool {
	family, version := splitRelease(release)
	return family != "fedora" || version < 42
}

// implied adds a build requirement that no file writes down.
func (r *reading) implied(b *Backend, text, section string) {
	b.Requires = append(b.Requires, text)
	requirement, err := pymeta.ParseRequirement(text)
	if err != nil {
		r.report(r.metadataFile(), 0, "%v", err)
		return
	}
	d := pymeta.Declared{Requirement: requirement, Text: text, File: r.metadataFile(), Section: section}
	r.fromPython(&r.needs.Build, d, Build)
}
