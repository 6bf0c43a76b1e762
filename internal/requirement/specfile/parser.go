package specfile

import (
	"fmt"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/specfile/macro"
)

// parser builds a Spec from the reader's lines.
type parser struct {
	spec    *Spec
	reader  *reader
	line    int
	section section
	pkg     *Package // whose preamble is read
	noarch  bool     // this is the second pass, for BuildArch: noarch
	restart bool     // the preamble asked for that second pass
	sources counter
	patches counter

	buildSystem     string
	buildSystemLine int
	buildOptions    []string // of %generate_buildrequires
	generated       bool     // the spec has that section
}

// section is the part of a spec that a line belongs to.
type section int

const (
	preamble section = iota
	sourceList
	patchList
	buildRequiresScript
	other
)

// Parse reads a spec. name is its path inside of Options.Files, for what is said about it. The error is about input
// that passes a bound; everything else that is wrong is in the diagnostics.
func Parse(name string, data []byte, o Options) (*Spec, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("reading %s: larger than %d bytes", name, maxSize)
	}
	text := clean(data)
	engine := macro.New(macro.Limits{})
	if o.Macros != nil {
		engine = o.Macros.Clone()
	}
	p, err := parse(name, text, o, engine, false)
	if err == nil && p.restart {
		p, err = parse(name, text, o, engine, true)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s:%d: %w", name, p.line, err)
	}
	return p.spec, nil
}

// parse makes one pass. A spec that says BuildArch: noarch is read once more, because conditions before that line
// may ask for the architecture. As in rpm, the second pass starts with the macros that the first has defined up to that
// line.
func parse(name, text string, o Options, engine *macro.Engine, noarch bool) (*parser, error) {
	arch := o.Arch
	if arch == "" {
		arch = "x86_64"
	}
	engine.Files = o.Files
	if noarch {
		arch = "noarch"
		engine.Set("_target_cpu", arch)
	}
	main := &Package{Arch: arch, Line: 1}
	p := &parser{spec: &Spec{File: name, Packages: []*Package{main}, engine: engine}, pkg: main, noarch: noarch}
	p.reader = &reader{parser: p, engine: engine, files: o.Files, arch: arch, sources: []*source{{file: name, text: text}}}
	engine.Report = func(message string) { p.report("%s", message) }
	defer func() { engine.Report = nil }()
	return p, p.run()
}

func (p *parser) run() error {
	for {
		line, ok, err := p.reader.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		p.accept(line)
		if p.restart {
			return nil // at once, as rpm does: what follows is defined by the second pass only
		}
	}
	for _, c := range p.reader.conds {
		p.line = c.line
		p.fatal("%s is not closed", c.written)
	}
	p.finish()
	return nil
}

// accept handles one line of the current section, or the start of another.
func (p *parser) accept(line string) {
	if name, rest := cutSection(line); name != "" {
		p.begin(name, rest)
		return
	}
	switch p.section {
	case preamble:
		p.preambleLine(line)
	case sourceList:
		p.numbered(&p.sources, "SOURCE", "", strings.TrimSpace(line))
	case patchList:
		p.numbered(&p.patches, "PATCH", "", strings.TrimSpace(line))
	case buildRequiresScript:
		p.generator(line)
	}
}

// file is the file of the current line.
func (p *parser) file() string { return p.reader.top().file }

// report notes something about the current line.
func (p *parser) report(format string, args ...any) { p.note(false, format, args...) }

// fatal notes something for which rpm refuses the spec.
func (p *parser) fatal(format string, args ...any) { p.note(true, format, args...) }

func (p *parser) note(fatal bool, format string, args ...any) {
	message := strings.ReplaceAll(fmt.Sprintf(format, args...), macro.Unknown, "<?>")
	d := Diagnostic{File: p.file(), Line: p.line, Message: message, Fatal: fatal}
	if len(p.spec.Diagnostics) < 1000 {
		p.spec.Diagnostics = append(p.spec.Diagnostics, d)
	}
}

// finish adds what follows from the whole spec.
func (p *parser) finish() {
	p.fillBuildSystem()
	main := p.spec.Packages[0]
	p.spec.Epoch, p.spec.Version, p.spec.Release = main.Epoch, main.Version, main.Release
	if main.Name == "" {
		p.line = 1
		p.fatal("the spec has no Name")
	}
	for _, pkg := range p.spec.Packages {
		inherit(pkg, main)
		self := Dependency{Text: pkg.Name + " = " + pkg.EVR(), Tag: "Provides", File: p.spec.File, Line: pkg.Line, Implied: true}
		pkg.Provides = append(pkg.Provides, self)
		if isa, err := p.spec.engine.Expand("%{?_isa}"); err == nil && isa != "" && pkg.Arch != "noarch" {
			self.Text = pkg.Name + isa + " = " + pkg.EVR()
			pkg.Provides = append(pkg.Provides, self)
		}
	}
}

// inherit gives a sub-package what it does not say itself.
func inherit(pkg, main *Package) {
	set := func(to *string, from string) {
		if *to == "" {
			*to = from
		}
	}
	set(&pkg.Epoch, main.Epoch)
	set(&pkg.Version, main.Version)
	set(&pkg.Release, main.Release)
	set(&pkg.Arch, main.Arch)
}
