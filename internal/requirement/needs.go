package requirement

import (
	"fmt"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Kind says what a requirement is needed for.
type Kind int

// The kinds of requirement.
const (
	Runtime Kind = iota // needed by the running service
	Build               // needed to build the project
)

// String returns "runtime" or "build".
func (k Kind) String() string {
	if k == Build {
		return "build"
	}
	return "runtime"
}

// Origin is the place where a requirement is written.
type Origin struct {
	Project string // name of the project, or of what else asked (an image)
	File    string // path inside the project's tree, with slashes
	Line    int    // first line is 1; 0 when the file as a whole is meant
	Section string // "Requires", "BuildRequires", "options.install_requires", "project.dependencies", …
}

// String returns "project/file:line".
func (o Origin) String() string {
	s := o.Project
	switch {
	case s == "":
		s = o.File
	case o.File != "":
		s += "/" + o.File
	}
	if o.Line > 0 {
		s += fmt.Sprintf(":%d", o.Line)
	}
	return s
}

// Requirement is one thing that a project needs.
type Requirement struct {
	// Request is the text of an RPM dependency, as rpm.ParseDependency reads it: "python3dist(flask) >= 2".
	Request string
	// Written is what the file says, macros and all.
	Written string
	Kind    Kind
	Origin  Origin
	// Condition is the condition under which it holds and that was found true for this target, such as the
	// marker `python_version < "3.12"` or the spec's `%if 0%{?fedora}`. Empty when there is none.
	Condition string
}

// Diagnostic is something that could not be read, or that a person should look at.
type Diagnostic struct {
	File    string // path inside the project's tree
	Line    int    // 0 when the file as a whole is meant
	Message string
}

// String returns "file:line: message".
func (d Diagnostic) String() string {
	if d.Line == 0 {
		return d.File + ": " + d.Message
	}
	return fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.Message)
}

// Backend is how a project's wheel is built (PEP 517).
type Backend struct {
	Name     string   // "setuptools.build_meta"; the default when a project does not say
	Path     []string // backend-path: directories inside the project's tree
	Requires []string // PEP 508 requirements of the build, as written
}

// Needs is what one project at one revision needs and provides, for one target.
type Needs struct {
	Project string
	Commit  string
	// Version is the project's version: the Python metadata's if it is written there, else the one that the
	// caller knows from tags, else the spec's. Empty when nobody knows.
	Version string
	Runtime []Requirement
	Build   []Requirement
	// Generated is what the spec's %generate_buildrequires would add to the build of an RPM: the needs of tests and
	// of running the project. Building a wheel does without, so it is not in Build.
	Generated []Requirement
	// Provides are the package and sub-packages of the spec, the names python3dist(x) and python3.Ndist(x),
	// and the plain name of the Python distribution.
	Provides []rpm.Dependency
	Spec     string // path of the spec file; empty when there is none
	Metadata string // path of the file with the Python metadata, the first of several; empty when there is none
	Backend  Backend
	// Unread are the fields of the Python metadata that only the build backend can tell (see [Project.Metadata]):
	// name, version, requires-python, dependencies, optional-dependencies. Empty when nothing is left open.
	Unread []string
	// Diagnostics are in the order of files and lines.
	Diagnostics []Diagnostic
	// Label is what messages call it where it is no project at a commit; empty otherwise.
	Label string
}
