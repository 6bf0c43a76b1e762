package native

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// hatch is a project being built as hatchling would.
type hatch struct {
	project Project
	tree    *tree
	is      release
	core    *coreMetadata
	table   *pymeta.Table // [project]
	build   *pymeta.Table // [tool.hatch.build]
	target  *pymeta.Table // [tool.hatch.build.targets.wheel]
	spdx    bool          // PEP 639 in its final form
}

// hatchlingKnown are the versions that the tests compare with.
func hatchlingKnown(r release) bool {
	return r.since(1, 12, 0) && !r.since(1, 13, 0) || r.since(1, 27, 0) && !r.since(1, 28, 0)
}

func writeHatchling(p Project, t *tree, env Environment) (*Wheel, error) {
	version := env.Dists["hatchling"]
	is, ok := parseRelease(version)
	if !ok || !hatchlingKnown(is) {
		return nil, unsupported("hatchling %s is not among the versions known here", version)
	}
	h := &hatch{project: p, tree: t, is: is, spdx: is.since(1, 26, 0)}
	if err := h.configure(env); err != nil {
		return nil, err
	}
	name := strings.ReplaceAll(pymeta.NormalizeName(*h.core.name), "-", "_")
	w := &Wheel{
		Filename: fmt.Sprintf("%s-%s-%s-none-any.whl", name, h.core.version, strings.Join(h.pythons(), ".")),
		Info:     fmt.Sprintf("%s-%s.dist-info", name, h.core.version), Backend: "hatchling " + version,
	}
	if err := h.files(w, name); err != nil {
		return nil, err
	}
	if err := h.shared(w, fmt.Sprintf("%s-%s.data/data", name, h.core.version)); err != nil {
		return nil, err
	}
	return w, h.info(w, version)
}

func (h *hatch) configure(env Environment) error {
	if h.tree.has("hatch.toml") || h.tree.has(".hgignore") {
		return unsupported("it has a hatch.toml or a .hgignore")
	}
	content, err := h.tree.text("pyproject.toml")
	if err != nil {
		return err
	}
	document, err := pymeta.ParseTOML(content)
	if err != nil {
		return unsupported("pyproject.toml: %v", err)
	}
	table, ok := document.Get("project").(*pymeta.Table)
	if !ok {
		return unsupported("pyproject.toml has no [project]")
	}
	h.table = table
	tool, _ := document.Get("tool").(*pymeta.Table)
	settings, _ := tool.Get("hatch").(*pymeta.Table)
	if err := onlyKeys("tool.hatch", settings, "build", "version", "metadata", "envs"); err != nil {
		return err
	}
	metadata, _ := settings.Get("metadata").(*pymeta.Table)
	if err := onlyKeys("tool.hatch.metadata", metadata, "allow-direct-references"); err != nil {
		return err
	}
	if err := h.targets(settings); err != nil {
		return err
	}
	if h.core, err = readProject(h.tree, table, true); err != nil {
		return err
	}
	if h.core.name == nil {
		return unsupported("its name is not written down")
	}
	if strings.Contains(content, "{root") || strings.Contains(content, "{env") || strings.Contains(content, "{home") {
		return unsupported("pyproject.toml has values to fill in")
	}
	return h.version(settings, env)
}

// targets reads how the wheel is built.
func (h *hatch) targets(settings *pymeta.Table) error {
	h.build, _ = settings.Get("build").(*pymeta.Table)
	if h.build == nil {
		h.build = &pymeta.Table{}
	}
	if err := onlyKeys("tool.hatch.build", h.build, "targets", "exclude", "artifacts", "reproducible", "directory"); err != nil {
		return err
	}
	if h.build.Get("reproducible") == false || h.build.Has("directory") {
		return unsupported("tool.hatch.build has unusual settings")
	}
	targets, _ := h.build.Get("targets").(*pymeta.Table)
	h.target, _ = targets.Get("wheel").(*pymeta.Table)
	if h.target == nil {
		h.target = &pymeta.Table{}
	}
	return onlyKeys("tool.hatch.build.targets.wheel", h.target, "packages", "exclude", "artifacts", "force-include", "shared-data")
}

var hatchVersion = regexp.MustCompile(`(?im)^(?:__version__|VERSION) *= *(?:'v?([^'\n]+?)'|"v?([^"\n]+?)")`)

