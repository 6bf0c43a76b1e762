// Package macroset holds the macros that the build roots of the known operating system releases define, as far as
// they can change what a spec file needs.
//
// The sets are written for reading specs, not for building: macros that only matter inside of build scripts expand
// to nothing. They are plain macro files, which rpm itself can load ([Text]), so that both can be held against each
// other; what rpm's own sets do in Lua is computed in Go here (see native.go).
package macroset

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/specfile/macro"
)

//go:embed base.macros
var base string

//go:embed python.macros
var python string

//go:embed fedora.macros
var fedora string

// Target selects a macro set.
type Target struct {
	Release string // as requirement.Target has it: "fedora-43", "centos-stream-9", …
	Arch    string // RPM architecture; empty means x86_64
	Python  string // "3.11"; empty means the release's default
}

// Engine returns an engine that holds the target's macros. overrides are defined last; their names are written
// without the percent sign.
func Engine(t Target, overrides map[string]string) *macro.Engine {
	e, problems := Load(Text(t), overrides)
	for _, problem := range problems {
		panic("built-in macro set: " + problem.Error()) // a programmer's error, which a test finds
	}
	return e
}

// Load returns an engine that holds the macros of a macro file's text in place of a release's, and the overrides. The
// problems are definitions that could not be read; they are left out.
func Load(text string, overrides map[string]string) (e *macro.Engine, problems []error) {
	e = macro.New(macro.Limits{})
	native(e)
	problems = e.Load(text)
	for _, name := range nativeNames {
		// The distributions' own macro files have these in Lua, which is not run.
		if body, ok := e.Body(name); ok && strings.Contains(body, "%{lua:") {
			e.Undefine(name)
		}
	}
	for name, body := range overrides {
		e.Set(name, body)
	}
	return e, problems
}

// Text returns the target's macro set as a macro file.
func Text(t Target) string {
	r := parseRelease(t.Release)
	if t.Arch == "" {
		t.Arch = "x86_64"
	}
	if t.Python == "" {
		t.Python = r.python
	}
	var b strings.Builder
	define := func(name, body string) { fmt.Fprintf(&b, "%%%s %s\n", name, body) }
	isa, bits, lib := archFacts(t.Arch)
	define("_host_cpu", t.Arch)
	define("_target_cpu", t.Arch)
	define("_arch", t.Arch)
	define("_lib", lib)
	if isa != "" {
		define("__isa_name", isa)
		define("__isa_bits", bits)
		define("__isa", isa+"-"+bits)
	}
	define("slipway_python", t.Python)
	define("slipway_python_default", r.python)
	define("slipway_python_nodots", strings.ReplaceAll(t.Python, ".", ""))
	b.WriteString(base)
	b.WriteString(python)
	b.WriteString(fedora)
	for _, m := range r.macros {
		define(m[0], m[1])
	}
	return b.String()
}

// DefaultPython returns the version of a release's own Python 3, as "3.13".
func DefaultPython(release string) string { return parseRelease(release).python }

// archFacts returns what %{_isa} is made of, and the library directory.
func archFacts(arch string) (isa, bits, lib string) {
	switch arch {
	case "x86_64":
		return "x86", "64", "lib64"
	case "i386", "i486", "i586", "i686":
		return "x86", "32", "lib"
	case "aarch64":
		return "aarch", "64", "lib64"
	case "ppc64le":
		return "ppc", "64", "lib64"
	case "s390x":
		return "s390", "64", "lib64"
	case "riscv64":
		return "riscv", "64", "lib64"
	case "armv7hl":
		return "armv7hl", "32", "lib"
	default:
		return "", "", "lib"
	}
}
