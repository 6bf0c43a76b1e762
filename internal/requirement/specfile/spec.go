package specfile

import (
	"fmt"
	"io/fs"

	"github.com/slipway-build/slipway/internal/requirement/specfile/macro"
)

// Options say for what a spec is read.
type Options struct {
	// Macros holds the target's macros. Parse works on a clone, so several may read specs with one engine at a time.
	// Nil means no macros at all.
	Macros *macro.Engine
	// Arch is the architecture that %ifarch is asked about. Empty means x86_64.
	Arch string
	// Files is where %include and %{load:…} look, usually the project's tree. Nil means that they find nothing.
	Files fs.FS
}

// Spec is what a spec file says.
type Spec struct {
	File     string
	Packages []*Package // the main package first; never empty
	// Epoch, Version and Release are the main package's. Empty when the spec does not say.
	Epoch, Version, Release string
	VersionLine             int
	BuildRequires           []Dependency
	BuildConflicts          []Dependency
	// Dynamic are the calls in %generate_buildrequires whose meaning is known.
	Dynamic []Generator
	// Diagnostics are in the order of lines.
	Diagnostics []Diagnostic

	engine *macro.Engine
}

// Package is the main package or a sub-package.
type Package struct {
	Name, Epoch, Version, Release, Arch string
	Line                                int
	// Built says that the package has a %files section, without which rpm does not build it.
	Built bool

	Requires, Provides, Conflicts, Obsoletes    []Dependency
	Recommends, Suggests, Supplements, Enhances []Dependency
}

// Dependency is one dependency of a package.
type Dependency struct {
	// Text is what rpm prints: "name", "name >= 1:2-3", "(a or b)".
	Text string
	// Written is the line's value as it stands in the file, macros and all.
	Written string
	// Tag is the tag as written, with its qualifier: "Requires", "Requires(post)".
	Tag  string
	File string
	Line int
	// Condition is the innermost condition that the line stands under, as written: "%if 0%{?fedora}".
	Condition string
	// Implied says that no tag asks for it: it is a scriptlet's interpreter, or a package's own name.
	Implied bool
}

// Generator is a dynamic build requirement generator, such as %pyproject_buildrequires, with its arguments.
type Generator struct {
	Name string
	Args []string
	Line int
}

// Diagnostic is a line that was not understood, or whose meaning needs something to be run.
type Diagnostic struct {
	File    string
	Line    int
	Message string
	// Fatal says that rpm refuses the spec for this.
	Fatal bool
}

// String returns "file:line: message".
func (d Diagnostic) String() string { return fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.Message) }

// Expand expands text with the macros as they stand after the last line of the spec.
func (s *Spec) Expand(text string) (string, error) { return s.engine.Expand(text) }

// Macros returns the engine with the macros as they stand after the last line of the spec.
func (s *Spec) Macros() *macro.Engine { return s.engine }

// EVR returns "[epoch:]version-release" of a package.
func (p *Package) EVR() string {
	evr := p.Version
	if p.Release != "" {
		evr += "-" + p.Release
	}
	if p.Epoch != "" && p.Epoch != "0" {
		evr = p.Epoch + ":" + evr
	}
	return evr
}
