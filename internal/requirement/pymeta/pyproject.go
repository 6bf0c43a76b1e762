package pymeta

import (
	"errors"
	"slices"
	"strings"
)

const pyprojectName = "pyproject.toml"

// pyproject reads pyproject.toml: the build system (PEP 518), the project table (PEP 621), and what the backends keep
// in tables of their own.
func (r *reader) pyproject() error {
	text, ok, err := r.open(pyprojectName)
	if err != nil || !ok {
		return err
	}
	doc, err := parseTOML(text)
	if err != nil {
		var bad *iniError
		line := 0
		if errors.As(err, &bad) {
			line = bad.line
		}
		r.report(pyprojectName, line, "not valid TOML, not read: %v", err)
		return nil
	}
	r.buildSystem(doc.get("build-system"))
	r.groups(doc.get("dependency-groups"))
	if project := doc.get("project"); project != nil {
		r.described = true
		return r.project(project, doc)
	}
	switch {
	case doc.get("tool", "poetry") != nil && strings.HasPrefix(r.meta.Backend, "poetry."):
		r.described = true
		r.poetry(doc.get("tool", "poetry"))
	case doc.get("tool", "flit", "metadata") != nil && strings.HasPrefix(r.meta.Backend, "flit"):
		r.described = true
		return r.flit(doc.get("tool", "flit", "metadata"))
	}
	return nil
}

func (r *reader) buildSystem(table *tomlNode) {
	if table == nil {
		return
	}
	r.meta.Backend = table.get("build-backend").str()
	for _, dir := range table.get("backend-path").strings() {
		clean, ok := inTree(dir.text)
		if !ok && dir.text != "." {
			r.report(pyprojectName, dir.line, "backend-path %q is outside of the project", dir.text)
			continue
		}
		r.meta.BackendPath = append(r.meta.BackendPath, clean)
	}
	r.declareAll(&r.meta.BuildRequires, table.get("requires"), "build-system.requires", "")
}

// declareAll adds an array of requirements.
func (r *reader) declareAll(list *[]Declared, array *tomlNode, section, extra string) {
	if array == nil {
		return
	}
	if array.kind != tomlArray {
		r.report(pyprojectName, array.line, "%s is not an array", section)
		return
	}
	for _, element := range array.list {
		if element.kind != tomlString {
			r.report(pyprojectName, element.line, "%s: an entry is not a string", section)
			continue
		}
		r.declare(list, Declared{Text: element.text, File: pyprojectName, Line: element.line, Section: section, Extra: extra})
	}
}

func tomlField(n *tomlNode) Field {
	return Field{Text: strings.TrimSpace(n.str()), File: pyprojectName, Line: n.line}
}

// project reads the table of PEP 621. What it gives statically, or does not name as dynamic, no other file may give.
func (r *reader) project(project, doc *tomlNode) error {
	dynamic := project.get("dynamic")
	if n := project.get("name"); n != nil {
		r.meta.Name = tomlField(n)
		r.seen["name"] = true
	} else {
		r.report(pyprojectName, project.line, "project.name is missing")
	}
	if n := project.get("requires-python"); n != nil {
		r.meta.RequiresPython = tomlField(n)
		r.seen["requires-python"] = true
	}
	r.declareAll(&r.meta.Requires, project.get("dependencies"), "project.dependencies", "")
	if extras := project.get("optional-dependencies"); extras != nil {
		for _, key := range extras.keys {
			name := NormalizeName(key)
			r.meta.Extras = append(r.meta.Extras, name)
			r.declareAll(&r.meta.Requires, extras.fields[key], "project.optional-dependencies."+key, name)
		}
	}
	for _, field := range []string{"dependencies", "optional-dependencies"} {
		if !dynamic.has(field) {
			r.seen[field] = true
		}
	}
	if v := project.get("version"); v != nil {
		r.meta.Version = tomlField(v)
		r.seen["version"] = true
	} else if !dynamic.has("version") {
		r.seen["version"] = true
		r.report(pyprojectName, project.line, "project.version is missing, and not dynamic")
	}
	if dynamic == nil {
		return nil
	}
	return r.dynamic(dynamic, doc)
}