// version finds the version: as written, in a file, or from tags.
func (h *hatch) version(settings *pymeta.Table, env Environment) error {
	source, _ := settings.Get("version").(*pymeta.Table)
	if err := h.onlyVersionDynamic(); err != nil {
		return err
	}
	written := h.core.version
	switch {
	case written != "":
	case source == nil:
		return unsupported("its version is not written down")
	case source.Get("source") == "vcs":
		if h.project.Version == "" || env.Dists["hatch-vcs"] == "" {
			return unsupported("its version comes from tags, and there is none")
		}
		for _, key := range source.Keys {
			if key != "source" && key != "fallback-version" {
				return unsupported("tool.hatch.version has %s", key)
			}
		}
		written = h.project.Version
	default:
		file, ok := source.Get("path").(string)
		if !ok || len(source.Keys) != 1 {
			return unsupported("tool.hatch.version is of an unusual kind")
		}
		clean, ok := inside(file)
		if !ok {
			return unsupported("its version's file is not inside of the project")
		}
		content, err := h.tree.text(clean)
		if err != nil {
			return err
		}
		m := hatchVersion.FindStringSubmatch(content)
		if m == nil {
			return unsupported("%s does not say the version plainly", file)
		}
		written = m[1] + m[2]
	}
	v, err := pymeta.ParseVersion(written)
	if err != nil {
		return unsupported("its version is %q", written)
	}
	h.core.version = v.String()
	return nil
}

func (h *hatch) onlyVersionDynamic() error {
	if !h.table.Has("dynamic") {
		return nil
	}
	dynamic, err := asStrings("project.dynamic", h.table.Get("dynamic"))
	if err != nil || len(dynamic) != 1 || dynamic[0] != "version" {
		return unsupported("more than its version is dynamic")
	}
	return nil
}

// pythons are the interpreters of the wheel's tag.
func (h *hatch) pythons() []string {
	if h.core.requiresPython == nil {
		return []string{"py2", "py3"}
	}
	specifiers, err := pymeta.ParseSpecifiers(*h.core.requiresPython)
	if err != nil {
		return nil
	}
	var found []string
	for _, major := range []string{"2", "3"} {
		for minor := range 100 {
			text := fmt.Sprintf("%s.%d", major, minor)
			if h.is.since(1, 27, 0) {
				text += ".100"
			}
			if v, err := pymeta.ParseVersion(text); err == nil && specifiers.Contains(v, false) {
				found = append(found, "py"+major)
				break
			}
		}
	}
	return found
}

// list reads a list that the wheel's table has, or all targets' one.
func (h *hatch) list(key string) ([]string, error) {
	from := h.build
	if h.target.Has(key) {
		from = h.target
	}
	if !from.Has(key) {
		return nil, nil
	}
	return asStrings("tool.hatch.build."+key, from.Get(key))
}

// inclusions reads a table from paths of the project to paths in the wheel.
func (h *hatch) inclusions(key string) ([][2]string, error) {
	if !h.target.Has(key) {
		return nil, nil
	}
	pairs, err := asPairs("tool.hatch.build.targets.wheel."+key, h.target.Get(key))
	if err != nil {
		return nil, err
	}
	for i, pair := range pairs {
		from, ok := inside(pair[0])
		to, okTo := inside(strings.Trim(pair[1], "/"))
		if !ok || !okTo || from == "" || to == "" {
			return nil, unsupported("tool.hatch.build.targets.wheel.%s has %q", key, pair[0])
		}
		pairs[i] = [2]string{from, to}
	}
	return pairs, nil
}

// neverIncluded are names of folders that hatchling passes over.
func (h *hatch) neverIncluded(name string) bool {
	if h.is.since(1, 27, 0) {
		return slices.Contains([]string{"__pycache__", ".venv", ".git", ".hg", ".hatch", ".tox", ".nox", ".ruff_cache", ".pytest_cache", ".mypy_cache", ".pixi"}, name)
	}
	return slices.Contains([]string{"__pycache__", "__pypackages__", ".git", ".hg", ".hatch", ".tox", ".nox"}, name)
}

// ignored tells whether the way to a file goes through a folder that is passed over.
func (h *hatch) ignored(file string) bool {
	parts := strings.Split(file, "/")
	return slices.ContainsFunc(parts[:len(parts)-1], h.neverIncluded) || h.is.since(1, 27, 0) && parts[len(parts)-1] == ".DS_Store"
}

