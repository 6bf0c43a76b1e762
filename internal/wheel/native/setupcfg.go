package native

import (
	"slices"
	"strings"
)

// commandSections are sections of setup.cfg that change how a wheel is made.
var commandSections = []string{
	"global", "build", "build_py", "build_clib", "build_ext", "build_scripts", "install", "install_lib", "install_data",
	"install_scripts", "install_headers", "install_egg_info", "egg_info", "dist_info", "bdist", "bdist_wheel", "bdist_egg", "wheel", "sdist",
	"files", "pbr", "backwards_compat", "easy_install", "develop", "editable_wheel",
}

// setupCfg reads setup.cfg.
func (b *setuptoolsBuild) setupCfg() error {
	content, err := b.tree.text("setup.cfg")
	if err != nil {
		return err
	}
	file, err := parseINI("setup.cfg", content)
	if err != nil {
		return err
	}
	for i := range file.sections {
		if err := b.commandSection(&file.sections[i]); err != nil {
			return err
		}
	}
	o := options{b, file}
	if err := o.options(); err != nil {
		return err
	}
	for _, s := range file.sections {
		sub, ok := strings.CutPrefix(s.name, "options.")
		switch {
		case !ok:
			if strings.HasPrefix(s.name, "metadata.") || strings.HasPrefix(s.name, "options") && s.name != "options" {
				return unsupported("its setup.cfg has a section %s", s.name)
			}
		default:
			if err := o.subsection(sub, s); err != nil {
				return err
			}
		}
	}
	return o.metadata()
}

// commandSection takes a section that is about a command of setuptools.
func (b *setuptoolsBuild) commandSection(s *section) error {
	if !slices.Contains(commandSections, s.name) {
		return nil
	}
	for _, key := range s.keys {
		value := strings.ToLower(s.values[key])
		switch {
		case s.name == "sdist" || s.name == "develop":
		case (s.name == "bdist_wheel" || s.name == "wheel") && key == "universal" && slices.Contains([]string{"1", "true", "yes"}, value):
			b.dist.tag = "py2.py3"
		case (s.name == "bdist_wheel" || s.name == "wheel") && key == "universal" && slices.Contains([]string{"0", "false", "no"}, value):
		case s.name == "egg_info" && (strings.ReplaceAll(key, "-", "_") == "tag_build" && value == "" || strings.ReplaceAll(key, "-", "_") == "tag_date" && value == "0"):
		default:
			return unsupported("its setup.cfg has %s in [%s]", key, s.name)
		}
	}
	return nil
}

// options reads the sections that are setuptools' own.
type options struct {
	*setuptoolsBuild
	file *ini
}

