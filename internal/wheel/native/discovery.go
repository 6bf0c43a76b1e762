package native

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// identifier tells whether Python takes a word for one.
func identifier(s string) bool {
	for i, r := range s {
		if !(r == '_' || unicode.IsLetter(r) || i > 0 && unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

// finder lists packages as setuptools' PackageFinder and its children do.
type finder struct {
	tree             *tree
	include, exclude []*regexp.Regexp
	looksLikePackage func(dir, name string) bool
}

func patterns(list ...string) ([]*regexp.Regexp, error) {
	compiled := make([]*regexp.Regexp, len(list))
	for i, p := range list {
		var err error
		if compiled[i], err = fnmatch(p); err != nil {
			return nil, err
		}
	}
	return compiled, nil
}

func matchesAny(list []*regexp.Regexp, name string) bool {
	return slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}

func (f *finder) find(root string) []string {
	found := []string{}
	var walk func(dir, prefix string)
	walk = func(dir, prefix string) {
		for _, name := range f.tree.folders(dir) {
			full, pkg := path.Join(dir, name), prefix+name
			if strings.ContainsRune(name, '.') || !f.looksLikePackage(full, pkg) {
				continue
			}
			if matchesAny(f.include, pkg) && !matchesAny(f.exclude, pkg) {
				found = append(found, pkg)
			}
			walk(full, pkg+".")
		}
	}
	walk(root, "")
	return found
}

// alwaysExcluded are names that never are packages.
var alwaysExcluded = []string{"ez_setup", "*__pycache__"}

// findPackages is find_packages(), or find_namespace_packages().
func (b *setuptoolsBuild) findPackages(where string, include, exclude []string, namespaces bool) ([]string, error) {
	root, ok := inside(where)
	if !ok || !b.tree.dirs[root] {
		return nil, unsupported("it looks for packages in %q, which is no folder of it", where)
	}
	f := finder{tree: b.tree, looksLikePackage: func(dir, _ string) bool { return namespaces || b.tree.has(dir+"/__init__.py") }}
	var err error
	if f.include, err = patterns(include...); err != nil {
		return nil, err
	}
	if f.exclude, err = patterns(append(slices.Clone(alwaysExcluded), exclude...)...); err != nil {
		return nil, err
	}
	return f.find(root), nil
}

// Names at the top of a project that automatic discovery does not take for packages or modules.
var (
	notPackages = strings.Fields(`ci bin doc docs documentation manpages news changelog test tests unit_test unit_tests example
		examples scripts tools util utils python build dist venv env requirements tasks fabfile site_scons benchmark benchmarks
		exercise exercises [._]*`)
	notModules = strings.Fields(`setup conftest test tests example examples build toxfile noxfile pavement dodo tasks fabfile
		[Ss][Cc]onstruct conanfile manage benchmark benchmarks exercise exercises htmlcov [._]*`)
)

// discover finds packages and modules where nothing says which there are: setuptools' automatic discovery.
func (b *setuptoolsBuild) discover() error {
	d := &b.dist
	if d.packages != nil || d.pyModules != nil {
		return nil
	}
	var named []string
	for pkg := range d.packageDir {
		if pkg != "" {
			named = append(named, pkg)
		}
	}
	if len(named) > 0 {
		return unsupported("its packages have folders of their own, and are to be found there")
	}
	source := "src"
	if dir, ok := d.packageDir[""]; ok {
		source = dir
	}
	if source == "" {
		return unsupported("its folder of packages is the project itself")
	}
	if b.tree.dirs[source] {
		return b.discoverSource(source)
	}
	return b.discoverFlat()
}

func (b *setuptoolsBuild) discoverSource(source string) error {
	d := &b.dist
	if strings.ContainsRune(source, '/') {
		return unsupported("its folder of packages is %s", source)
	}
	if d.packageDir == nil {
		d.packageDir = map[string]string{}
	}
	d.packageDir[""] = source
	found, err := b.findPackages(source, []string{"*"}, nil, true)
	if err != nil {
		return err
	}
	modules := b.topModules(source, nil)
	d.packages, d.pyModules = &found, &modules
	return nil
}

// topModules lists the modules directly in a folder.
func (b *setuptoolsBuild) topModules(dir string, excluded []*regexp.Regexp) []string {
	found := []string{}
	for _, f := range b.tree.files {
		name, ok := strings.CutSuffix(path.Base(f), ".py")
		if ok && parent(f) == dir && identifier(name) && !matchesAny(excluded, name) {
			found = append(found, name)
		}
	}
	return found
}

func (b *setuptoolsBuild) discoverFlat() error {
	reserved := slices.Clone(notPackages)
	if b.is.since(67, 5, 1) {
		reserved = append(reserved, "htmlcov")
	}
	if b.is.since(68, 1, 0) {
		reserved = append(reserved, "debian", "newsfragments")
	}
	var names []string
	for _, p := range reserved {
		names = append(names, p, p+".*")
	}
	exclude, err := patterns(append(names, alwaysExcluded...)...)
	if err != nil {
		return err
	}
	all, err := patterns("*")
	if err != nil {
		return err
	}
	f := finder{tree: b.tree, include: all, exclude: exclude, looksLikePackage: func(_, pkg string) bool {
		parts := strings.Split(pkg, ".")
		for _, p := range parts[1:] {
			if !identifier(p) {
				return false
			}
		}
		return identifier(parts[0]) || strings.HasSuffix(parts[0], "-stubs")
	}}
	d := &b.dist
	found := f.find("")
	tops := map[string]bool{}
	for _, pkg := range found {
		top, _, _ := strings.Cut(pkg, ".")
		if !strings.HasSuffix(top, "-stubs") {
			tops[top] = true
		}
	}
	d.packages = &found
	switch {
	case len(tops) > 1:
		return unsupported("it has several packages, and does not say which are meant")
	case len(tops) == 1:
		return nil
	}
	if exclude, err = patterns(notModules...); err != nil {
		return err
	}
	modules := b.topModules("", exclude)
	if len(modules) > 1 {
		return unsupported("it has several modules, and does not say which are meant")
	}
	d.pyModules = &modules
	return nil
}
