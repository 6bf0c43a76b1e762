package native

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// dist is what a project tells setuptools, as its Distribution holds it. A nil string or list was not given.
type dist struct {
	name        *string
	version     string
	description *string
	// long is the long description, longType its content type.
	long, longType                                                  *string
	url, download, author, authorEmail, maintainer, maintainerEmail *string
	license, expression                                             *string
	projectURLs                                                     [][2]string
	keywords, platforms, classifiers                                []string
	requiresPython                                                  *string
	requires                                                        []string
	extras                                                          []extra
	licenseFiles                                                    *[]string
	packages, pyModules                                             *[]string
	packageDir                                                      map[string]string
	packageData, excludeData                                        map[string][]string
	includeData                                                     *bool
	dataFiles                                                       []dataEntry
	scripts, headers                                                []string
	entryPoints                                                     []entryGroup
	zipSafe                                                         *bool
	referenced                                                      []string        // files that the configuration reads
	dynamic                                                         map[string]bool // what did not come from a file of configuration; by PEP 643's names
	tag                                                             string          // of the interpreter
}

type extra struct {
	name     string
	requires []string
}

type dataEntry struct {
	dir   string
	files []string
}

type entryGroup struct {
	name  string
	lines []string // "name = value"
}

func (d *dist) packageNames() []string {
	if d.packages == nil {
		return nil
	}
	return *d.packages
}

func (d *dist) modules() []string {
	if d.pyModules == nil {
		return nil
	}
	return *d.pyModules
}

// mark notes that a field came from a running setup.py.
func (d *dist) mark(field string) {
	if d.dynamic == nil {
		d.dynamic = map[string]bool{}
	}
	d.dynamic[field] = true
}

// configure reads everything that the project says, in setuptools' order.
func (b *setuptoolsBuild) configure() error {
	d := &b.dist
	d.tag = "py3"
	if b.tree.has("setup.py") {
		if err := b.setupPy(); err != nil {
			return err
		}
	}
	if b.tree.has("setup.cfg") {
		if err := b.setupCfg(); err != nil {
			return err
		}
	}
	if b.tree.has("pyproject.toml") {
		if err := b.pyproject(); err != nil {
			return err
		}
	}
	if err := b.discover(); err != nil {
		return err
	}
	if d.name == nil || *d.name == "" {
		return unsupported("its name is not written down")
	}
	if d.version == "" {
		return unsupported("its version is not written down")
	}
	v, err := pymeta.ParseVersion(d.version)
	if err != nil {
		return unsupported("its version is %q", d.version)
	}
	d.version = v.String()
	if d.expression != nil {
		if !plainExpression(*d.expression) {
			return unsupported("its licence expression %q is not a plain one", *d.expression)
		}
		for _, c := range d.classifiers {
			if strings.HasPrefix(c, "License :: ") {
				return unsupported("it has both a licence expression and a classifier of a licence")
			}
		}
	}
	return b.findLicenses()
}

// findLicenses expands the patterns of licence files.
func (b *setuptoolsBuild) findLicenses() error {
	patterns := []string{"LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*"}
	if given := b.dist.licenseFiles; given != nil {
		patterns = *given
	}
	recursive := b.is.since(77, 0, 0)
	found := []string{}
	for _, p := range patterns {
		if strings.Contains(p, "..") || strings.Contains(p, "{") || recursive && strings.HasPrefix(p, "/") {
			return unsupported("its pattern of licence files %q is an unusual one", p)
		}
		files, err := b.tree.glob(p, recursive)
		if err != nil {
			return err
		}
		if len(files) > 1 && !b.is.since(63, 0, 0) {
			return unsupported("several licence files match %q, and setuptools %d takes them in no order", p, b.is[0])
		}
		for _, f := range files {
			if !strings.HasSuffix(f, "~") && !slices.Contains(found, f) {
				found = append(found, f)
			}
		}
	}
	b.dist.licenseFiles = &found
	return nil
}

// licenses are identifiers of the SPDX list that are known here, in their own spelling.
var licenses = strings.Fields(`0BSD AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause
	BSL-1.0 CC-BY-4.0 CC-BY-SA-4.0 CC0-1.0 EPL-2.0 EUPL-1.2 GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later
	ISC LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later MIT MIT-0 MPL-2.0 NCSA OFL-1.1 PSF-2.0
	Python-2.0 Unlicense WTFPL Zlib ZPL-2.1`)

// plainExpression tells whether a licence expression is one that every tool leaves as it is.
func plainExpression(s string) bool {
	words := strings.Split(s, " ")
	for i, word := range words {
		if i%2 == 0 && !slices.Contains(licenses, word) || i%2 == 1 && word != "AND" && word != "OR" {
			return false
		}
	}
	return len(words)%2 == 1
}