func splitList(value, separator string) []string {
	if strings.Contains(value, "\n") {
		separator = "\n"
	}
	list := []string{}
	for part := range strings.SplitSeq(value, separator) {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

func splitPairs(value string) ([][2]string, error) {
	var pairs [][2]string
	for _, line := range splitList(value, ",") {
		key, v, ok := strings.Cut(line, "=")
		if !ok {
			return nil, unsupported("its setup.cfg has %q where key = value is expected", line)
		}
		pairs = append(pairs, [2]string{strings.TrimSpace(key), strings.TrimSpace(v)})
	}
	return pairs, nil
}

func truth(value string) bool {
	return slices.Contains([]string{"1", "true", "yes"}, strings.ToLower(value))
}

// plainKey refuses spellings of keys that versions treat differently.
func plainKey(s *section) error {
	for _, key := range s.keys {
		if strings.ContainsRune(key, '-') || strings.ToLower(key) != key {
			return unsupported("its setup.cfg has a key %s", key)
		}
	}
	return nil
}

// options reads [options].
func (o options) options() error {
	s := o.file.section("options")
	if s == nil {
		return nil
	}
	if err := plainKey(s); err != nil {
		return err
	}
	for _, key := range s.keys {
		if err := o.option(key, s.values[key]); err != nil {
			return err
		}
	}
	return nil
}

func (o options) option(key, value string) (err error) {
	d := &o.dist
	list := splitList(value, ",")
	switch key {
	case "zip_safe":
		if d.zipSafe == nil || !*d.zipSafe {
			flag := truth(value)
			d.zipSafe = &flag
		}
	case "include_package_data":
		if d.includeData == nil || !*d.includeData {
			flag := truth(value)
			d.includeData = &flag
		}
	case "package_dir":
		if len(d.packageDir) > 0 {
			return nil
		}
		pairs, err := splitPairs(value)
		if err != nil {
			return err
		}
		return d.setPackageDir(pairs)
	case "scripts":
		if len(d.scripts) == 0 {
			d.scripts = list
		}
	case "py_modules":
		if len(d.modules()) == 0 {
			d.pyModules = &list
		}
	case "packages":
		if len(d.packageNames()) == 0 {
			return o.packages(value)
		}
	case "python_requires":
		if d.requiresPython == nil || *d.requiresPython == "" {
			d.requiresPython = &value
		}
	case "install_requires":
		if len(d.requires) == 0 {
			d.requires, err = o.requirements(value)
		}
	case "setup_requires":
		p := Project{Requires: splitList(value, ";")}
		return p.met(o.env)
	case "entry_points":
		if len(d.entryPoints) > 0 {
			return unsupported("its entry points are written in two places")
		}
		return o.entryPoints(value)
	case "tests_require", "test_suite":
	default:
		return unsupported("its setup.cfg has %s in [options]", key)
	}
	return err
}

func (o options) entryPoints(value string) error {
	names, ok := strings.CutPrefix(value, "file:")
	if !ok {
		return o.entryPointsText(value)
	}
	s, err := o.readFiles(strings.Split(names, ","))
	if err != nil {
		return err
	}
	return o.entryPointsText(s)
}

// requirements reads a list of requirements, or the files that it names.
func (o options) requirements(value string) ([]string, error) {
	if names, ok := strings.CutPrefix(value, "file:"); ok {
		if !o.is.since(62, 6, 0) {
			return nil, unsupported("setuptools %d reads no requirements from files", o.is[0])
		}
		s, err := o.readFiles(strings.Split(names, ","))
		if err != nil {
			return nil, err
		}
		value = s
	}
	var list []string
	for _, line := range splitList(value, ";") {
		if line[0] != '#' {
			list = append(list, line)
		}
	}
	return list, nil
}

// packages reads a list of packages, or finds them.
func (o options) packages(value string) error {
	directive := strings.TrimSpace(value)
	if directive != "find:" && directive != "find_namespace:" {
		list := splitList(value, ",")
		o.dist.packages = &list
		return nil
	}
	where, include, exclude := ".", []string{"*"}, []string(nil)
	if s := o.file.section("options.packages.find"); s != nil {
		for _, key := range s.keys {
			list := splitList(s.values[key], ",")
			switch {
			case len(list) == 0:
			case key == "where":
				where = list[0]
			case key == "include":
				include = list
			case key == "exclude":
				exclude = list
			default:
				return unsupported("its setup.cfg has %s in [options.packages.find]", key)
			}
		}
	}
	found, err := o.findPackages(where, include, exclude, directive == "find_namespace:")
	if err != nil {
		return err
	}
	o.dist.packages = &found
	if clean, _ := inside(where); clean != "" && len(o.dist.packageDir) == 0 {
		s := o.file.section("options")
		if _, given := s.values["package_dir"]; !given {
			o.dist.packageDir = map[string]string{"": clean}
		}
	}
	return nil
}

// subsection reads [options.NAME].
func (o options) subsection(name string, s section) error {
	d := &o.dist
	lists := map[string][]string{}
	for _, key := range s.keys {
		lists[key] = splitList(s.values[key], ",")
	}
	switch name {
	case "packages.find":
		return nil
	case "package_data":
		if len(d.packageData) == 0 {
			d.packageData = wildcard(lists)
		}
	case "exclude_package_data":
		if len(d.excludeData) == 0 {
			d.excludeData = wildcard(lists)
		}
	case "extras_require":
		if len(d.extras) > 0 {
			return nil
		}
		for _, key := range s.keys {
			list, err := o.requirements(s.values[key])
			if err != nil {
				return err
			}
			d.extras = append(d.extras, extra{key, list})
		}
	case "entry_points":
		if len(d.entryPoints) > 0 {
			return unsupported("its entry points are written in two places")
		}
		for _, key := range s.keys {
			d.entryPoints = append(d.entryPoints, entryGroup{key, lists[key]})
		}
	case "data_files":
		if len(d.dataFiles) > 0 {
			return nil
		}
		for _, key := range s.keys {
			if err := o.globbedDataFiles(key, lists[key]); err != nil {
				return err
			}
		}
	default:
		return unsupported("its setup.cfg has a section options.%s", name)
	}
	return nil
}

// globbedDataFiles adds data files of which some may be patterns.
func (b *setuptoolsBuild) globbedDataFiles(dir string, patterns []string) error {
	var files []string
	for _, p := range patterns {
		if !strings.ContainsAny(p, "*?[]{}") {
			files = append(files, p)
			continue
		}
		if b.tree.globsFolder(p) {
			return unsupported("its pattern of data files %q matches a folder", p)
		}
		found, err := b.tree.glob(p, true)
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	return b.addDataFiles(dir, files)
}

// metadata reads [metadata].
func (o options) metadata() error {
	s := o.file.section("metadata")
	if s == nil {
		return nil
	}
	if err := plainKey(s); err != nil {
		return err
	}
	for _, key := range s.keys {
		if err := o.metadatum(key, s.values[key]); err != nil {
			return err
		}
	}
	return nil
}

// aliases are other names of fields.
var aliases = map[string]string{"home_page": "url", "summary": "description", "classifier": "classifiers", "platform": "platforms"}

func (o options) metadatum(key, value string) error {
	d := &o.dist
	if name, ok := aliases[key]; ok {
		key = name
	}
	if field := d.field(key); field != nil {
		if *field != nil && **field != "" {
			return nil
		}
		return o.stringField(key, value, field)
	}
	list := splitList(value, ",")
	take := func(into *[]string) {
		if len(*into) == 0 {
			*into = list
		}
	}
	switch key {
	case "name":
		if d.name == nil || *d.name == "" {
			d.name = &value
		}
	case "version":
		if d.version == "" {
			return o.version(value)
		}
	case "keywords":
		take(&d.keywords)
	case "platforms":
		take(&d.platforms)
	case "classifiers":
		if strings.HasPrefix(value, "file:") {
			s, err := o.readFiles(strings.Split(value[len("file:"):], ","))
			if err != nil {
				return err
			}
			list = splitList(s, ",")
		}
		take(&d.classifiers)
	case "license_files":
		if d.licenseFiles == nil || len(*d.licenseFiles) == 0 {
			d.licenseFiles = &list
		}
	case "project_urls":
		if len(d.projectURLs) > 0 {
			return nil
		}
		pairs, err := splitPairs(value)
		d.projectURLs = pairs
		return err
	default:
		return unsupported("its setup.cfg has %s in [metadata]", key)
	}
	return nil
}

func (o options) stringField(key, value string, field **string) error {
	names, isFile := strings.CutPrefix(value, "file:")
	if isFile {
		if key != "description" && key != "long_description" {
			return unsupported("its setup.cfg reads %s from a file", key)
		}
		s, err := o.readFiles(strings.Split(names, ","))
		if err != nil {
			return err
		}
		value = s
	}
	if key == "download_url" { // the one field that is not taken for static
		o.dist.mark("download-url")
	}
	*field = &value
	return nil
}

// version reads a version: as it is, or from a file or a module.
func (o options) version(value string) (err error) {
	if names, ok := strings.CutPrefix(value, "file:"); ok {
		s, err := o.readFiles(strings.Split(names, ","))
		o.dist.version = strings.TrimSpace(s)
		return err
	}
	if name, ok := strings.CutPrefix(value, "attr:"); ok {
		o.dist.version, err = o.attribute(name)
		return err
	}
	o.dist.version = value
	return nil
}
