package specfile

import (
	"strings"
)

// sections are the names that start a section. The value says whether the section is a scriptlet, whose
// interpreter becomes a requirement of the package.
var sections = map[string]bool{
	"%package": false, "%description": false, "%files": false, "%changelog": false,
	"%prep": false, "%generate_buildrequires": false, "%conf": false, "%build": false, "%install": false,
	"%check": false, "%clean": false, "%sepolicy": false, "%sourcelist": false, "%patchlist": false,
	"%pre": true, "%post": true, "%preun": true, "%postun": true, "%pretrans": true, "%posttrans": true,
	"%preuntrans": true, "%postuntrans": true, "%verifyscript": true,
	"%triggerprein": true, "%triggerin": true, "%triggerun": true, "%triggerpostun": true, "%trigger": true,
	"%filetriggerin": true, "%filetrigger": true, "%filetriggerun": true, "%filetriggerpostun": true,
	"%transfiletriggerin": true, "%transfiletrigger": true, "%transfiletriggerun": true, "%transfiletriggerpostun": true,
}

// cutSection takes a line that starts a section apart; name is empty for every other line.
func cutSection(line string) (name, rest string) {
	if !strings.HasPrefix(line, "%") {
		return "", ""
	}
	end := strings.IndexAny(line, " \t\n")
	if end < 0 {
		end = len(line)
	}
	name = strings.ToLower(line[:end])
	if _, ok := sections[name]; !ok {
		return "", ""
	}
	return name, strings.TrimSpace(line[end:])
}

// begin starts a section.
func (p *parser) begin(name, rest string) {
	p.section = other
	switch name {
	case "%package":
		p.subPackage(rest)
	case "%sourcelist":
		p.section = sourceList
	case "%patchlist":
		p.section = patchList
	case "%generate_buildrequires":
		p.section, p.generated = buildRequiresScript, true
	case "%description":
		p.find(name, parseSectionArgs(rest))
	case "%files":
		if pkg := p.find(name, parseSectionArgs(rest)); pkg != nil {
			pkg.Built = true
		}
	default:
		if sections[name] {
			p.scriptlet(name, rest)
		}
	}
}

// sectionArgs are the arguments of a line that starts a section.
type sectionArgs struct {
	name        string // after -n, or a suffix of the main package's name
	full        bool   // name is after -n
	interpreter []string
}

// takesValue are the options of sections that have a value of their own.
const takesValue = "nfplPq"

func parseSectionArgs(rest string) sectionArgs {
	rest, _, _ = strings.Cut(rest, " -- ") // trigger conditions follow
	var a sectionArgs
	fields := strings.Fields(rest)
	for i := 0; i < len(fields); i++ {
		f := fields[i]
		if f == "--" {
			break
		}
		if len(f) < 2 || f[0] != '-' {
			if a.name == "" {
				a.name = f
			}
			continue
		}
		value := f[2:]
		if value == "" && strings.IndexByte(takesValue, f[1]) >= 0 && f[1] != 'q' && i+1 < len(fields) {
			i++
			value = fields[i]
		}
		switch f[1] {
		case 'n':
			a.name, a.full = value, true
		case 'p':
			a.interpreter = interpreter(value, fields, &i)
		}
	}
	return a
}

// interpreter reads the value of -p, which may be quoted to hold the program's own arguments.
func interpreter(value string, fields []string, i *int) []string {
	if !strings.HasPrefix(value, `"`) {
		return []string{value}
	}
	words := []string{strings.TrimPrefix(value, `"`)}
	for !strings.HasSuffix(words[len(words)-1], `"`) && *i+1 < len(fields) {
		*i++
		words = append(words, fields[*i])
	}
	last := &words[len(words)-1]
	*last = strings.TrimSuffix(*last, `"`)
	return words
}

// packageName is the full name of the package that a section is about.
func (p *parser) packageName(a sectionArgs) string {
	main := p.spec.Packages[0].Name
	switch {
	case a.name == "":
		return main
	case a.full:
		return a.name
	default:
		return main + "-" + a.name
	}
}

// find returns the package that a section is about, or nil after saying that there is none.
func (p *parser) find(section string, a sectionArgs) *Package {
	if a.name == "" {
		return p.spec.Packages[0]
	}
	name := p.packageName(a)
	for _, pkg := range p.spec.Packages {
		if pkg.Name == name {
			return pkg
		}
	}
	p.fatal("%s is for the package %s, which the spec does not have", section, name)
	return nil
}

// subPackage starts the preamble of a sub-package.
func (p *parser) subPackage(rest string) {
	a := parseSectionArgs(rest)
	p.section = preamble
	pkg := &Package{Name: p.packageName(a), Line: p.line}
	switch {
	case a.name == "":
		p.fatal("%%package without a name")
	case len(p.spec.Packages) >= maxPackages:
		p.fatal("more than %d packages", maxPackages)
		p.pkg = pkg // read on, but forget
		return
	}
	for _, other := range p.spec.Packages {
		if other.Name == pkg.Name {
			p.fatal("the package %s exists already", pkg.Name)
			p.pkg = other
			return
		}
	}
	p.spec.Packages = append(p.spec.Packages, pkg)
	p.pkg = pkg
}

// maxPackages bounds the sub-packages; the largest of texlive has some 7,000.
const maxPackages = 20_000

// luaRequirement is what rpm puts on a package with a scriptlet in its built-in Lua.
const luaRequirement = "rpmlib(BuiltinLuaScripts) <= 4.2.2-1"

// argumentsRequirement is what rpm puts on a package whose scriptlet's interpreter takes arguments.
const argumentsRequirement = "rpmlib(ScriptletInterpreterArgs) <= 4.0.3-1"

// scriptlet adds the interpreter of a scriptlet to its package's requirements.
func (p *parser) scriptlet(name, rest string) {
	a := parseSectionArgs(rest)
	pkg := p.find(name, a)
	if pkg == nil {
		return
	}
	program := "/bin/sh"
	if len(a.interpreter) > 0 && a.interpreter[0] != "" {
		program = a.interpreter[0]
	}
	if program == "<lua>" {
		program = luaRequirement
	}
	if program[0] == '<' {
		p.fatal("unknown built-in interpreter %s", program)
		return
	}
	d := Dependency{Text: program, Written: p.written(), Tag: name, File: p.file(), Line: p.line, Condition: p.condition(), Implied: true}
	pkg.Requires = append(pkg.Requires, d)
	if len(a.interpreter) > 1 {
		d.Text = argumentsRequirement
		pkg.Requires = append(pkg.Requires, d)
	}
}

// generator notes a call that a target's macros left in %generate_buildrequires, see [GeneratorMark].
func (p *parser) generator(line string) {
	line, ok := strings.CutPrefix(strings.TrimSpace(line), GeneratorMark)
	if !ok {
		return
	}
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return
	}
	p.spec.Dynamic = append(p.spec.Dynamic, Generator{Name: fields[0], Args: fields[1:], Line: p.line})
}

// GeneratorMark starts the line that a macro of a dynamic build requirement generator expands to. The rest of the
// line is the generator's name and arguments. (In a shell the mark is a command that does nothing.)
const GeneratorMark = ": slipway-generator "