// files adds the packages and what is included by force.
func (h *hatch) files(w *Wheel, name string) error {
	packages, err := h.packages(name)
	if err != nil {
		return err
	}
	forced, err := h.inclusions("force-include")
	if err != nil {
		return err
	}
	rules, err := h.rules(forced)
	if err != nil {
		return err
	}
	for _, pkg := range packages {
		below := h.tree.below(pkg)
		if h.tree.has(pkg) {
			below = []string{pkg}
		} else if len(below) == 0 {
			return unsupported("its package %s is not there", pkg)
		}
		for _, f := range below {
			wanted := h.tree.has(pkg)
			if !wanted && !h.ignored(strings.TrimPrefix(f, pkg+"/")) {
				if wanted, err = rules.include(f); err != nil {
					return err
				}
			}
			if !wanted {
				continue
			}
			file, err := h.tree.file(strip(f, packages), f, h.tree.exec[f])
			if err != nil {
				return err
			}
			w.add(file)
		}
	}
	return h.explicit(w, forced, func(to string) string { return strip(to, packages) })
}

// strip takes the folder of the packages off a path: src/name/x becomes name/x.
func strip(f string, packages []string) string {
	for _, source := range slices.Sorted(slices.Values(packages)) {
		if dir := parent(source); dir != "" && strings.HasPrefix(f, dir+"/") {
			return strings.TrimPrefix(f, dir+"/")
		}
	}
	return f
}

func (h *hatch) packages(name string) ([]string, error) {
	if h.target.Has("packages") {
		list, err := asStrings("packages", h.target.Get("packages"))
		if err != nil {
			return nil, err
		}
		for i, p := range list {
			clean, ok := inside(strings.Trim(p, "/"))
			if !ok || clean == "" {
				return nil, unsupported("its package %q is not inside of the project", p)
			}
			list[i] = clean
		}
		slices.Sort(list)
		return list, nil
	}
	raw := regexp.MustCompile(`[^\w.]+`).ReplaceAllString(*h.core.name, "_")
	for _, candidate := range []string{raw, name} {
		switch {
		case h.tree.has(candidate + "/__init__.py"):
			return []string{candidate}, nil
		case h.tree.has("src/" + candidate + "/__init__.py"):
			return []string{"src/" + candidate}, nil
		case h.tree.has(candidate + ".py"):
			return []string{candidate + ".py"}, nil
		}
		for _, dir := range h.tree.folders("") {
			if h.tree.has(dir + "/" + candidate + "/__init__.py") {
				return nil, unsupported("its package is in a namespace")
			}
		}
	}
	return nil, unsupported("it does not say where its package is")
}

// explicit adds files, and folders with all that is in them.
func (h *hatch) explicit(w *Wheel, pairs [][2]string, rename func(string) string) error {
	for _, pair := range pairs {
		below := h.tree.below(pair[0])
		if h.tree.has(pair[0]) {
			below = []string{pair[0]}
		}
		if len(below) == 0 {
			return unsupported("%s is to be in the wheel, and is not there", pair[0])
		}
		for _, f := range below {
			rest := strings.TrimPrefix(strings.TrimPrefix(f, pair[0]), "/")
			if h.ignored(rest) {
				continue
			}
			file, err := h.tree.file(rename(path.Join(pair[1], rest)), f, h.tree.exec[f])
			if err != nil {
				return err
			}
			w.add(file)
		}
	}
	return nil
}

// shared adds the data that goes below the prefix. The rules for packages hold for it, too.
func (h *hatch) shared(w *Wheel, to string) error {
	pairs, err := h.inclusions("shared-data")
	if err != nil {
		return err
	}
	rules, err := h.rules(nil)
	if err != nil {
		return err
	}
	for _, pair := range pairs {
		for _, f := range h.tree.below(pair[0]) {
			rest := strings.TrimPrefix(strings.TrimPrefix(f, pair[0]), "/")
			if wanted, err := rules.include(path.Join(pair[1], rest)); err != nil || !wanted {
				return unsupported("its shared data %s may be ignored", f)
			}
		}
	}
	return h.explicit(w, pairs, func(name string) string { return path.Join(to, name) })
}

// rules say which files of packages are left out.
type rules struct {
	exclude, artifacts []ignore
	reserved           map[string]bool
}

func (h *hatch) rules(forced [][2]string) (*rules, error) {
	excluded, err := h.list("exclude")
	if err != nil {
		return nil, err
	}
	artifacts, err := h.list("artifacts")
	if err != nil {
		return nil, err
	}
	lines := append([]string{"*.py[cdo]", "/dist"}, excluded...)
	if h.tree.has(".gitignore") {
		content, err := h.tree.text(".gitignore")
		if err != nil {
			return nil, err
		}
		lines = append(lines, strings.Split(content, "\n")...)
	}
	r := &rules{reserved: map[string]bool{}}
	if r.exclude, err = ignores(lines); err != nil {
		return nil, err
	}
	if r.artifacts, err = ignores(artifacts); err != nil {
		return nil, err
	}
	for _, pair := range forced {
		r.reserved[pair[0]] = true
	}
	return r, nil
}

