package wheel

import (
	"fmt"
	"strings"
)

// BuildError is a project that does not build. The fault is the project's, or its requirements are not in the build root.
type BuildError struct {
	Project string
	Missing []Missing // build requirements that the root does not meet
	Output  []string  // the last lines of what the backend printed, fit for a terminal
	Err     error
}

// Missing is a build requirement that the build root does not meet.
type Missing struct {
	Requirement string // as the project or its backend writes it
	Origin      string // where: "pyproject.toml, build-system.requires"
	Request     string // the RPM request that would bring it: "python3dist(setuptools-scm)"
	Installed   string // the version that is installed; "" when none is
}

func (m Missing) String() string {
	if m.Installed == "" {
		return fmt.Sprintf("%s (%s) is not installed; add %s to what the build root is made of", m.Requirement, m.Origin, m.Request)
	}
	return fmt.Sprintf("%s (%s) is not met by %s, which is installed as %s", m.Requirement, m.Origin, m.Installed, m.Request)
}

func (e *BuildError) Unwrap() error { return e.Err }

func (e *BuildError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "building the wheel of %s", e.Project)
	if len(e.Missing) > 0 {
		b.WriteString(": the build root lacks what it needs:")
		for _, m := range e.Missing {
			b.WriteString("\n  " + m.String())
		}
		return b.String()
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	for _, line := range e.Output {
		b.WriteString("\n  | " + line)
	}
	return b.String()
}
