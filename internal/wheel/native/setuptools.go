package native

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// setuptoolsBuild is a project being built as setuptools would.
type setuptoolsBuild struct {
	project Project
	tree    *tree
	env     Environment
	is      release // setuptools' version
	writer  writer
	dist    dist
	scm     bool // setuptools-scm is there and lists every file
}

// writer is whose bdist_wheel writes the wheel.
type writer struct {
	vendored  bool   // setuptools' own
	converts  bool   // METADATA is written anew with the requirements of requires.txt
	version   string // of wheel, which converts
	generator string
}

// setuptoolsKnown are the versions that the tests compare with.
func setuptoolsKnown(r release) bool {
	// Between 70.1 and 71, and 75.4 and 75.6, whose code converts requirements changed.
	return r.since(61, 0, 0) && !r.since(81, 0, 0) && (!r.since(70, 1, 0) || r.since(71, 0, 0)) && (!r.since(75, 4, 0) || r.since(75, 6, 0))
}

// wheelKnown tells whether the bdist_wheel of a version of wheel is known.
func wheelKnown(r release) bool { return r.since(0, 37, 0) && !r.since(0, 46, 0) }

func writeSetuptools(p Project, t *tree, env Environment) (*Wheel, error) {
	version := env.Dists["setuptools"]
	is, ok := parseRelease(version)
	if ok && !is.since(61, 0, 0) {
		if err := tooOldForProject(t, version); err != nil {
			return nil, err
		}
	}
	if !ok || !setuptoolsKnown(is) {
		return nil, unsupported("setuptools %s is not among the versions known here", version)
	}
	b := &setuptoolsBuild{project: p, tree: t, env: env, is: is}
	if err := b.plugins(); err != nil {
		return nil, err
	}
	if err := b.chooseWriter(version); err != nil {
		return nil, err
	}
	for d := range t.dirs {
		if strings.HasSuffix(d, ".egg-info") {
			return nil, unsupported("it has a folder %s", d)
		}
	}
	if err := b.configure(); err != nil {
		return nil, err
	}
	return b.write(version)
}

// tooOldForProject finds a project whose name only the table [project] gives, which an old setuptools passes over.
func tooOldForProject(t *tree, version string) error {
	if !t.has("pyproject.toml") || t.has("setup.py") || t.has("setup.cfg") {
		return nil
	}
	content, err := t.text("pyproject.toml")
	if err != nil {
		return err
	}
	if document, err := pymeta.ParseTOML(content); err != nil {
		return unsupported("pyproject.toml: %v", err)
	} else if !document.Has("project") {
		return nil
	}
	return &TooOldError{fmt.Sprintf("its name and version are in [project] of pyproject.toml, which setuptools %s of the build root does not read (61 is the first that does): "+
		"write them in setup.cfg as well, or take a build root with a newer setuptools", version)}
}

// plugins refuses what changes setuptools in ways that are not known.
func (b *setuptoolsBuild) plugins() error {
	for _, group := range slices.Sorted(maps.Keys(b.env.Plugins)) {
		for _, name := range b.env.Plugins[group] {
			switch {
			case name == "setuptools" || name == "wheel":
			case name == "setuptools-scm":
				b.scm = true
			case group == "setuptools.file_finders" || group == "setuptools.finalize_distribution_options" || group == "egg_info.writers":
				return unsupported("the build root's %s changes what setuptools does", name)
			}
		}
	}
	return nil
}

func (b *setuptoolsBuild) chooseWriter(version string) error {
	switch b.env.WheelCommand {
	case "setuptools":
		if !b.is.since(70, 1, 0) {
			break
		}
		b.writer = writer{vendored: true, version: cmp.Or(b.env.Dists["wheel"], "0.43.0"), generator: "setuptools (" + version + ")"}
		if !b.is.since(75, 6, 0) && !(b.is[0] == 75 && b.is[1] == 3 && b.is[2] >= 2) {
			b.writer.converts = true
			r, ok := parseRelease(b.writer.version)
			if !ok || !wheelKnown(r) {
				break
			}
		}
		return nil
	case "wheel":
		own := b.env.Dists["wheel"]
		if r, ok := parseRelease(own); ok && wheelKnown(r) && !b.is.since(70, 1, 0) {
			b.writer = writer{converts: true, version: own, generator: "bdist_wheel (" + own + ")"}
			return nil
		}
	}
	return unsupported("bdist_wheel of setuptools %s comes from %s %s", version, b.env.WheelCommand, b.env.Dists[b.env.WheelCommand])
}

