package specfile

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/specfile/macro"
)

// tag says what a preamble tag is.
type tag int

const (
	ignored     tag = iota // nothing that matters here
	text                   // kept as a macro
	dependency             // a list of dependencies
	qualifiable            // such a list, with (post) and the like allowed
	special
)

// tags are the preamble tags of rpm, in lower case.
var tags = map[string]tag{
	"name": special, "version": special, "release": special, "epoch": special, "buildarch": special,
	"buildarchitectures": special, "source": special, "patch": special,
	"summary": text, "license": text, "url": text, "group": text, "packager": text, "vendor": text,
	"distribution": text, "disturl": text, "vcs": text, "bugurl": text, "disttag": text, "buildroot": ignored,
	"requires": qualifiable, "prereq": dependency, "recommends": dependency, "suggests": dependency,
	"supplements": dependency, "enhances": dependency, "provides": dependency, "conflicts": dependency,
	"obsoletes": dependency, "orderwithrequires": qualifiable, "buildrequires": dependency,
	"buildprereq": dependency, "buildconflicts": dependency,
	"exclusivearch": ignored, "excludearch": ignored, "exclusiveos": ignored, "excludeos": ignored,
	"icon": ignored, "nosource": ignored, "nopatch": ignored, "docdir": ignored, "prefix": ignored, "prefixes": ignored,
	"autoreq": ignored, "autoprov": ignored, "autoreqprov": ignored, "removepathpostfixes": ignored,
	"modularitylabel": ignored, "translationurl": ignored, "upstreamreleases": ignored, "cookie": ignored,
	"svnurl": ignored, "serial": special, "copyright": ignored, "buildsystem": special, "buildoption": special,
	"sourcelicense": ignored,
}

// preambleLine handles one "Tag: value" line.
func (p *parser) preambleLine(line string) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return
	}
	name, qualifier, value, ok := cutTag(line)
	kind, known := tags[name]
	if number, found := cutNumbered(name); !known && found {
		p.number(number, name[len(number):], value, ok)
		return
	}
	if strings.HasPrefix(line, macro.Unknown) {
		p.report("what this line says is not known without running something")
		return
	}
	if !known || !ok {
		p.fatal("unknown tag: %s", excerpt(line))
		return
	}
	if value == "" {
		if kind != ignored {
			p.fatal("empty tag: %s", excerpt(line))
		}
		return
	}
	switch kind {
	case text:
		p.define(name, value)
	case dependency, qualifiable:
		if qualifier != "" && kind != qualifiable {
			p.fatal("%s takes no qualifier", name)
			return
		}
		p.dependencies(name, qualifier, value)
	case special:
		if name == "buildsystem" || name == "buildoption" {
			p.buildSystemTag(name, qualifier, value)
			return
		}
		p.specialTag(name, value)
	}
}

// buildSystemTag handles BuildSystem and BuildOption (rpm 4.20, "Declarative builds"): of the sections that a build
// system fills in, only %generate_buildrequires matters here.
func (p *parser) buildSystemTag(name, section, value string) {
	switch {
	case name == "buildsystem":
		p.buildSystem, p.buildSystemLine = value, p.line
	case strings.TrimSpace(section) == "generate_buildrequires":
		p.buildOptions = append(p.buildOptions, strings.Fields(value)...)
	}
}

// fillBuildSystem adds the generator of a build system whose section the spec does not write itself.
func (p *parser) fillBuildSystem() {
	if p.buildSystem == "pyproject" && !p.generated {
		p.spec.Dynamic = append(p.spec.Dynamic, Generator{Name: "pyproject_buildrequires", Args: p.buildOptions, Line: p.buildSystemLine})
	}
}

