package requirement

import (
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
	"github.com/slipway-build/slipway/internal/requirement/specfile/macroset"
)

// Target is the operating system release and architecture that requirements are read for.
type Target struct {
	// Release names the operating system: "fedora-43", "fedora-rawhide", "centos-stream-9", "rhel-9", "epel-9".
	// Anything else ("universe-12") gets the macros every release has and no dist tag.
	Release string
	// Arch is the RPM architecture. Empty means x86_64.
	Arch string
	// Python is the version of the interpreter that the project will run on, as "3.11". Empty means the
	// release's own default.
	Python string
	// AlternativePython is set when Python is not the release's default stack, so that python3dist() names
	// must be asked for as python3.11dist().
	AlternativePython bool
	// Macros are added to the release's macro set and override it. Names are written without the percent sign.
	Macros map[string]string
	// Names replaces the request that a Python requirement would become, keyed by normalised project name:
	// {"pyyaml": "python3-pyyaml"}. An empty value drops the requirement.
	Names map[string]string
	// Requests does the same for what a spec file asks for, keyed by the name of the request:
	// {"python3-devel": "python3-dev"}.
	Requests map[string]string
}

// python returns the version of the interpreter.
func (t Target) python() string {
	if t.Python != "" {
		return t.Python
	}
	return macroset.DefaultPython(t.Release)
}

// arch returns the architecture.
func (t Target) arch() string {
	if t.Arch != "" {
		return t.Arch
	}
	return "x86_64"
}

// environment is what markers are evaluated in.
func (t Target) environment() pymeta.Environment {
	return pymeta.LinuxEnvironment(t.python(), t.arch())
}
