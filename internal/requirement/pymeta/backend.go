package pymeta

import (
	"regexp"
	"strings"
)

// backendVersion finds a dynamic version where hatchling, flit, pdm and poetry are told to find it.
func (r *reader) backendVersion(dynamic, doc *tomlNode) error {
	r.seen["version"] = true
	line := dynamic.line
	switch {
	case strings.HasPrefix(r.meta.Backend, "hatchling"):
		return r.hatchVersion(doc.get("tool", "hatch", "version"), line)
	case strings.HasPrefix(r.meta.Backend, "flit"):
		return r.flitVersion(doc.get("tool", "flit", "module", "name").str(), line)
	case strings.HasPrefix(r.meta.Backend, "pdm"):
		return r.pdmVersion(doc.get("tool", "pdm", "version"), line)
	case strings.HasPrefix(r.meta.Backend, "poetry"):
		if v := doc.get("tool", "poetry", "version"); v != nil && v.str() != "0.0.0" {
			r.meta.Version = tomlField(v)
			return nil
		}
	}
	r.meta.VersionDynamic = true
	return nil
}

// hatchPattern is where hatchling looks for a version unless told otherwise.
const hatchPattern = `(?im)^(?:__version__|VERSION)(?:: str)? *= *(?:'|")v?([^'"]+)(?:'|")`

func (r *reader) hatchVersion(table *tomlNode, line int) error {
	if table == nil || table.get("source").str() != "" && table.get("source").str() != "regex" {
		r.meta.VersionDynamic = true
		return nil
	}
	return r.versionFromPattern(table.get("path").str(), hatchPattern, table.get("pattern").str(), Field{File: pyprojectName, Line: line})
}

// compiled is a project's own pattern, nil when it is too long or not one of Go's.
func compiled(pattern string) *regexp.Regexp {
	if len(pattern) > 1000 {
		return nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil
	}
	return re
}

// versionFromPattern searches a file for a version. custom is a pattern of the project's own, with a group "version".
func (r *reader) versionFromPattern(name, pattern, custom string, at Field) error {
	clean, text, ok, err := r.versionFile(name, at)
	if err != nil || !ok {
		return err
	}
	if custom != "" {
		pattern = "(?m)" + custom
	}
	re := compiled(pattern)
	if re == nil {
		r.unread("version", at.File, at.Line, "version: the pattern %q is not understood", custom)
		return nil
	}
	group := max(re.SubexpIndex("version"), 1)
	m := re.FindStringSubmatchIndex(text)
	if m == nil || len(m) < 2*group+2 || m[2*group] < 0 {
		r.unread("version", at.File, at.Line, "version: %s has none", clean)
		return nil
	}
	line := 1 + strings.Count(text[:m[2*group]], "\n")
	r.meta.Version = Field{Text: text[m[2*group]:m[2*group+1]], File: clean, Line: line}
	return nil
}

func (r *reader) pdmVersion(table *tomlNode, line int) error {
	at := Field{File: pyprojectName, Line: line}
	switch table.get("source").str() {
	case "file":
		return r.versionFromPattern(table.get("path").str(), `(?m)^__version__\s*=\s*['"](.+?)['"]`, "", at)
	default:
		r.meta.VersionDynamic = true
		return nil
	}
}

// flitVersion reads __version__ out of the project's module.
func (r *reader) flitVersion(module string, line int) error {
	if module == "" {
		module = strings.ReplaceAll(r.meta.Name.Text, "-", "_")
	}
	return r.versionFromAttribute(module+".__version__", map[string]string{}, Field{File: pyprojectName, Line: line})
}

// flit reads the table that flit had before PEP 621.
func (r *reader) flit(table *tomlNode) error {
	if n := table.get("dist-name"); n != nil {
		r.meta.Name = tomlField(n)
	} else if n := table.get("module"); n != nil {
		r.meta.Name = tomlField(n)
	}
	if n := table.get("requires-python"); n != nil {
		r.meta.RequiresPython = tomlField(n)
	}
	r.declareAll(&r.meta.Requires, table.get("requires"), "tool.flit.metadata.requires", "")
	if extras := table.get("requires-extra"); extras != nil {
		for _, key := range extras.keys {
			name := NormalizeName(key)
			r.meta.Extras = append(r.meta.Extras, name)
			r.declareAll(&r.meta.Requires, extras.fields[key], "tool.flit.metadata.requires-extra."+key, name)
		}
	}
	return r.flitVersion(table.get("module").str(), table.line)
}

// dynamicRequirements handles requirements that a backend other than setuptools finds out.
func (r *reader) dynamicRequirements(field string, dynamic, doc *tomlNode) {
	r.seen[field] = true
	if poetry := doc.get("tool", "poetry"); poetry != nil && strings.HasPrefix(r.meta.Backend, "poetry.") {
		if field == "dependencies" {
			r.poetryRequirements(poetry)
		}
		return
	}
	r.unread(field, pyprojectName, dynamic.line, "project.%s is found out by %s when it builds, so it is not known", field, r.meta.Backend)
}
