package resolve

import (
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// Problem is what is asked: which packages of these repositories make all requests true?
type Problem struct {
	// Repositories are all that may be taken from. Among those of one priority and cost, their order
	// decides where nothing else does, as in dnf.
	Repositories []*rpmrepo.Repository
	// Arch is the target's architecture ("x86_64"). Packages of this architecture and noarch are
	// seen, no others: images are not multilib.
	Arch string
	// Requests are what must be installed. Their order does not matter, and of equal requests all
	// origins are kept for explanations.
	Requests []Request
	// Virtuals are packages that are in the image without being RPMs of a repository.
	Virtuals []Virtual
	// Keep holds the packages of an earlier solution by name. Each stays what it is if it is still
	// offered and all requests can be met with it; a package that nothing needs any more goes.
	Keep map[string]rpm.NEVRA
	// Weak also installs what is recommended, as dnf does with install_weak_deps=1.
	Weak bool
	// NoBest lets a request be met by a package that is not the best one for it when the best one
	// cannot be installed, as dnf does with best=0. By default that is a conflict.
	NoBest bool
	// Memory, where there is one, makes the next resolution of the same repositories faster.
	Memory *Memory
}

// Request is one thing that must be installed.
type Request struct {
	// Dependency is read as dnf reads an argument. A name alone means the packages so named and those
	// that obsolete them; only where there are none is it read as name.arch, with version and release
	// (rpm.Subjects), then as what is provided, then as a path. A name with *, ? or [] is a pattern:
	// of each package name that fits, one package must be installed; of paths that fit, one package.
	// A rich dependency may be any.
	Dependency rpm.Dependency
	// Origin says where the request is written, for explanations ("greetlib/setup.cfg:12"); it may
	// be empty.
	Origin string
	// Label is what a person calls the request, when it is not the dependency itself ("flask>=2").
	Label string
}

// Virtual is a package that is there anyway, such as an internal project that is installed from its
// commit. It meets what packages require, conflicts with what conflicts with it, and takes the place
// of packages that would bring the same thing a second time: those that are named as the virtual
// or as something it provides, and those that provide the same pythonXdist() name.
type Virtual struct {
	Name     string
	EVR      rpm.EVR
	Provides []rpm.Dependency
	// Label is what explanations call it ("project greetlib at 1a2b3c4").
	Label string
}

// Solution is the answer.
type Solution struct {
	// Packages are sorted by NEVRA. Virtuals are not among them.
	Packages []Chosen
}

// Chosen is one package of a solution.
type Chosen struct {
	Repository *rpmrepo.Repository
	// Index is the package's number in the repository.
	Index   int
	Package *rpmrepo.Package
	// Why says what needs the package, requests first, then packages by name. It is never empty.
	Why []Why
}

// Why is one reason for which a package is in a solution.
type Why struct {
	// Dependency is what is needed, as rpm prints it.
	Dependency string
	// Package is the NEVRA of the package that needs it, or the label of a virtual one; empty for a
	// request.
	Package string
	// Origin and Label are the request's.
	Origin, Label string
	// Weak says that it is only recommended.
	Weak bool
}

// String says it in a few words: "setup.cfg:12 asks for flask >= 2", "flask-2.0-1.noarch requires jinja2".
func (w Why) String() string {
	verb := " requires "
	if w.Weak {
		verb = " recommends "
	}
	if w.Package != "" {
		return w.Package + verb + w.Dependency
	}
	what := w.Dependency
	if w.Label != "" {
		what = w.Label
	}
	if w.Origin == "" {
		return "requested: " + what
	}
	return w.Origin + " asks for " + what
}
