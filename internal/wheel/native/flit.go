package native

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// flit is a project being built as flit-core would.
type flit struct {
	tree   *tree
	is     release
	core   *coreMetadata
	module string // file or folder
	inSrc  bool
	data   string // folder of external data, "" for none
}

// flitKnown are the versions that the tests compare with.
func flitKnown(r release) bool {
	return r.since(3, 8, 0) && !r.since(3, 9, 0) || r.since(3, 12, 0) && !r.since(3, 13, 0)
}

func writeFlit(t *tree, env Environment) (*Wheel, error) {
	version := env.Dists["flit-core"]
	is, ok := parseRelease(version)
	if !ok || !flitKnown(is) {
		return nil, unsupported("flit-core %s is not among the versions known here", version)
	}
	f := &flit{tree: t, is: is}
	if err := f.configure(); err != nil {
		return nil, err
	}
	name := strings.ReplaceAll(pymeta.NormalizeName(*f.core.name), "-", "_")
	pythons := []string{"py2", "py3"}
	if !f.python2() {
		pythons = pythons[1:]
	}
	w := &Wheel{
		Filename: fmt.Sprintf("%s-%s-%s-none-any.whl", name, f.core.version, strings.Join(pythons, ".")),
		Info:     fmt.Sprintf("%s-%s.dist-info", name, f.core.version), Backend: "flit-core " + version,
	}
	if err := f.files(w, fmt.Sprintf("%s-%s.data/data", name, f.core.version)); err != nil {
		return nil, err
	}
	wheel := "Wheel-Version: 1.0\nGenerator: flit " + version + "\nRoot-Is-Purelib: true\n"
	for _, python := range pythons {
		wheel += "Tag: " + python + "-none-any\n"
	}
	w.add(File{Name: w.Info + "/WHEEL", Content: []byte(wheel)})
	return w, f.info(w)
}

func (f *flit) configure() error {
	content, err := f.tree.text("pyproject.toml")
	if err != nil {
		return err
	}
	document, err := pymeta.ParseTOML(content)
	if err != nil {
		return unsupported("pyproject.toml: %v", err)
	}
	project, ok := document.Get("project").(*pymeta.Table)
	if !ok {
		return unsupported("pyproject.toml has no [project]")
	}
	tool, _ := document.Get("tool").(*pymeta.Table)
	settings, _ := tool.Get("flit").(*pymeta.Table)
	if err := onlyKeys("tool.flit", settings, "module", "external-data", "sdist"); err != nil {
		return err
	}
	if f.core, err = readProject(f.tree, project, f.is.since(3, 12, 0)); err != nil {
		return err
	}
	if f.core.name == nil {
		return unsupported("its name is not written down")
	}
	if err := f.findModule(settings); err != nil {
		return err
	}
	if data, ok := settings.Get("external-data").(*pymeta.Table); ok {
		dir, ok := data.Get("directory").(string)
		clean, within := inside(dir)
		if !ok || !within || clean == "" || !f.tree.dirs[clean] {
			return unsupported("its external data is no folder of it")
		}
		f.data = clean
	}
	return f.dynamic(project)
}

// findModule finds the one module or package.
func (f *flit) findModule(settings *pymeta.Table) error {
	name := strings.ReplaceAll(*f.core.name, "-", "_")
	if module, ok := settings.Get("module").(*pymeta.Table); ok && module.Has("name") {
		s, err := asString("tool.flit.module.name", module.Get("name"))
		if err != nil {
			return err
		}
		name = *s
	}
	if !dotted.MatchString(name) {
		return unsupported("its module is called %q", name)
	}
	file := strings.ReplaceAll(name, ".", "/")
	var found []string
	for _, dir := range []string{"", "src"} {
		if candidate := path.Join(dir, file); f.tree.dirs[candidate] {
			found = append(found, candidate)
		}
		if candidate := path.Join(dir, file+".py"); f.tree.has(candidate) {
			found = append(found, candidate)
		}
	}
	if len(found) != 1 {
		return unsupported("it has %d modules called %s", len(found), name)
	}
	f.module, f.inSrc = found[0], strings.HasPrefix(found[0], "src/") && !strings.HasPrefix(file, "src/")
	return nil
}