func (r *rules) include(f string) (bool, error) {
	artifact, err := ignoredBy(r.artifacts, f)
	if artifact || err != nil {
		return artifact, err
	}
	if r.reserved[f] {
		return false, nil
	}
	excluded, err := ignoredBy(r.exclude, f)
	return !excluded, err
}

// ignore is a line of a .gitignore (gitignore(5)).
type ignore struct {
	globs   *globs
	folder  bool // it matches folders only
	negated bool
}

func ignores(lines []string) ([]ignore, error) {
	var list []ignore
	for _, line := range lines {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if strings.ContainsRune(line, '\\') {
			return nil, unsupported("the pattern %q is not plain", line)
		}
		var i ignore
		if line, i.negated = strings.CutPrefix(line, "!"); line == "" {
			return nil, unsupported("a pattern of what to ignore is empty")
		}
		line, i.folder = strings.CutSuffix(line, "/")
		anchored := strings.Contains(line, "/")
		line = strings.TrimPrefix(line, "/")
		if !anchored {
			line = "**/" + line
		}
		var err error
		if i.globs, err = newGlob(line, true, true); err != nil {
			return nil, err
		}
		list = append(list, i)
	}
	return list, nil
}

// ignoredBy tells whether a file, or a folder above it, is matched. A negation that matches is left to git's own rules.
func ignoredBy(list []ignore, f string) (bool, error) {
	found := false
	for _, i := range list {
		matched := !i.folder && i.globs.match(f)
		for dir := parent(f); dir != "" && !matched; dir = parent(dir) {
			matched = i.globs.match(dir)
		}
		if matched && i.negated {
			return false, unsupported("%s is matched by a negated pattern", f)
		}
		found = found || matched
	}
	return found, nil
}

// info adds the .dist-info folder.
func (h *hatch) info(w *Wheel, version string) error {
	metadata, licenses, err := h.metadata()
	if err != nil {
		return err
	}
	add := func(name, content string) { w.add(File{Name: w.Info + "/" + name, Content: []byte(content)}) }
	add("METADATA", metadata)
	wheel := "Wheel-Version: 1.0\nGenerator: hatchling " + version + "\nRoot-Is-Purelib: true\n"
	for _, python := range h.pythons() {
		wheel += "Tag: " + python + "-none-any\n"
	}
	add("WHEEL", wheel)
	if entryPoints := h.entryPoints(); entryPoints != "" {
		add("entry_points.txt", entryPoints)
	}
	for _, name := range licenses {
		content, err := h.tree.read(name)
		if err != nil {
			return err
		}
		add("licenses/"+name, string(content))
	}
	return nil
}

