package native

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// info adds the .dist-info folder.
func (b *setuptoolsBuild) info(w *Wheel) error {
	metadata, err := b.metadata()
	if err != nil {
		return err
	}
	entryPoints, err := b.entryPoints()
	if err != nil {
		return err
	}
	add := func(name, content string) { w.add(File{Name: w.Info + "/" + name, Content: []byte(content)}) }
	add("METADATA", metadata)
	add("top_level.txt", strings.Join(b.topLevel(), "\n")+"\n")
	add("WHEEL", wheelFile(b.writer.generator, strings.Split(b.dist.tag, ".")...))
	if entryPoints != "" {
		add("entry_points.txt", entryPoints)
	}
	if flag := b.dist.zipSafe; flag != nil && *flag {
		add("zip-safe", "\n")
	}
	for _, name := range *b.dist.licenseFiles {
		as := path.Base(name)
		if b.writer.vendored && b.is.since(77, 0, 0) {
			as = "licenses/" + name
		}
		f, err := b.tree.file(w.Info+"/"+as, name, b.tree.exec[name])
		if err != nil {
			return err
		}
		w.add(f)
	}
	return nil
}

// wheelFile is WHEEL of a wheel of pure Python for these interpreters.
func wheelFile(generator string, pythons ...string) string {
	s := "Wheel-Version: 1.0\nGenerator: " + generator + "\nRoot-Is-Purelib: true\n"
	for _, p := range pythons {
		s += "Tag: " + p + "-none-any\n"
	}
	return s + "\n"
}