// cutTag splits "Tag(qualifier): value"; name is in lower case.
func cutTag(line string) (name, qualifier, value string, ok bool) {
	end := 0
	for end < len(line) && (isLetter(line[end]) || line[end] >= '0' && line[end] <= '9') {
		end++
	}
	name = strings.ToLower(line[:end])
	rest := strings.TrimLeft(line[end:], " \t")
	if name == "patch" || name == "source" { // rpm passes over a number that stands apart
		rest = strings.TrimLeft(strings.TrimLeft(rest, "0123456789"), " \t")
	}
	if strings.HasPrefix(rest, "(") {
		closing := strings.IndexByte(rest, ')')
		if closing < 0 {
			return name, "", "", false
		}
		qualifier = rest[1:closing]
		rest = strings.TrimLeft(rest[closing+1:], " \t")
	}
	value, ok = strings.CutPrefix(rest, ":")
	return name, qualifier, strings.TrimSpace(value), ok
}

func excerpt(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// define keeps a tag's value as a macro, under its name in small and in capital letters.
func (p *parser) define(name, value string) {
	p.spec.engine.Set(name, value)
	p.spec.engine.Set(strings.ToUpper(name), value)
}

func (p *parser) specialTag(name, value string) {
	field, _, _ := strings.Cut(value, " ")
	field, _, _ = strings.Cut(field, "\t")
	unknown := strings.Contains(value, macro.Unknown)
	switch name {
	case "name":
		p.pkg.Name = field
	case "version":
		p.pkg.Version = field
		if p.pkg == p.spec.Packages[0] {
			p.spec.VersionLine = p.line
		}
	case "release":
		p.pkg.Release = field
	case "epoch", "serial":
		if _, err := strconv.ParseUint(field, 10, 32); err != nil && !unknown {
			p.fatal("epoch %s is not a number", excerpt(field))
			return
		}
		p.pkg.Epoch = field
	case "buildarch", "buildarchitectures":
		p.buildArch(value)
		return
	case "source":
		p.numbered(&p.sources, "SOURCE", "", value)
		return
	case "patch":
		p.numbered(&p.patches, "PATCH", "", value)
		return
	}
	if unknown {
		p.report("%s is not known without running something", name)
	} else if field != value && name != "name" {
		p.fatal("%s must be one word: %s", name, excerpt(value))
	}
	p.define(name, field)
}

func (p *parser) buildArch(value string) {
	p.pkg.Arch, _, _ = strings.Cut(value, " ")
	if p.pkg == p.spec.Packages[0] && p.pkg.Arch == "noarch" && !p.noarch {
		p.restart = true
	}
}

// counter numbers sources and patches that have no number of their own.
type counter struct{ next int }

// cutNumbered returns "source" or "patch" when a tag is one of them with a number.
func cutNumbered(name string) (string, bool) {
	for _, prefix := range []string{"source", "patch"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" && strings.Trim(rest, "0123456789") == "" {
			return prefix, true
		}
	}
	return "", false
}

// number handles SourceN and PatchN.
func (p *parser) number(prefix, digits, value string, ok bool) {
	if !ok || value == "" {
		p.fatal("empty tag: %s%s", prefix, digits)
		return
	}
	c := &p.sources
	if prefix == "patch" {
		c = &p.patches
	}
	p.numbered(c, strings.ToUpper(prefix), digits, value)
}

// numbered defines the macros of a source or patch, as %{SOURCE0} and %{SOURCEURL0}.
func (p *parser) numbered(c *counter, prefix, digits, value string) {
	if value == "" || value[0] == '#' {
		return
	}
	n := c.next
	if digits != "" {
		var err error
		if n, err = strconv.Atoi(digits); err != nil {
			p.fatal("the number %s is too large", excerpt(digits))
			return
		}
	}
	c.next = n + 1
	url, _, _ := strings.Cut(value, " ")
	directory, err := p.spec.engine.Expand("%{?_sourcedir}")
	if err != nil || directory == "" {
		directory = "."
	}
	p.spec.engine.Set(fmt.Sprintf("%s%d", prefix, n), directory+"/"+path.Base(url))
	p.spec.engine.Set(fmt.Sprintf("%sURL%d", prefix, n), url)
}
