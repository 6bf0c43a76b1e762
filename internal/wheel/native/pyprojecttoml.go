package native

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// pyproject reads the tables of pyproject.toml that are setuptools' matter.
func (b *setuptoolsBuild) pyproject() error {
	content, err := b.tree.text("pyproject.toml")
	if err != nil {
		return err
	}
	document, err := pymeta.ParseTOML(content)
	if err != nil {
		return unsupported("pyproject.toml: %v", err)
	}
	tool, _ := document.Get("tool").(*pymeta.Table)
	if tool.Has("distutils") {
		return unsupported("pyproject.toml has tool.distutils")
	}
	table, _ := tool.Get("setuptools").(*pymeta.Table)
	if scm, ok := tool.Get("setuptools_scm").(*pymeta.Table); ok {
		for _, key := range scm.Keys {
			if slices.Contains(writesFile, key) {
				return unsupported("setuptools-scm writes a file: %s", key)
			}
		}
		if b.dist.version != "" {
			return unsupported("its version is written down and comes from tags, too")
		}
		if err := b.scmVersion(); err != nil {
			return err
		}
	}
	project, _ := document.Get("project").(*pymeta.Table)
	if project == nil && (table == nil || len(table.Keys) == 0) {
		return nil
	}
	if project != nil && (b.tree.has("setup.py") && b.dist.says() || b.tree.has("setup.cfg") && b.dist.says()) {
		return unsupported("its metadata is in pyproject.toml and elsewhere, too")
	}
	if b.dist.includeData == nil {
		yes := true
		b.dist.includeData = &yes
	}
	if err := b.toolTable(table); err != nil {
		return err
	}
	if project == nil {
		return nil
	}
	if err := b.discover(); err != nil { // an attribute can only be found in packages that are
		return err
	}
	return b.projectTable(project, table)
}

// says tells whether anything but a version from tags was read so far.
func (d *dist) says() bool {
	return d.name != nil || d.packages != nil || d.pyModules != nil || len(d.requires)+len(d.extras)+len(d.entryPoints)+len(d.dataFiles)+len(d.scripts) > 0 ||
		d.description != nil || d.long != nil || d.author != nil || d.license != nil || d.url != nil || d.requiresPython != nil || len(d.classifiers) > 0
}