// topLevel lists the names that can be imported.
func (b *setuptoolsBuild) topLevel() []string {
	var names []string
	for _, name := range append(slices.Clone(b.dist.packageNames()), b.dist.modules()...) {
		top, _, _ := strings.Cut(name, ".")
		names = append(names, top)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var (
	entryValue = regexp.MustCompile(`^[\w.]+\s*(:\s*[\w.]+\s*)?(\[[\w., -]*\]\s*)?$`)
	entryLine  = regexp.MustCompile(`^([^=]+)=(.*)$`)
)

// entryPoints is entry_points.txt: sorted groups of sorted lines; "" where there are none.
func (b *setuptoolsBuild) entryPoints() (string, error) {
	type point struct{ name, value string }
	groups := map[string][]point{}
	for _, g := range b.dist.entryPoints {
		for _, line := range g.lines {
			for line := range strings.SplitSeq(line, "\n") {
				if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
					continue
				}
				m := entryLine.FindStringSubmatch(line)
				if m == nil {
					return "", unsupported("it has an entry point %q", line)
				}
				p := point{strings.TrimSpace(m[1]), strings.TrimSpace(m[2])}
				if p.name == "" || !entryValue.MatchString(p.value) || strings.ContainsAny(p.name, "[]#") {
					return "", unsupported("it has an entry point %q", line)
				}
				if slices.ContainsFunc(groups[g.name], func(have point) bool { return have.name == p.name }) {
					return "", unsupported("it has two entry points %s in %s", p.name, g.name)
				}
				groups[g.name] = append(groups[g.name], p)
			}
		}
	}
	var parts []string
	for _, group := range sortedKeys(groups) {
		points := groups[group]
		slices.SortFunc(points, func(a, b point) int { return strings.Compare(a.name, b.name) })
		s := "[" + group + "]\n"
		for _, p := range points {
			s += p.name + " = " + p.value + "\n"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "\n"), nil
}

// headerWriter writes the fields of METADATA.
type headerWriter struct {
	b   strings.Builder
	err error
}

// field writes one field on one line; what would need more is unsupported.
func (h *headerWriter) field(name, value string) {
	if strings.ContainsAny(value, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029") || strings.HasPrefix(value, " ") || strings.HasPrefix(value, "\t") {
		h.err = unsupported("its %s is of several lines", name)
	}
	h.raw(name, value)
}

func (h *headerWriter) raw(name, value string) { h.b.WriteString(name + ": " + value + "\n") }

func (h *headerWriter) optional(name string, value *string) {
	if value != nil {
		h.field(name, *value)
	}
}

func (h *headerWriter) list(name string, values []string) {
	for _, v := range values {
		h.field(name, v)
	}
}

// escaped indents the lines of a text after the first.
func escaped(s string) (string, bool) {
	if strings.ContainsAny(s, "\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029") {
		return "", false
	}
	return strings.ReplaceAll(s, "\n", "\n        "), true
}

// metadata is METADATA.
func (b *setuptoolsBuild) metadata() (string, error) {
	d, h := &b.dist, &headerWriter{}
	h.field("Metadata-Version", b.metadataVersion())
	h.field("Name", b.safeName(*d.name))
	h.field("Version", d.version)
	if d.description != nil && *d.description != "" {
		first, _, _ := strings.Cut(strings.TrimSpace(*d.description), "\n")
		if !strings.Contains(*d.description, "\n") {
			first = *d.description
		}
		h.field("Summary", first)
	}
	h.optional("Home-page", d.url)
	h.optional("Download-URL", d.download)
	h.optional("Author", d.author)
	h.optional("Author-email", d.authorEmail)
	h.optional("Maintainer", d.maintainer)
	h.optional("Maintainer-email", d.maintainerEmail)
	if d.expression != nil && *d.expression != "" {
		h.field("License-Expression", *d.expression)
	} else if d.license != nil && *d.license != "" {
		s, ok := escaped(*d.license)
		if !ok || strings.HasPrefix(s, " ") {
			return "", unsupported("its licence has odd characters")
		}
		h.raw("License", s)
	}
	for _, pair := range d.projectURLs {
		h.field("Project-URL", pair[0]+", "+pair[1])
	}
	if keywords := strings.Join(d.keywords, ","); keywords != "" {
		h.field("Keywords", keywords)
	}
	h.list("Platform", d.platforms)
	h.list("Classifier", d.classifiers)
	if err := b.requiresPython(h); err != nil {
		return "", err
	}
	if d.longType != nil && *d.longType != "" {
		h.field("Description-Content-Type", *d.longType)
	}
	h.list("License-File", *d.licenseFiles)
	if err := b.requirements(h); err != nil {
		return "", err
	}
	b.dynamicFields(h)
	if h.err != nil {
		return "", h.err
	}
	return b.withDescription(h.b.String())
}

func (b *setuptoolsBuild) withDescription(head string) (string, error) {
	long := b.dist.long
	if long == nil || *long == "" {
		if b.writer.converts { // the end of an email's header
			head += "\n"
		}
		return head, nil
	}
	s := *long
	if strings.Contains(s, "\r") {
		return "", unsupported("its description has odd ends of lines")
	}
	if !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return head + "\n" + s, nil
}

func (b *setuptoolsBuild) metadataVersion() string {
	switch {
	case b.is.since(77, 0, 0):
		return "2.4"
	case b.pep643():
		return "2.2"
	}
	return "2.1"
}

// pep643 tells whether METADATA says which fields are dynamic.
func (b *setuptoolsBuild) pep643() bool {
	return b.is.since(75, 8, 0) || b.is[0] == 75 && b.is[1] == 3 && b.is[2] >= 2
}

func (b *setuptoolsBuild) requiresPython(h *headerWriter) error {
	d := &b.dist
	if d.requiresPython == nil {
		return nil
	}
	specifiers, err := pymeta.ParseSpecifiers(*d.requiresPython)
	if err != nil {
		return unsupported("it requires Python %q", *d.requiresPython)
	}
	switch {
	case d.dynamic["requires-python"]: // setup.py's are written as they are
		h.field("Requires-Python", *d.requiresPython)
	case len(specifiers) > 0:
		h.field("Requires-Python", specifiers.String())
	default:
		return unsupported("it requires no version of Python in particular")
	}
	return nil
}

// dynamicFields are in the order in which setuptools knows them.
var dynamicFields = strings.Fields(`author author-email classifier description description-content-type download-url home-page
	keywords license license-file license-expression maintainer maintainer-email obsoletes platform project-url provides
	provides-extra requires requires-dist requires-python summary`)

// dynamicFields names the fields that did not come from a file of configuration (PEP 643).
func (b *setuptoolsBuild) dynamicFields(h *headerWriter) {
	if !b.pep643() {
		return
	}
	d := &b.dist
	given := map[string]bool{}
	for argument, field := range setupStrings {
		value := *d.field(argument)
		given[field] = value != nil && *value != ""
	}
	given["classifier"], given["keywords"], given["platform"] = len(d.classifiers) > 0, len(d.keywords) > 0, len(d.platforms) > 0
	given["project-url"], given["requires-python"] = len(d.projectURLs) > 0, d.requiresPython != nil
	given["requires-dist"], given["provides-extra"] = len(d.requires) > 0, len(d.extras) > 0
	given["license-file"] = len(*d.licenseFiles) > 0
	if d.dynamic["license-file"] && !b.is.since(77, 0, 0) {
		h.err = unsupported("its setup.py names licence files")
	}
	for _, field := range dynamicFields {
		if given[field] && (d.dynamic[field] || field == "license-file" && b.is.since(77, 0, 0)) {
			h.field("Dynamic", field)
		}
	}
}

// parseRequirements reads requirements as setuptools does: comments and blank lines are none.
func parseRequirements(list []string) ([]pymeta.Requirement, error) {
	var found []pymeta.Requirement
	for _, entry := range list {
		for line := range strings.SplitSeq(entry, "\n") {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			line, _, _ = strings.Cut(line, " #")
			if strings.HasSuffix(line, `\`) {
				return nil, unsupported("it has a requirement that goes on on the next line")
			}
			r, err := pymeta.ParseRequirement(line)
			if err != nil {
				return nil, unsupported("it requires %q", line)
			}
			found = append(found, r)
		}
	}
	return found, nil
}

func (b *setuptoolsBuild) requirements(h *headerWriter) error {
	if b.writer.converts {
		return b.convertedRequirements(h)
	}
	requires, err := parseRequirements(b.dist.requires)
	if err != nil {
		return err
	}
	for _, r := range requires {
		h.field("Requires-Dist", r.String())
	}
	seen := map[string]string{}
	for _, e := range b.dist.extras {
		name, condition, _ := strings.Cut(e.name, ":")
		name, condition = strings.TrimSpace(name), strings.TrimSpace(condition)
		safe := strings.ToLower(strings.Trim(nonAlphanumeric.ReplaceAllString(name, "-"), "-"))
		if safe != "" {
			if _, twice := seen[safe]; twice {
				return unsupported("it has the extra %s twice", safe)
			}
			seen[safe] = name
			h.field("Provides-Extra", safe)
		}
		list, err := parseRequirements(e.requires)
		if err != nil {
			return err
		}
		for _, r := range list {
			if err := include(&r, safe, condition); err != nil {
				return err
			}
			h.field("Requires-Dist", r.String())
		}
	}
	return nil
}

var nonAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]+`)

// include adds to a requirement that it belongs to an extra.
func include(r *pymeta.Requirement, extra, condition string) error {
	var parts []string
	if r.Marker != nil {
		parts = append(parts, "("+r.Marker.String()+")")
	}
	if condition != "" {
		parts = append(parts, "("+condition+")")
	}
	if extra != "" {
		parts = append(parts, "extra == '"+extra+"'")
	}
	if len(parts) == 0 {
		return unsupported("it has an extra without a name")
	}
	m, err := pymeta.ParseMarker(strings.Join(parts, " and "))
	if err != nil {
		return unsupported("it has a requirement with the condition %q", condition)
	}
	r.Marker = m
	return nil
}

// convertedRequirements writes requirements as the wheel project's bdist_wheel converts them from requires.txt.
func (b *setuptoolsBuild) convertedRequirements(h *headerWriter) error {
	sections, order, err := b.requiresTxt()
	if err != nil {
		return err
	}
	slices.Sort(order)
	order = slices.Compact(order)
	seen := map[string]bool{}
	write := func(field, value string) {
		if !seen[field+value] {
			seen[field+value] = true
			h.field(field, value)
		}
	}
	for _, name := range append([]string{""}, slices.DeleteFunc(order, func(s string) bool { return s == "" })...) {
		extra, condition, _ := strings.Cut(name, ":")
		extra = strings.ToLower(unsafeExtra.ReplaceAllString(extra, "_"))
		if extra != "" {
			write("Provides-Extra", extra)
			if condition != "" {
				condition = "(" + condition + ") and "
			}
			condition += "extra == '" + extra + "'"
		}
		if condition != "" {
			condition = " ; " + condition
		}
		for _, r := range sections[name] {
			write("Requires-Dist", b.converted(r)+condition)
		}
	}
	return nil
}

var unsafeExtra = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// requiresTxt sorts requirements by section: the extra, and after a colon the marker.
func (b *setuptoolsBuild) requiresTxt() (sections map[string][]pymeta.Requirement, order []string, err error) {
	sections = map[string][]pymeta.Requirement{}
	add := func(section string, r pymeta.Requirement) {
		if r.Marker != nil {
			section += ":" + r.Marker.String()
			r.Marker = nil
		}
		order = append(order, section)
		if !slices.ContainsFunc(sections[section], func(have pymeta.Requirement) bool { return have.String() == r.String() }) {
			sections[section] = append(sections[section], r)
		}
	}
	for _, e := range b.dist.extras {
		if strings.Contains(e.name, ":") && !strings.HasPrefix(e.name, ":") {
			if _, err := pymeta.ParseMarker(e.name[strings.IndexByte(e.name, ':')+1:]); err != nil {
				return nil, nil, unsupported("it has an extra %q", e.name)
			}
		}
		if strings.ContainsAny(e.name, "[]\n") || strings.TrimSpace(e.name) != e.name {
			return nil, nil, unsupported("it has an extra %q", e.name)
		}
		order = append(order, e.name)
		list, err := parseRequirements(e.requires)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range list {
			add(e.name, r)
		}
	}
	list, err := parseRequirements(b.dist.requires)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range list {
		add("", r)
	}
	if b.env.Sorts {
		for _, section := range sections {
			slices.SortStableFunc(section, func(a, b pymeta.Requirement) int { return strings.Compare(a.String(), b.String()) })
		}
	}
	return sections, order, nil
}

// converted writes a requirement as wheel's metadata module does.
func (b *setuptoolsBuild) converted(r pymeta.Requirement) string {
	var extras []string
	for _, e := range r.Extras {
		extras = append(extras, strings.ToLower(unsafeExtra.ReplaceAllString(e, "_")))
	}
	slices.Sort(extras)
	s := safeName(r.Name)
	if len(extras) > 0 {
		s += "[" + strings.Join(slices.Compact(extras), ",") + "]"
	}
	if r.URL != "" {
		return s + " @ " + r.URL
	}
	var specifiers []string
	for _, one := range r.Specifiers {
		specifiers = append(specifiers, one.String())
	}
	slices.Sort(specifiers)
	switch is, _ := parseRelease(b.writer.version); {
	case len(specifiers) == 0:
		return s
	case is.since(0, 41, 1):
		return s + " " + strings.Join(specifiers, ",")
	}
	return fmt.Sprintf("%s (%s)", s, strings.Join(specifiers, ","))
}