// write makes the files of the wheel.
func (b *setuptoolsBuild) write(version string) (*Wheel, error) {
	d := &b.dist
	name, v := b.fileName(*d.name), strings.ReplaceAll(d.version, "-", "_")
	w := &Wheel{
		Filename: fmt.Sprintf("%s-%s-%s-none-any.whl", name, v, d.tag), Info: name + "-" + v + ".dist-info", Backend: "setuptools " + version,
	}
	data := name + "-" + v + ".data"
	for _, step := range []func() error{
		func() error { return b.modules(w) },
		func() error { return b.packageFiles(w) },
		func() error { return b.dataFiles(w, data+"/data") },
		func() error { return b.scripts(w, data+"/scripts") },
		func() error { return b.headers(w, data+"/headers") },
		func() error { return b.info(w) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// fileName is a project's name as it is in the names of files.
func (b *setuptoolsBuild) fileName(name string) string {
	name = b.safeName(name)
	if b.writer.vendored && (b.is.since(75, 8, 1) || b.is[0] == 75 && b.is[1] == 3 && b.is[2] >= 1) {
		name = strings.ToLower(separators.ReplaceAllString(name, "-"))
	}
	return strings.ReplaceAll(name, "-", "_")
}

var (
	unsafeName = regexp.MustCompile(`[^A-Za-z0-9.]+`)
	separators = regexp.MustCompile(`[-_.]+`)
)

// safeName is a project's name as METADATA has it.
func (b *setuptoolsBuild) safeName(name string) string {
	if b.is.since(69, 0, 0) {
		return oddName.ReplaceAllString(name, "-")
	}
	return safeName(name)
}

var oddName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// safeName is the same in older versions.
func safeName(name string) string { return unsafeName.ReplaceAllString(name, "-") }

// packageDir is where the modules of a package are: distutils' rule.
func (d *dist) dirOf(pkg string) string {
	if pkg == "" {
		return d.packageDir[""]
	}
	parts := strings.Split(pkg, ".")
	if len(d.packageDir) == 0 {
		return path.Join(parts...)
	}
	for n := len(parts); n > 0; n-- {
		if dir, ok := d.packageDir[strings.Join(parts[:n], ".")]; ok {
			return path.Join(append([]string{dir}, parts[n:]...)...)
		}
	}
	return path.Join(append([]string{d.packageDir[""]}, parts...)...)
}

// modules adds the modules that belong to no package.
func (b *setuptoolsBuild) modules(w *Wheel) error {
	for _, module := range b.dist.modules() {
		pkg, base := "", module
		if i := strings.LastIndexByte(module, '.'); i >= 0 {
			pkg, base = module[:i], module[i+1:]
		}
		from := path.Join(b.dist.dirOf(pkg), base+".py")
		if !b.tree.has(from) {
			return unsupported("its module %s has no file %s", module, from)
		}
		if pkg != "" && !slices.Contains(b.dist.packageNames(), pkg) {
			return unsupported("its module %s is in a package that is not listed", module)
		}
		f, err := b.tree.file(path.Join(strings.ReplaceAll(pkg, ".", "/"), base+".py"), from, false)
		if err != nil {
			return err
		}
		w.add(f)
	}
	return nil
}

// dataFiles adds what goes below the prefix.
func (b *setuptoolsBuild) dataFiles(w *Wheel, to string) error {
	for _, entry := range b.dist.dataFiles {
		for _, from := range entry.files {
			clean, ok := inside(from)
			if !ok || !b.tree.has(clean) {
				return unsupported("its data file %s is no file", from)
			}
			f, err := b.tree.file(path.Join(to, entry.dir, path.Base(clean)), clean, b.tree.exec[clean])
			if err != nil {
				return err
			}
			w.add(f)
		}
	}
	return nil
}

func (b *setuptoolsBuild) headers(w *Wheel, to string) error {
	for _, from := range b.dist.headers {
		clean, ok := inside(from)
		if !ok || !b.tree.has(clean) {
			return unsupported("its header %s is no file", from)
		}
		f, err := b.tree.file(path.Join(to, path.Base(clean)), clean, b.tree.exec[clean])
		if err != nil {
			return err
		}
		w.add(f)
	}
	return nil
}

var pythonScript = regexp.MustCompile(`^#!.*python[0-9.]*([ \t].*)?$`)

// scripts adds the scripts, those of Python with the first line that installers replace.
func (b *setuptoolsBuild) scripts(w *Wheel, to string) error {
	for _, from := range b.dist.scripts {
		clean, ok := inside(from)
		if !ok || !b.tree.has(clean) {
			return unsupported("its script %s is no file", from)
		}
		content, err := b.tree.read(clean)
		if err != nil {
			return err
		}
		first, rest, more := strings.Cut(string(content), "\n")
		if s, err := text(content); err != nil || s != string(content) || len(content) == 0 || strings.HasPrefix(s, "\ufeff") || oddEncoding(s) {
			return unsupported("its script %s is not plain UTF-8", from)
		}
		if m := pythonScript.FindStringSubmatch(first); m != nil && more {
			content = []byte("#!python" + m[1] + "\n" + rest)
		} else if m != nil {
			return unsupported("its script %s is one line", from)
		}
		w.add(File{Name: path.Join(to, path.Base(clean)), Exec: true, Content: content})
	}
	return nil
}

var codingLine = regexp.MustCompile(`^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)`)

// oddEncoding tells whether a Python source declares another encoding than UTF-8 (PEP 263).
func oddEncoding(source string) bool {
	for i, line := range strings.SplitN(source, "\n", 3) {
		if m := codingLine.FindStringSubmatch(line); i < 2 && m != nil {
			return !strings.EqualFold(strings.ReplaceAll(m[1], "_", "-"), "utf-8")
		}
	}
	return false
}