// toolTable reads [tool.setuptools].
func (b *setuptoolsBuild) toolTable(t *pymeta.Table) (err error) {
	d := &b.dist
	if t == nil {
		return nil
	}
	for _, key := range t.Keys {
		value := t.Get(key)
		switch key {
		case "platforms":
			d.platforms, err = asStrings(key, value)
		case "zip-safe", "include-package-data":
			flag, ok := value.(bool)
			switch {
			case !ok:
				return unsupported("tool.setuptools.%s is no truth value", key)
			case key == "zip-safe":
				d.zipSafe = &flag
			default:
				d.includeData = &flag
			}
		case "packages":
			err = b.toolPackages(value, t)
		case "py-modules":
			var list []string
			list, err = asStrings(key, value)
			d.pyModules = &list
		case "package-dir":
			var pairs [][2]string
			if pairs, err = asPairs(key, value); err == nil {
				err = d.setPackageDir(pairs)
			}
		case "package-data":
			d.packageData, err = asLists(key, value)
			d.packageData = wildcard(d.packageData)
		case "exclude-package-data":
			d.excludeData, err = asLists(key, value)
			d.excludeData = wildcard(d.excludeData)
		case "data-files":
			var lists map[string][]string
			if lists, err = asLists(key, value); err != nil {
				return err
			}
			for _, dir := range value.(*pymeta.Table).Keys {
				if err := b.globbedDataFiles(dir, lists[dir]); err != nil {
					return err
				}
			}
		case "script-files":
			d.scripts, err = asStrings(key, value)
		case "license-files":
			var list []string
			list, err = asStrings(key, value)
			d.licenseFiles = &list
		case "dynamic":
		default:
			return unsupported("pyproject.toml has tool.setuptools.%s", key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// toolPackages reads tool.setuptools.packages, a list or a table that says where to find them.
func (b *setuptoolsBuild) toolPackages(value any, t *pymeta.Table) error {
	table, ok := value.(*pymeta.Table)
	if !ok {
		list, err := asStrings("packages", value)
		for _, pkg := range list {
			if !dotted.MatchString(pkg) {
				return unsupported("tool.setuptools.packages has %q", pkg)
			}
		}
		b.dist.packages = &list
		return err
	}
	find, ok := table.Get("find").(*pymeta.Table)
	if !ok || len(table.Keys) != 1 {
		return unsupported("tool.setuptools.packages is of an unusual kind")
	}
	if err := onlyKeys("tool.setuptools.packages.find", find, "where", "include", "exclude", "namespaces"); err != nil {
		return err
	}
	where, include, exclude, namespaces := []string{"."}, []string{"*"}, []string(nil), true
	var err error
	if find.Has("where") {
		where, err = asStrings("where", find.Get("where"))
	}
	if find.Has("include") && err == nil {
		include, err = asStrings("include", find.Get("include"))
	}
	if find.Has("exclude") && err == nil {
		exclude, err = asStrings("exclude", find.Get("exclude"))
	}
	if find.Has("namespaces") && err == nil {
		if namespaces, ok = find.Get("namespaces").(bool); !ok {
			err = unsupported("tool.setuptools.packages.find.namespaces is no truth value")
		}
	}
	switch {
	case err != nil:
		return err
	case len(where) != 1:
		return unsupported("tool.setuptools.packages.find looks in several folders")
	}
	found, err := b.findPackages(where[0], include, exclude, namespaces)
	if err != nil {
		return err
	}
	b.dist.packages = &found
	if clean, _ := inside(where[0]); clean != "" {
		if t.Has("package-dir") {
			return unsupported("tool.setuptools has package-dir and looks for packages in a folder")
		}
		b.dist.packageDir = map[string]string{"": clean}
	}
	return nil
}

// projectTable reads [project] (PEP 621).
func (b *setuptoolsBuild) projectTable(p, tool *pymeta.Table) error {
	d := &b.dist
	var dynamic []string
	if p.Has("dynamic") {
		var err error
		if dynamic, err = asStrings("project.dynamic", p.Get("dynamic")); err != nil {
			return err
		}
	}
	c, err := readProject(b.tree, p, b.is.since(77, 0, 0))
	if err != nil {
		return err
	}
	if d.version == "" {
		d.version = c.version
	} else if c.version != "" {
		return unsupported("its version is written down and comes from tags, too")
	}
	d.name, d.description, d.long, d.longType = c.name, c.description, c.readme, c.readmeType
	d.license, d.expression, d.requiresPython = c.license, c.expression, c.requiresPython
	d.author, d.authorEmail, d.maintainer, d.maintainerEmail = c.authors.names(), c.authors.emails(), c.maintainers.names(), c.maintainers.emails()
	d.keywords, d.classifiers, d.projectURLs, d.requires, d.extras = c.keywords, c.classifiers, c.urls, c.requires, c.extras
	d.entryPoints = c.entryPoints
	d.referenced = append(d.referenced, c.files...)
	if c.licenseFiles != nil {
		if d.licenseFiles != nil {
			return unsupported("its licence files are named twice")
		}
		d.licenseFiles = c.licenseFiles
	}
	settings, _ := tool.Get("dynamic").(*pymeta.Table)
	for _, field := range dynamic {
		if err := b.dynamicField(field, settings); err != nil {
			return err
		}
	}
	for _, key := range keysOf(settings) {
		if !slices.Contains(dynamic, key) && !(key == "entry-points" && slices.Contains(dynamic, "scripts")) {
			return unsupported("tool.setuptools.dynamic.%s is not dynamic", key)
		}
	}
	return nil
}

func keysOf(t *pymeta.Table) []string {
	if t == nil {
		return nil
	}
	return t.Keys
}

// dynamicField reads one of the fields that [project] leaves to setuptools.
func (b *setuptoolsBuild) dynamicField(field string, settings *pymeta.Table) error {
	d := &b.dist
	if field == "version" && !settings.Has("version") && d.version != "" {
		return nil // setuptools-scm's
	}
	setting, ok := settings.Get(field).(*pymeta.Table)
	if !ok {
		return unsupported("its %s is dynamic, and tool.setuptools.dynamic says nothing plain of it", field)
	}
	if field == "optional-dependencies" {
		return unsupported("its optional dependencies are dynamic")
	}
	if err := onlyKeys("tool.setuptools.dynamic."+field, setting, "file", "attr", "content-type"); err != nil {
		return err
	}
	if setting.Has("attr") {
		name, err := asString("attr", setting.Get("attr"))
		if err != nil || field != "version" || len(setting.Keys) != 1 {
			return unsupported("its %s comes from an attribute", field)
		}
		d.version, err = b.attribute(*name)
		return err
	}
	files, err := stringOrList("file", setting.Get("file"))
	if err != nil {
		return err
	}
	s, err := b.readFiles(files)
	if err != nil {
		return err
	}
	switch field {
	case "version":
		d.version = strings.TrimSpace(s)
	case "description":
		d.description = &s
	case "readme":
		kind := "text/x-rst"
		if setting.Has("content-type") {
			t, err := asString("content-type", setting.Get("content-type"))
			if err != nil {
				return err
			}
			kind = *t
		}
		d.long, d.longType = &s, &kind
	case "dependencies":
		d.requires = requirementLines(s)
		if !b.is.since(66, 1, 0) {
			return unsupported("its dependencies are dynamic, which setuptools %d has yet to learn", b.is[0])
		}
	case "classifiers":
		d.classifiers = strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	default:
		return unsupported("its %s is dynamic", field)
	}
	return nil
}

// requirementLines reads a file of requirements.
func requirementLines(s string) []string {
	var list []string
	for line := range strings.SplitSeq(s, "\n") {
		if t := strings.TrimSpace(line); t != "" && t[0] != '#' {
			list = append(list, line)
		}
	}
	return list
}

// contact is an author or maintainer.
type contact struct{ name, email *string }

type contacts []contact

// names are those of contacts without an address.
func (c contacts) names() *string {
	var list []string
	for _, p := range c {
		if p.email == nil && p.name != nil {
			list = append(list, *p.name)
		}
	}
	return joined(list)
}

// emails are the addresses, with the names before them.
func (c contacts) emails() *string {
	var list []string
	for _, p := range c {
		if p.email != nil {
			list = append(list, p.address())
		}
	}
	return joined(list)
}

// address is what Python's email.headerregistry.Address prints.
func (c contact) address() string {
	if c.name == nil || *c.name == "" {
		return *c.email
	}
	name := *c.name
	if strings.ContainsAny(name, `()<>@,:;.\"[]`) {
		name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	return name + " <" + *c.email + ">"
}

func joined(list []string) *string {
	if len(list) == 0 {
		return nil
	}
	s := strings.Join(list, ", ")
	return &s
}

// plainEmail is an address that needs no quoting.
var plainEmail = regexp.MustCompile(`^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$`)

func readContacts(field string, value any) (contacts, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, unsupported("project.%s is no list", field)
	}
	var found contacts
	for _, entry := range list {
		t, err := asTable("project."+field, entry)
		if err != nil {
			return nil, err
		}
		if err := onlyKeys("project."+field, t, "name", "email"); err != nil {
			return nil, err
		}
		var c contact
		if t.Has("name") {
			if c.name, err = asString("name", t.Get("name")); err != nil {
				return nil, err
			}
			if strings.ContainsAny(*c.name, "\n\r\t") || *c.name != strings.TrimSpace(*c.name) || *c.name == "" {
				return nil, unsupported("project.%s has a name of an unusual kind", field)
			}
		}
		if t.Has("email") {
			if c.email, err = asString("email", t.Get("email")); err != nil {
				return nil, err
			}
			if !plainEmail.MatchString(*c.email) {
				return nil, unsupported("project.%s has an address of an unusual kind", field)
			}
		}
		if c.name == nil && c.email == nil {
			return nil, unsupported("project.%s has an empty entry", field)
		}
		found = append(found, c)
	}
	return found, nil
}

var (
	dotted = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$`) // ASCII alone
	webURL = regexp.MustCompile(`^https?://[\w.-]+[!-~]*$`)
)

// contentTypes are the kinds of a readme, by the end of its name.
var contentTypes = map[string]string{".md": "text/markdown", ".rst": "text/x-rst", ".txt": "text/plain"}

// coreMetadata is [project] as read, for all backends.
type coreMetadata struct {
	name, description, readme, readmeType, license, expression, requiresPython *string
	version                                                                    string
	authors, maintainers                                                       contacts
	keywords, classifiers, requires                                            []string
	urls                                                                       [][2]string
	extras                                                                     []extra
	entryPoints                                                                []entryGroup // scripts and gui-scripts come last, as in setuptools
	licenseFiles                                                               *[]string
	files                                                                      []string // that were read
	licenseFile                                                                string   // of license = {file = …}
}

// readProject reads [project]; spdx says that a licence may be an expression (PEP 639).
func readProject(t *tree, p *pymeta.Table, spdx bool) (*coreMetadata, error) {
	c := &coreMetadata{}
	for _, key := range p.Keys {
		if err := c.field(t, key, p.Get(key), spdx); err != nil {
			return nil, err
		}
	}
	for _, kind := range [][2]string{{"scripts", "console_scripts"}, {"gui-scripts", "gui_scripts"}} {
		if !p.Has(kind[0]) {
			continue
		}
		if slices.ContainsFunc(c.entryPoints, func(g entryGroup) bool { return g.name == kind[1] }) {
			return nil, unsupported("its commands are in project.entry-points, too")
		}
		pairs, err := asPairs("project."+kind[0], p.Get(kind[0]))
		if err != nil {
			return nil, err
		}
		c.addEntryPoints(kind[1], pairs)
	}
	return c, nil
}

func (c *coreMetadata) addEntryPoints(group string, pairs [][2]string) {
	g := entryGroup{name: group}
	for _, pair := range pairs {
		g.lines = append(g.lines, pair[0]+" = "+pair[1])
	}
	c.entryPoints = append(c.entryPoints, g)
}

func (c *coreMetadata) field(t *tree, key string, value any, spdx bool) (err error) {
	switch key {
	case "name":
		c.name, err = asString(key, value)
	case "version":
		var s *string
		if s, err = asString(key, value); err == nil {
			c.version = *s
		}
	case "description":
		c.description, err = asString(key, value)
	case "requires-python":
		c.requiresPython, err = asString(key, value)
	case "readme":
		return c.readReadme(t, value)
	case "license":
		return c.readLicense(t, value, spdx)
	case "license-files":
		if !spdx {
			return unsupported("project.license-files is newer than the backend")
		}
		var list []string
		list, err = asStrings(key, value)
		c.licenseFiles = &list
	case "authors":
		c.authors, err = readContacts(key, value)
	case "maintainers":
		c.maintainers, err = readContacts(key, value)
	case "keywords":
		c.keywords, err = asStrings(key, value)
	case "classifiers":
		c.classifiers, err = asStrings(key, value)
		for _, one := range c.classifiers {
			if !strings.Contains(one, " :: ") {
				return unsupported("it has a classifier %q", one)
			}
		}
	case "urls":
		c.urls, err = asPairs(key, value)
		for _, pair := range c.urls {
			if !webURL.MatchString(pair[1]) {
				return unsupported("it has an address %q", pair[1])
			}
		}
	case "dependencies":
		c.requires, err = asStrings(key, value)
	case "optional-dependencies":
		var table *pymeta.Table
		if table, err = asTable(key, value); err != nil {
			return err
		}
		for _, name := range table.Keys {
			list, err := asStrings(key+"."+name, table.Get(name))
			if err != nil {
				return err
			}
			c.extras = append(c.extras, extra{name, list})
		}
	case "entry-points":
		var table *pymeta.Table
		if table, err = asTable(key, value); err != nil {
			return err
		}
		for _, group := range table.Keys {
			pairs, err := asPairs(key+"."+group, table.Get(group))
			if err != nil {
				return err
			}
			c.addEntryPoints(group, pairs)
		}
	case "scripts", "gui-scripts", "dynamic":
	default:
		return unsupported("project.%s is not known here", key)
	}
	return err
}

func (c *coreMetadata) readReadme(t *tree, value any) error {
	var file, content, kind *string
	var err error
	switch v := value.(type) {
	case string:
		file = &v
		known, ok := contentTypes[strings.ToLower(path.Ext(v))]
		if !ok {
			return unsupported("its readme %s is of no known kind", v)
		}
		kind = &known
	case *pymeta.Table:
		if err := onlyKeys("project.readme", v, "file", "text", "content-type"); err != nil {
			return err
		}
		if v.Has("file") == v.Has("text") || !v.Has("content-type") {
			return unsupported("project.readme is of an unusual kind")
		}
		if kind, err = asString("content-type", v.Get("content-type")); err != nil {
			return err
		}
		if v.Has("file") {
			file, err = asString("readme.file", v.Get("file"))
		} else {
			content, err = asString("readme.text", v.Get("text"))
		}
	default:
		return unsupported("project.readme is of an unusual kind")
	}
	if err != nil {
		return err
	}
	if file != nil {
		clean, ok := inside(*file)
		if !ok {
			return unsupported("its readme is not inside of the project")
		}
		s, err := t.text(clean)
		if err != nil {
			return err
		}
		content = &s
		c.files = append(c.files, clean)
	}
	c.readme, c.readmeType = content, kind
	return nil
}

func (c *coreMetadata) readLicense(t *tree, value any, spdx bool) error {
	switch v := value.(type) {
	case string:
		if !spdx {
			return unsupported("project.license is a string, which the backend is too old for")
		}
		c.expression = &v
		return nil
	case *pymeta.Table:
		if err := onlyKeys("project.license", v, "file", "text"); err != nil || len(v.Keys) != 1 {
			return unsupported("project.license is of an unusual kind")
		}
		s, err := asString("license", v.Get(v.Keys[0]))
		if err != nil {
			return err
		}
		if v.Has("file") {
			clean, ok := inside(*s)
			if !ok {
				return unsupported("its licence is not inside of the project")
			}
			content, err := t.text(clean)
			if err != nil {
				return err
			}
			c.files, c.licenseFile = append(c.files, clean), clean
			s = &content
		}
		c.license = s
		return nil
	}
	return unsupported("project.license is of an unusual kind")
}
