package native

import (
	"path"
	"regexp"
	"strings"
)

// manifestData lists the files that are data of packages because the source distribution would have them, by package:
// those that MANIFEST.in names, those that the configuration reads, and with setuptools-scm all.
func (b *setuptoolsBuild) manifestData() (map[string][]string, error) {
	listed, err := b.manifest()
	if err != nil {
		return nil, err
	}
	packages := map[string]string{} // by folder; the last of a folder counts
	for _, pkg := range b.dist.packageNames() {
		packages[b.dist.dirOf(pkg)] = pkg
	}
	found := map[string][]string{}
	for _, f := range b.tree.files {
		if !listed[f] {
			continue
		}
		dir := parent(f)
		direct := true
		for dir != "" && packages[dir] == "" {
			dir, direct = parent(dir), false
		}
		pkg, ok := packages[dir]
		if !ok {
			continue
		}
		if name, isModule := strings.CutSuffix(path.Base(f), ".py"); direct && isModule && identifier(name) {
			continue
		}
		found[pkg] = append(found[pkg], f)
	}
	return found, nil
}

// manifest is the set of files that the source distribution would have, as far as they can be in a package.
func (b *setuptoolsBuild) manifest() (map[string]bool, error) {
	m := manifest{tree: b.tree, files: map[string]bool{}}
	for _, list := range [][]string{b.dist.scripts, *b.dist.licenseFiles, b.dist.referenced} {
		for _, f := range list {
			m.add(path.Clean(f))
		}
	}
	for _, entry := range b.dist.dataFiles {
		for _, f := range entry.files {
			m.add(path.Clean(f))
		}
	}
	for _, pkg := range b.dist.packageNames() {
		if err := b.listPackage(&m, pkg); err != nil {
			return nil, err
		}
	}
	if b.scm {
		for _, f := range b.tree.files {
			m.files[f] = true
		}
	}
	if b.tree.has("MANIFEST") {
		return nil, unsupported("it has a file MANIFEST")
	}
	if b.tree.has("MANIFEST.in") {
		content, err := b.tree.text("MANIFEST.in")
		if err != nil {
			return nil, err
		}
		if err := m.template(content); err != nil {
			return nil, err
		}
		// These come after the template.
		for _, list := range [][]string{*b.dist.licenseFiles, b.dist.referenced} {
			for _, f := range list {
				m.add(path.Clean(f))
			}
		}
	}
	return m.files, m.prune(*b.dist.name, b.dist.version)
}

// listPackage adds a package's modules and the data that patterns find.
func (b *setuptoolsBuild) listPackage(m *manifest, pkg string) error {
	var w Wheel
	dir := b.dist.dirOf(pkg)
	if err := b.packageModules(&w, pkg, dir); err != nil {
		return err
	}
	if err := b.data(&w, pkg, dir, nil); err != nil {
		return err
	}
	for _, f := range w.Files {
		m.add(path.Join(dir, strings.TrimPrefix(f.Name, strings.ReplaceAll(pkg, ".", "/")+"/")))
	}
	return nil
}

// manifest is a list of files that a template changes.
type manifest struct {
	tree  *tree
	files map[string]bool
}

func (m *manifest) add(name string) {
	if m.tree.has(name) {
		m.files[name] = true
	}
}

// template runs the lines of a MANIFEST.in.
func (m *manifest) template(content string) error {
	content = strings.ReplaceAll(content, "\\\n", " ")
	for line := range strings.SplitSeq(content, "\n") {
		if at := strings.IndexByte(line, '#'); at > 0 && line[at-1] == '\\' {
			return unsupported("its MANIFEST.in has an escaped #")
		} else if at >= 0 {
			line = line[:at]
		}
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if err := m.line(words); err != nil {
			return err
		}
	}
	return nil
}

func (m *manifest) line(words []string) error {
	for _, w := range words[1:] {
		if strings.HasSuffix(w, "/") || strings.HasPrefix(w, "/") || strings.Contains(w, "..") || strings.Contains(w, "//") || strings.Contains(w, "\\") {
			return unsupported("its MANIFEST.in has a pattern %q", w)
		}
	}
	action, args := words[0], make([]string, len(words)-1)
	for i, w := range words[1:] {
		args[i] = path.Clean(w)
	}
	switch {
	case len(args) == 0:
	case action == "include" || action == "exclude" || action == "global-include" || action == "global-exclude":
		for _, pattern := range args {
			if strings.HasPrefix(action, "global-") {
				pattern = "**/" + pattern
			}
			if err := m.apply(strings.HasSuffix(action, "include"), pattern, action != "include"); err != nil {
				return err
			}
		}
		return nil
	case (action == "recursive-include" || action == "recursive-exclude") && len(args) > 1:
		for _, pattern := range args[1:] {
			if err := m.apply(action == "recursive-include", path.Join(args[0], "**", pattern), true); err != nil {
				return err
			}
		}
		return nil
	case (action == "graft" || action == "prune") && len(args) == 1:
		if args[0] == "." {
			return m.apply(action == "graft", "**", true)
		}
		return m.apply(action == "graft", path.Join(args[0], "**"), true)
	}
	return unsupported("its MANIFEST.in has a line that begins with %q", words[0])
}

// apply adds the files that match a pattern, or takes them away.
func (m *manifest) apply(include bool, pattern string, recursive bool) error {
	g, err := newGlob(pattern, recursive, true)
	if err != nil {
		return err
	}
	for _, f := range m.tree.files {
		if include && g.match(f) {
			m.files[f] = true
		} else if g.match(f) {
			delete(m.files, f)
		}
	}
	return nil
}

var versionControl = regexp.MustCompile(`(^|/)(RCS|CVS|\.svn)/`)

// prune takes away what never is in a source distribution.
func (m *manifest) prune(name, version string) error {
	for f := range m.files {
		top, _, _ := strings.Cut(f, "/")
		full := strings.ToLower(separators.ReplaceAllString(name, "-"))
		if top != f && strings.HasPrefix(strings.ToLower(separators.ReplaceAllString(top, "-")), full+"-") && strings.HasSuffix(top, version) {
			return unsupported("it has a folder %s", top)
		}
		if top == "build" && top != f || versionControl.MatchString(f) {
			delete(m.files, f)
		}
	}
	return nil
}