// entryPoints is entry_points.txt: commands first, then the other groups, all sorted.
func (h *hatch) entryPoints() string {
	groups := map[string][]string{}
	for _, g := range h.core.entryPoints {
		lines := slices.Clone(g.lines)
		slices.Sort(lines)
		groups[g.name] = lines
	}
	var order []string
	for _, name := range []string{"console_scripts", "gui_scripts"} {
		if _, ok := groups[name]; ok {
			order = append(order, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	var b strings.Builder
	for _, name := range order {
		if len(groups[name]) > 0 {
			b.WriteString("\n[" + name + "]\n" + strings.Join(groups[name], "\n") + "\n")
		}
	}
	return strings.TrimLeft(b.String(), "\n")
}

// metadata is METADATA, and the licence files it names.
func (h *hatch) metadata() (content string, licenses []string, err error) {
	c, out := h.core, &headerWriter{}
	if h.spdx {
		out.field("Metadata-Version", "2.4")
	} else {
		out.field("Metadata-Version", "2.1")
	}
	out.field("Name", *c.name)
	out.field("Version", c.version)
	if c.description != nil && *c.description != "" {
		out.field("Summary", *c.description)
	}
	for _, pair := range c.urls {
		out.field("Project-URL", pair[0]+", "+pair[1])
	}
	out.optional("Author", c.authors.names())
	out.optional("Author-email", c.authors.emails())
	out.optional("Maintainer", c.maintainers.names())
	out.optional("Maintainer-email", c.maintainers.emails())
	if c.license != nil && *c.license != "" {
		if strings.ContainsAny(*c.license, "\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029") || c.licenseFile != "" {
			return "", nil, unsupported("its licence has odd characters, or is a file")
		}
		lines := strings.Split(strings.TrimSuffix(*c.license, "\n"), "\n")
		out.raw("License", strings.Join(lines, "\n        "))
	}
	if c.expression != nil {
		if !plainExpression(*c.expression) {
			return "", nil, unsupported("its licence expression %q is not a plain one", *c.expression)
		}
		out.field("License-Expression", *c.expression)
	}
	if licenses, err = h.licenses(); err != nil {
		return "", nil, err
	}
	out.list("License-File", licenses)
	if keywords := slices.Compact(slices.Sorted(slices.Values(c.keywords))); len(keywords) > 0 {
		out.field("Keywords", strings.Join(keywords, ","))
	}
	out.list("Classifier", sortedClassifiers(c.classifiers))
	if c.requiresPython != nil && *c.requiresPython != "" {
		specifiers, err := pymeta.ParseSpecifiers(*c.requiresPython)
		if err != nil {
			return "", nil, unsupported("it requires Python %q", *c.requiresPython)
		}
		out.field("Requires-Python", specifiers.String())
	}
	if err := h.requirements(out); err != nil {
		return "", nil, err
	}
	if out.err != nil {
		return "", nil, out.err
	}
	if c.readme != nil && *c.readme != "" {
		out.field("Description-Content-Type", *c.readmeType)
		out.b.WriteString("\n" + *c.readme)
	}
	return out.b.String(), licenses, out.err
}

// sortedClassifiers puts them in the order of the list of all, which is that of the alphabet, private ones first.
func sortedClassifiers(list []string) []string {
	list = slices.Compact(slices.Sorted(slices.Values(list)))
	private := func(c string) bool { return strings.HasPrefix(strings.ToLower(c), "private ::") }
	slices.SortStableFunc(list, func(a, b string) int {
		switch {
		case private(a) && !private(b):
			return -1
		case private(b) && !private(a):
			return 1
		}
		return 0
	})
	return list
}

func (h *hatch) licenses() ([]string, error) {
	patterns := []string{"LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*"}
	if given := h.core.licenseFiles; given != nil {
		if !h.spdx {
			return nil, unsupported("project.license-files is newer than the backend")
		}
		patterns = *given
	}
	var found []string
	for _, p := range patterns {
		files, err := h.tree.glob(p, false)
		if err != nil {
			return nil, err
		}
		found = append(found, files...)
	}
	slices.Sort(found)
	if len(slices.Compact(slices.Clone(found))) != len(found) {
		return nil, unsupported("a licence file is named twice")
	}
	return found, nil
}

func (h *hatch) requirements(out *headerWriter) error {
	requires, err := hatchRequirements(h.core.requires)
	if err != nil {
		return err
	}
	out.list("Requires-Dist", requires)
	extras := map[string][]string{}
	for _, e := range h.core.extras {
		name := pymeta.NormalizeName(e.name)
		if _, twice := extras[name]; twice {
			return unsupported("it has the extra %s twice", name)
		}
		if extras[name], err = hatchRequirements(e.requires); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(extras) {
		out.field("Provides-Extra", name)
		for _, r := range extras[name] {
			before, marker, conditional := strings.Cut(r, ";")
			switch {
			case conditional && h.spdx:
				out.field("Requires-Dist", fmt.Sprintf("%s; (%s) and extra == '%s'", before, strings.TrimSpace(marker), name))
			case conditional:
				out.field("Requires-Dist", fmt.Sprintf("%s and extra == '%s'", r, name))
			case strings.Contains(r, "@ "):
				out.field("Requires-Dist", fmt.Sprintf("%s ; extra == '%s'", r, name))
			default:
				out.field("Requires-Dist", fmt.Sprintf("%s; extra == '%s'", r, name))
			}
		}
	}
	return nil
}

// hatchRequirements writes requirements as hatchling does: each once, in the order of the alphabet.
func hatchRequirements(list []string) ([]string, error) {
	var out []string
	for _, written := range list {
		r, err := pymeta.ParseRequirement(written)
		if err != nil || r.URL != "" {
			return nil, unsupported("it requires %q", written)
		}
		r.Name = pymeta.NormalizeName(r.Name)
		for i, e := range r.Extras {
			r.Extras[i] = pymeta.NormalizeName(e)
		}
		s := r.String()
		if strings.Contains(s, "'") || strings.ToLower(r.Specifiers.String()) != r.Specifiers.String() {
			return nil, unsupported("it requires %q", written)
		}
		out = append(out, strings.ReplaceAll(s, `"`, "'"))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