// dynamic takes what the module says: version and description.
func (f *flit) dynamic(project *pymeta.Table) error {
	var fields []string
	if project.Has("dynamic") {
		var err error
		if fields, err = asStrings("project.dynamic", project.Get("dynamic")); err != nil {
			return err
		}
	}
	source := f.module
	if !f.tree.has(source) {
		source += "/__init__.py"
	}
	for _, field := range fields {
		content, err := f.tree.text(source)
		if err != nil {
			return err
		}
		if oddEncoding(content) {
			return unsupported("%s is not UTF-8", source)
		}
		switch field {
		case "version":
			value, ok := pymeta.ModuleAttribute(content, "__version__")
			s, isString := value.(string)
			if !ok || !isString {
				return unsupported("%s does not say __version__ literally", source)
			}
			f.core.version = s
		case "description":
			doc, ok := pymeta.FirstDocstring(content)
			first, _, _ := strings.Cut(strings.TrimLeft(doc, " \t\n\r\f\v"), "\n")
			if !ok || first == "" || strings.ContainsRune(first, '\t') {
				return unsupported("%s has no plain docstring", source)
			}
			f.core.description = &first
		default:
			return unsupported("its %s is dynamic", field)
		}
	}
	if f.core.description == nil {
		return unsupported("it has no description")
	}
	v, err := pymeta.ParseVersion(f.core.version)
	if err != nil {
		return unsupported("its version is %q", f.core.version)
	}
	f.core.version = v.String()
	return nil
}

var notPython2 = regexp.MustCompile(`^\s*(>=?|~=|===?)?\s*[3-9]`)

// python2 tells whether the wheel is for Python 2, too.
func (f *flit) python2() bool {
	if f.core.requiresPython == nil {
		return true
	}
	return !slices.ContainsFunc(strings.Split(*f.core.requiresPython, ","), notPython2.MatchString)
}

func (f *flit) files(w *Wheel, data string) error {
	add := func(as, from string) error {
		file, err := f.tree.file(as, from, f.tree.exec[from])
		if err == nil {
			w.add(file)
		}
		return err
	}
	within := func(name string) string {
		if f.inSrc {
			return strings.TrimPrefix(name, "src/")
		}
		return name
	}
	if f.tree.has(f.module) {
		if err := add(within(f.module), f.module); err != nil {
			return err
		}
	}
	for _, name := range f.tree.below(f.module) {
		if slices.Contains(strings.Split(name, "/"), "__pycache__") || strings.HasSuffix(name, ".pyc") {
			continue
		}
		if err := add(within(name), name); err != nil {
			return err
		}
	}
	if f.data == "" {
		return nil
	}
	for _, name := range f.tree.below(f.data) {
		rest := strings.TrimPrefix(name, f.data+"/")
		if slices.Contains(strings.Split(path.Dir(rest), "/"), "__pycache__") {
			continue
		}
		if err := add(path.Join(data, rest), name); err != nil {
			return err
		}
	}
	return nil
}

// info adds METADATA, entry points and licences.
func (f *flit) info(w *Wheel) error {
	licenses, err := f.licenses()
	if err != nil {
		return err
	}
	for _, name := range licenses {
		as := w.Info + "/" + name
		if f.is.since(3, 12, 0) {
			as = w.Info + "/licenses/" + name
		}
		file, err := f.tree.file(as, name, f.tree.exec[name])
		if err != nil {
			return err
		}
		w.add(file)
	}
	metadata, err := f.metadata(licenses)
	if err != nil {
		return err
	}
	w.add(File{Name: w.Info + "/METADATA", Content: []byte(metadata)})
	groups := map[string][]string{}
	for _, g := range f.core.entryPoints {
		for _, line := range g.lines {
			name, value, _ := strings.Cut(line, " = ")
			groups[g.name] = append(groups[g.name], name+"="+value)
		}
		slices.Sort(groups[g.name])
	}
	if len(groups) == 0 {
		return nil
	}
	var b strings.Builder
	for _, name := range sortedKeys(groups) {
		b.WriteString("[" + name + "]\n" + strings.Join(groups[name], "\n") + "\n\n")
	}
	w.add(File{Name: w.Info + "/entry_points.txt", Content: []byte(b.String())})
	return nil
}

