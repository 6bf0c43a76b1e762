package native

import (
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// setupPy takes the arguments of setup() in a setup.py that only calls it, with literals.
func (b *setuptoolsBuild) setupPy() error {
	source, err := b.tree.text("setup.py")
	if err != nil {
		return err
	}
	if oddEncoding(source) {
		return unsupported("its setup.py is not UTF-8")
	}
	args, err := pymeta.SetupArguments(source)
	if err != nil {
		return unsupported("its setup.py: %v", err)
	}
	for _, name := range args.Keys {
		value := args.Get(name)
		if value == nil {
			continue
		}
		if err := b.setupArgument(name, value); err != nil {
			return err
		}
	}
	return nil
}

// ignoredArguments say nothing about the wheel.
var ignoredArguments = []string{"tests_require", "test_suite", "test_loader", "test_runner"}

// setupStrings are the arguments that are fields of METADATA, and PEP 643's names of them.
var setupStrings = map[string]string{
	"description": "summary", "long_description": "description", "long_description_content_type": "description-content-type",
	"url": "home-page", "download_url": "download-url", "author": "author", "author_email": "author-email",
	"maintainer": "maintainer", "maintainer_email": "maintainer-email", "license": "license",
}

// field is where a field of METADATA is kept.
func (d *dist) field(argument string) **string {
	return map[string]**string{
		"description": &d.description, "long_description": &d.long, "long_description_content_type": &d.longType,
		"url": &d.url, "download_url": &d.download, "author": &d.author, "author_email": &d.authorEmail,
		"maintainer": &d.maintainer, "maintainer_email": &d.maintainerEmail, "license": &d.license,
	}[argument]
}

func (b *setuptoolsBuild) setupArgument(name string, value any) (err error) {
	d := &b.dist
	if field, ok := setupStrings[name]; ok {
		d.mark(field)
		*d.field(name), err = asString(name, value)
		return err
	}
	switch name {
	case "name":
		d.name, err = asString(name, value)
	case "version":
		var s *string
		if s, err = asString(name, value); err == nil {
			d.version = *s
		}
	case "use_scm_version":
		return b.useSCM(value)
	case "project_urls":
		d.mark("project-url")
		d.projectURLs, err = asPairs(name, value)
	case "keywords", "platforms", "classifiers":
		return b.setupList(name, value)
	case "python_requires":
		d.mark("requires-python")
		d.requiresPython, err = asString(name, value)
	case "install_requires":
		d.mark("requires-dist")
		d.requires, err = stringOrList(name, value)
	case "setup_requires":
		var list []string
		if list, err = stringOrList(name, value); err == nil {
			p := Project{Requires: list}
			return p.met(b.env)
		}
	case "extras_require":
		return b.setupExtras(value)
	case "license_files":
		d.mark("license-file")
		var list []string
		if list, err = asStrings(name, value); err == nil {
			d.licenseFiles = &list
		}
	case "zip_safe":
		if flag, ok := value.(bool); ok {
			d.zipSafe = &flag
		} else {
			err = unsupported("its zip_safe is no truth value")
		}
	default:
		return b.setupFiles(name, value)
	}
	return err
}

func stringOrList(name string, value any) ([]string, error) {
	if s, ok := value.(string); ok {
		return strings.Split(s, "\n"), nil
	}
	return asStrings(name, value)
}

func (b *setuptoolsBuild) setupList(name string, value any) error {
	list := []string{}
	s, isString := value.(string)
	if isString && name == "classifiers" {
		return unsupported("its classifiers are no list")
	}
	if isString {
		for part := range strings.SplitSeq(s, ",") {
			list = append(list, strings.TrimSpace(part))
		}
	} else {
		var err error
		if list, err = asStrings(name, value); err != nil {
			return err
		}
	}
	b.dist.mark(map[string]string{"keywords": "keywords", "platforms": "platform", "classifiers": "classifier"}[name])
	switch name {
	case "keywords":
		b.dist.keywords = list
	case "platforms":
		b.dist.platforms = list
	default:
		b.dist.classifiers = list
	}
	return nil
}

func (b *setuptoolsBuild) setupExtras(value any) error {
	t, err := asTable("extras_require", value)
	if err != nil {
		return err
	}
	b.dist.mark("provides-extra")
	for _, key := range t.Keys {
		list, err := stringOrList("extras_require", t.Get(key))
		if err != nil {
			return err
		}
		b.dist.extras = append(b.dist.extras, extra{key, list})
	}
	return nil
}

// setupFiles takes the arguments that say which files the wheel has.
func (b *setuptoolsBuild) setupFiles(name string, value any) (err error) {
	d := &b.dist
	switch name {
	case "packages":
		d.packages, err = b.setupPackages(value)
	case "py_modules":
		var list []string
		list, err = asStrings(name, value)
		d.pyModules = &list
	case "package_dir":
		var pairs [][2]string
		if pairs, err = asPairs(name, value); err != nil {
			return err
		}
		return d.setPackageDir(pairs)
	case "package_data":
		d.packageData, err = asLists(name, value)
	case "exclude_package_data":
		d.excludeData, err = asLists(name, value)
	case "include_package_data":
		flag, ok := value.(bool)
		if !ok {
			return unsupported("its include_package_data is no truth value")
		}
		d.includeData = &flag
	case "data_files":
		return b.setupDataFiles(value)
	case "scripts":
		d.scripts, err = asStrings(name, value)
	case "headers":
		d.headers, err = asStrings(name, value)
	case "entry_points":
		return b.setupEntryPoints(value)
	default:
		if !slices.Contains(ignoredArguments, name) {
			return unsupported("its setup.py gives setup() %s", name)
		}
	}
	return err
}

func (d *dist) setPackageDir(pairs [][2]string) error {
	d.packageDir = map[string]string{}
	for _, pair := range pairs {
		clean, ok := inside(pair[1])
		if pair[1] == "" {
			clean, ok = "", true
		}
		if !ok {
			return unsupported("its folder of packages %q is not inside of the project", pair[1])
		}
		d.packageDir[pair[0]] = clean
	}
	return nil
}

func (b *setuptoolsBuild) setupPackages(value any) (*[]string, error) {
	call, ok := value.(pymeta.Call)
	if !ok {
		list, err := asStrings("packages", value)
		return &list, err
	}
	where, include, exclude := ".", []string{"*"}, []string(nil)
	names := []string{"where", "exclude", "include"}
	if len(call.Args) > len(names) {
		return nil, unsupported("its setup.py calls %s in an unusual way", call.Name)
	}
	args := &pymeta.Table{}
	for i, v := range call.Args {
		args.Set(names[i], v)
	}
	for _, key := range call.Keywords.Keys {
		args.Set(key, call.Keywords.Get(key))
	}
	var err error
	for _, key := range args.Keys {
		switch key {
		case "where":
			var s *string
			if s, err = asString(key, args.Get(key)); err == nil {
				where = *s
			}
		case "include":
			include, err = asStrings(key, args.Get(key))
		case "exclude":
			exclude, err = asStrings(key, args.Get(key))
		default:
			err = unsupported("its setup.py calls %s with %s", call.Name, key)
		}
		if err != nil {
			return nil, err
		}
	}
	found, err := b.findPackages(where, include, exclude, call.Name == "find_namespace_packages")
	return &found, err
}

func (b *setuptoolsBuild) setupDataFiles(value any) error {
	list, ok := value.([]any)
	if !ok {
		return unsupported("its data_files is no list")
	}
	for _, entry := range list {
		pair, ok := entry.([]any)
		if !ok || len(pair) != 2 {
			return unsupported("its data_files has something that is no pair")
		}
		dir, err := asString("data_files", pair[0])
		if err != nil {
			return err
		}
		files, err := asStrings("data_files", pair[1])
		if err != nil {
			return err
		}
		if err := b.addDataFiles(*dir, files); err != nil {
			return err
		}
	}
	return nil
}

func (b *setuptoolsBuild) addDataFiles(dir string, files []string) error {
	clean, ok := inside(dir)
	if dir == "" {
		clean, ok = "", true
	}
	if !ok || clean != strings.TrimSuffix(dir, "/") && dir != "." {
		return unsupported("its folder of data files %q is an unusual one", dir)
	}
	b.dist.dataFiles = append(b.dist.dataFiles, dataEntry{clean, files})
	return nil
}

func (b *setuptoolsBuild) setupEntryPoints(value any) error {
	if s, ok := value.(string); ok {
		return b.entryPointsText(s)
	}
	t, err := asTable("entry_points", value)
	if err != nil {
		return err
	}
	for _, group := range t.Keys {
		lines, err := stringOrList("entry_points", t.Get(group))
		if err != nil {
			return err
		}
		b.dist.entryPoints = append(b.dist.entryPoints, entryGroup{group, lines})
	}
	return nil
}

// entryPointsText reads entry points in the format of entry_points.txt.
func (b *setuptoolsBuild) entryPointsText(s string) error {
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[' && line[len(line)-1] == ']':
			b.dist.entryPoints = append(b.dist.entryPoints, entryGroup{name: line[1 : len(line)-1]})
		case len(b.dist.entryPoints) == 0:
			return unsupported("its entry points begin with no group")
		default:
			last := &b.dist.entryPoints[len(b.dist.entryPoints)-1]
			last.lines = append(last.lines, line)
		}
	}
	return nil
}

// writesFile are settings of setuptools-scm by which it writes a module, or decides what a version looks like.
var writesFile = []string{"write_to", "write_to_template", "version_file", "version_file_template", "normalize", "version_cls"}

// useSCM takes the version from tags, as use_scm_version asks.
func (b *setuptoolsBuild) useSCM(value any) error {
	switch v := value.(type) {
	case bool:
		if !v {
			return nil
		}
	case *pymeta.Table:
		for _, key := range v.Keys {
			if slices.Contains(writesFile, key) {
				return unsupported("setuptools-scm writes a file: %s", key)
			}
		}
	default:
		return unsupported("its use_scm_version is neither a truth value nor a dict")
	}
	return b.scmVersion()
}