// asString reads a string; where it is none, why says which field is wrong.
func asString(field string, value any) (*string, error) {
	s, ok := value.(string)
	if !ok {
		return nil, unsupported("its %s is no string", field)
	}
	return &s, nil
}

// asStrings reads a list of strings.
func asStrings(field string, value any) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, unsupported("its %s is no list", field)
	}
	out := make([]string, len(list))
	for i, v := range list {
		if out[i], ok = v.(string); !ok {
			return nil, unsupported("its %s has something that is no string", field)
		}
	}
	return out, nil
}

// asTable reads a table.
func asTable(field string, value any) (*pymeta.Table, error) {
	t, ok := value.(*pymeta.Table)
	if !ok {
		return nil, unsupported("its %s is no table", field)
	}
	return t, nil
}

// asLists reads a table of lists of strings.
func asLists(field string, value any) (map[string][]string, error) {
	t, err := asTable(field, value)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, key := range t.Keys {
		if out[key], err = asStrings(field+"."+key, t.Get(key)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// asPairs reads a table of strings, in its order.
func asPairs(field string, value any) ([][2]string, error) {
	t, err := asTable(field, value)
	if err != nil {
		return nil, err
	}
	var out [][2]string
	for _, key := range t.Keys {
		s, err := asString(field+"."+key, t.Get(key))
		if err != nil {
			return nil, err
		}
		out = append(out, [2]string{key, *s})
	}
	return out, nil
}

// onlyKeys makes sure that a table has no other keys.
func onlyKeys(where string, t *pymeta.Table, known ...string) error {
	if t == nil {
		return nil
	}
	for _, key := range t.Keys {
		if !slices.Contains(known, key) {
			return unsupported("%s has %q, which is not known here", where, key)
		}
	}
	return nil
}

// wildcard makes the package "*" the one of all packages.
func wildcard(data map[string][]string) map[string][]string {
	if all, ok := data["*"]; ok {
		data = maps.Clone(data)
		delete(data, "*")
		data[""] = all
	}
	return data
}

// attribute reads what a module gives a name, for a version: "package.module.name".
func (b *setuptoolsBuild) attribute(written string) (string, error) {
	parts := strings.Split(strings.TrimSpace(written), ".")
	name, module := parts[len(parts)-1], parts[:len(parts)-1]
	if len(module) == 0 {
		module = []string{"__init__"}
	}
	where := ""
	if dir, ok := b.dist.packageDir[module[0]]; ok {
		where, module = dir, module[1:]
	} else if dir, ok := b.dist.packageDir[""]; ok {
		where = dir
	}
	file := strings.Trim(where+"/"+strings.Join(module, "/"), "/")
	for _, candidate := range []string{file + ".py", file + "/__init__.py"} {
		clean, ok := inside(candidate)
		if !ok || !b.tree.has(clean) {
			continue
		}
		source, err := b.tree.text(clean)
		if err != nil {
			return "", err
		}
		value, ok := pymeta.ModuleAttribute(source, name)
		if version, literal := versionOf(value); ok && literal && !oddEncoding(source) {
			return version, nil
		}
		return "", unsupported("%s does not say %s literally", clean, name)
	}
	return "", unsupported("there is no module for %s", written)
}

// versionOf makes a version of a literal: a string, or numbers and strings to be joined.
func versionOf(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			switch p := part.(type) {
			case string:
				parts[i] = p
			case pymeta.Number:
				parts[i] = string(p)
			default:
				return "", false
			}
		}
		return strings.Join(parts, "."), true
	}
	return "", false
}

// readFiles joins files of text as "file:" does.
func (b *setuptoolsBuild) readFiles(names []string) (string, error) {
	var texts []string
	for _, name := range names {
		clean, ok := inside(strings.TrimSpace(name))
		if !ok {
			return "", unsupported("%q is not inside of the project", name)
		}
		b.dist.referenced = append(b.dist.referenced, clean)
		if !b.tree.has(clean) {
			continue // it warns
		}
		s, err := b.tree.text(clean)
		if err != nil {
			return "", err
		}
		texts = append(texts, s)
	}
	return strings.Join(texts, "\n"), nil
}

// scmVersion takes the version from tags, as setuptools-scm was told to.
func (b *setuptoolsBuild) scmVersion() error {
	if b.project.Version == "" {
		return unsupported("its version comes from tags, and there is none")
	}
	if !b.scm {
		return fmt.Errorf("%w", unsupported("the build root has no setuptools-scm"))
	}
	b.dist.version = b.project.Version
	return nil
}