func (f *flit) licenses() ([]string, error) {
	patterns := []string{"COPYING*", "LICENSE*"}
	if f.is.since(3, 12, 0) {
		patterns = []string{"COPYING*", "LICEN[CS]E*"}
	}
	if f.core.licenseFiles != nil {
		return nil, unsupported("it names licence files")
	}
	var found []string
	for _, p := range patterns {
		files, err := f.tree.glob(p, false)
		if err != nil {
			return nil, err
		}
		found = append(found, files...)
	}
	if name := f.core.licenseFile; name != "" && f.is.since(3, 12, 0) {
		found = append(found, name)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

func (f *flit) metadata(licenses []string) (string, error) {
	c, h := f.core, &headerWriter{}
	newer := f.is.since(3, 12, 0)
	if newer {
		h.field("Metadata-Version", "2.4")
	} else {
		h.field("Metadata-Version", "2.1")
	}
	h.field("Name", *c.name)
	h.field("Version", c.version)
	h.optional("Summary", c.description)
	if c.keywords != nil {
		h.field("Keywords", strings.Join(c.keywords, ","))
	}
	h.optional("Author", c.authors.names())
	h.optional("Author-email", c.authors.emails())
	h.optional("Maintainer", c.maintainers.names())
	h.optional("Maintainer-email", c.maintainers.emails())
	h.optional("Requires-Python", c.requiresPython)
	h.optional("Description-Content-Type", c.readmeType)
	if c.expression != nil {
		if !plainExpression(*c.expression) {
			return "", unsupported("its licence expression %q is not a plain one", *c.expression)
		}
		h.field("License-Expression", *c.expression)
	}
	h.list("Classifier", c.classifiers)
	if newer {
		h.list("License-File", licenses)
	}
	if err := f.requirements(h); err != nil {
		return "", err
	}
	if h.err != nil {
		return "", h.err
	}
	if c.readme != nil {
		h.b.WriteString("\n" + *c.readme + "\n")
	}
	return h.b.String(), nil
}

func (f *flit) requirements(h *headerWriter) error {
	write := func(r string) error {
		if strings.ContainsAny(r, "[") && f.is.since(3, 12, 0) {
			return unsupported("it requires %q", r)
		}
		h.field("Requires-Dist", r)
		return nil
	}
	for _, r := range f.core.requires {
		if err := write(r); err != nil {
			return err
		}
	}
	extras := map[string][]string{}
	for _, e := range f.core.extras {
		name := e.name
		if f.is.since(3, 12, 0) {
			name = pymeta.NormalizeName(name)
		}
		if _, twice := extras[name]; twice {
			return unsupported("it has the extra %s twice", name)
		}
		extras[name] = e.requires
	}
	for _, name := range sortedKeys(extras) {
		for _, r := range extras[name] {
			if before, marker, ok := strings.Cut(r, ";"); ok {
				r = fmt.Sprintf(`%s ; extra == "%s" and (%s)`, before, name, marker)
			} else {
				r = fmt.Sprintf(`%s ; extra == "%s"`, r, name)
			}
			if err := write(r); err != nil {
				return err
			}
		}
	}
	var urls []string
	for _, pair := range f.core.urls {
		urls = append(urls, pair[0]+", "+pair[1])
	}
	slices.Sort(urls)
	h.list("Project-URL", urls)
	h.list("Provides-Extra", sortedKeys(extras))
	return nil
}