// dynamic reads what the project's backend is asked to find out.
func (r *reader) dynamic(dynamic, doc *tomlNode) error {
	if r.usesSetuptools() {
		return r.setuptoolsDynamic(dynamic, doc)
	}
	if dynamic.has("version") {
		if err := r.backendVersion(dynamic, doc); err != nil {
			return err
		}
	}
	for _, field := range []string{"requires-python", "dependencies", "optional-dependencies"} {
		if dynamic.has(field) {
			r.dynamicRequirements(field, dynamic, doc)
		}
	}
	return nil
}

// setuptoolsDynamic reads tool.setuptools.dynamic. What is dynamic and not there comes from setup.py or setup.cfg.
func (r *reader) setuptoolsDynamic(dynamic, doc *tomlNode) error {
	table := doc.get("tool", "setuptools", "dynamic")
	if dynamic.has("version") {
		if err := r.setuptoolsVersion(table.get("version"), doc); err != nil {
			return err
		}
	}
	if n := table.get("dependencies"); dynamic.has("dependencies") && n != nil {
		r.seen["dependencies"] = true
		if err := r.dynamicFiles(&r.meta.Requires, n, "project.dependencies", ""); err != nil {
			return err
		}
	}
	extras := table.get("optional-dependencies")
	if !dynamic.has("optional-dependencies") || extras == nil {
		return nil
	}
	r.seen["optional-dependencies"] = true
	for _, key := range extras.keys {
		name := NormalizeName(key)
		r.meta.Extras = append(r.meta.Extras, name)
		if err := r.dynamicFiles(&r.meta.Requires, extras.fields[key], "project.optional-dependencies."+key, name); err != nil {
			return err
		}
	}
	return nil
}

// dynamicFiles reads { file = "name" } or { file = ["a", "b"] }.
func (r *reader) dynamicFiles(list *[]Declared, n *tomlNode, section, extra string) error {
	files := n.get("file")
	if files == nil {
		r.report(pyprojectName, n.line, "%s: where it comes from is not a file", section)
		return nil
	}
	names := files.strings()
	if files.kind == tomlString {
		names = []*tomlNode{files}
	}
	for _, name := range names {
		from := Field{File: pyprojectName, Line: name.line}
		if err := r.requirementsFile(list, name.text, section, extra, from); err != nil {
			return err
		}
	}
	return nil
}

// versionPlugins are build requirements that take the version from the version control system.
var versionPlugins = []string{
	"setuptools-scm", "setuptools-git-versioning", "hatch-vcs", "versioningit", "pbr", "versioneer", "dunamai",
	"poetry-dynamic-versioning", "uv-dynamic-versioning", "setuptools-git", "hatch-nodejs-version",
}

// hasVersionPlugin says whether a build requirement finds out the version.
func (r *reader) hasVersionPlugin() bool {
	return slices.ContainsFunc(r.meta.BuildRequires, func(d Declared) bool {
		return slices.Contains(versionPlugins, NormalizeName(d.Requirement.Name))
	})
}

func (r *reader) setuptoolsVersion(n, doc *tomlNode) error {
	if n == nil {
		if r.hasVersionPlugin() || doc.get("tool", "setuptools_scm") != nil {
			r.meta.VersionDynamic = true
			r.seen["version"] = true
		}
		return nil // else setup.py or setup.cfg has it
	}
	r.seen["version"] = true
	at := Field{File: pyprojectName, Line: n.line}
	switch {
	case n.get("attr").str() != "":
		dirs := map[string]string{}
		if table := doc.get("tool", "setuptools", "package-dir"); table != nil {
			for _, key := range table.keys {
				dirs[key] = table.fields[key].str()
			}
		}
		return r.versionFromAttribute(n.get("attr").str(), dirs, at)
	case n.get("file") != nil:
		name := n.get("file").str()
		if list := n.get("file").strings(); name == "" && len(list) == 1 {
			name = list[0].text
		}
		return r.versionFromFile(name, at)
	}
	r.report(pyprojectName, n.line, "version: neither attr nor file")
	return nil
}
