package pymeta

import (
	"errors"
	"strings"
)

const setupCfgName = "setup.cfg"

// setupCfg reads setup.cfg as setuptools' declarative configuration (setuptools user guide, "Configuring setuptools
// using setup.cfg files").
func (r *reader) setupCfg() error {
	text, ok, err := r.open(setupCfgName)
	if err != nil || !ok {
		return err
	}
	file, err := parseINI(text)
	var bad *iniError
	if errors.As(err, &bad) {
		r.report(setupCfgName, bad.line, "%s; the rest of the file is not read", bad.message)
	}
	metadata, options := file.section("metadata"), file.section("options")
	if v := metadata.get("name"); v != nil && r.once("name") {
		r.meta.Name = Field{Text: v.text(), File: setupCfgName, Line: v.line}
	}
	if err := r.cfgVersion(metadata, options); err != nil {
		return err
	}
	if v := options.get("python_requires"); v != nil && r.once("requires-python") {
		r.meta.RequiresPython = Field{Text: v.text(), File: setupCfgName, Line: v.line}
	}
	if v := options.get("install_requires"); v != nil && r.once("dependencies") {
		if err := r.cfgRequirements(&r.meta.Requires, v, "options.install_requires", "", ""); err != nil {
			return err
		}
	}
	if v := options.get("setup_requires"); v != nil && r.once("setup_requires") {
		if err := r.cfgRequirements(&r.meta.BuildRequires, v, "options.setup_requires", "", ""); err != nil {
			return err
		}
	}
	return r.cfgExtras(file.section("options.extras_require"))
}

// get returns a value by its key, which may be written with dashes.
func (s *iniSection) get(key string) *iniValue {
	if v := s.values[key]; v != nil {
		return v
	}
	return s.values[strings.ReplaceAll(key, "_", "-")]
}

// cfgRequirements reads a list of requirements: one a line, or separated by semicolons when on the key's own line.
func (r *reader) cfgRequirements(list *[]Declared, v *iniValue, section, extra, marker string) error {
	if names, ok := strings.CutPrefix(v.text(), "file:"); ok {
		for _, name := range strings.FieldsFunc(names, func(c rune) bool { return c == ',' || c == '\n' }) {
			from := Field{File: setupCfgName, Line: v.line}
			if err := r.requirementsFile(list, name, section, extra, from); err != nil {
				return err
			}
		}
		return nil
	}
	lines := v.lines
	if len(lines) == 1 {
		lines = nil
		for _, text := range strings.Split(v.lines[0].text, ";") {
			lines = append(lines, iniLine{text: text, line: v.line})
		}
	}
	for _, l := range lines {
		if strings.HasPrefix(strings.TrimSpace(l.text), "#") {
			continue
		}
		r.declare(list, Declared{Text: withMarker(l.text, marker), File: setupCfgName, Line: l.line, Section: section, Extra: extra})
	}
	return nil
}

func (r *reader) cfgExtras(section *iniSection) error {
	if len(section.keys) == 0 || !r.once("optional-dependencies") {
		return nil
	}
	for _, key := range section.keys {
		if err := r.extra(key, section.values[key]); err != nil {
			return err
		}
	}
	return nil
}

// extra reads one entry of extras_require, whose key may carry a marker: "test:python_version<'3.8'".
func (r *reader) extra(key string, v *iniValue) error {
	name, marker, _ := strings.Cut(key, ":")
	name = NormalizeName(strings.TrimSpace(name))
	if name != "" {
		r.meta.Extras = append(r.meta.Extras, name)
	}
	return r.cfgRequirements(&r.meta.Requires, v, "options.extras_require."+key, name, marker)
}

// cfgVersion reads metadata.version: a literal, "attr: module.name", or "file: path".
func (r *reader) cfgVersion(metadata, options *iniSection) error {
	v := metadata.get("version")
	if v == nil || !r.once("version") {
		return nil
	}
	at := Field{Text: v.text(), File: setupCfgName, Line: v.line}
	if attribute, ok := strings.CutPrefix(at.Text, "attr:"); ok {
		return r.versionFromAttribute(strings.TrimSpace(attribute), packageDirs(options), at)
	}
	if name, ok := strings.CutPrefix(at.Text, "file:"); ok {
		return r.versionFromFile(name, at)
	}
	r.meta.Version = at
	return nil
}

// packageDirs returns the mapping of options.package_dir, "" being the root.
func packageDirs(options *iniSection) map[string]string {
	dirs := map[string]string{}
	v := options.get("package_dir")
	if v == nil {
		return dirs
	}
	for _, l := range v.lines {
		for _, pair := range strings.Split(l.text, ",") {
			if key, dir, ok := strings.Cut(pair, "="); ok {
				dirs[strings.TrimSpace(key)] = strings.TrimSpace(dir)
			}
		}
	}
	return dirs
}

// versionFromFile reads a version that stands alone in a file.
func (r *reader) versionFromFile(name string, at Field) error {
	clean, text, ok, err := r.versionFile(name, at)
	if err != nil || !ok {
		return err
	}
	r.meta.Version = Field{Text: strings.TrimSpace(text), File: clean, Line: 1}
	return nil
}

// versionFile opens a file that shall hold the version; ok is false after saying that there is none.
func (r *reader) versionFile(name string, at Field) (clean, text string, ok bool, err error) {
	if clean, ok = inTree(name); !ok {
		r.report(at.File, at.Line, "version: %q is not a file inside the project", strings.TrimSpace(name))
		return "", "", false, nil
	}
	if text, ok, err = r.open(clean); err == nil && !ok {
		r.report(at.File, at.Line, "version: there is no file %s", clean)
	}
	return clean, text, ok, err
}

// versionFromAttribute reads "module.name = literal" out of the module's source.
func (r *reader) versionFromAttribute(attribute string, dirs map[string]string, at Field) error {
	i := strings.LastIndexByte(attribute, '.')
	module, name := "", attribute
	if i >= 0 {
		module, name = attribute[:i], attribute[i+1:]
	}
	for _, file := range moduleFiles(module, dirs) {
		text, ok, err := r.open(file)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		value, ok := evaluateModule(file, text).names[name]
		if ok && value.kind == pyString {
			r.meta.Version = Field{Text: value.text, File: file, Line: value.line}
			return nil
		}
		if ok && (value.kind == pyList) {
			r.meta.Version = Field{Text: joinVersion(value), File: file, Line: value.line}
			return nil
		}
		r.unread("version", at.File, at.Line, "version: %s does not say %s literally", file, name)
		return nil
	}
	r.report(at.File, at.Line, "version: there is no module %s", module)
	return nil
}

// joinVersion makes "1.2.3" of a tuple of parts.
func joinVersion(v pyValue) string {
	parts := make([]string, len(v.list))
	for i, part := range v.list {
		parts[i] = part.text
	}
	return strings.Join(parts, ".")
}

// moduleFiles are the places where a module's source may be.
func moduleFiles(module string, dirs map[string]string) []string {
	base := strings.ReplaceAll(module, ".", "/")
	top, _, _ := strings.Cut(module, ".")
	roots := []string{""}
	if dir, ok := dirs[top]; ok {
		base = strings.TrimPrefix(dir+strings.TrimPrefix(base, top), "/")
	} else if dir, ok := dirs[""]; ok {
		roots = []string{strings.Trim(dir, "/") + "/", ""}
	} else {
		roots = []string{"", "src/"}
	}
	var files []string
	for _, root := range roots {
		files = append(files, root+base+".py", root+base+"/__init__.py")
	}
	return files
}
