package requirement

import (
	"fmt"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/ansible"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
	"github.com/slipway-build/slipway/internal/rpm"
)

// ReadList reads the packages that an Ansible task file of a project installs, as runtime requirements: many teams
// keep what an image needs in such files (see package ansible for what is understood). Packages of pip become
// requests for python3dist(). The diagnostics name what is not: conditions, variables, groups, addresses.
func ReadList(p Project, file string, t Target) ([]Requirement, []Diagnostic, error) {
	packages, notes, err := ansible.Read(p.Tree, file)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the package list of %s: %w", p.Name, err)
	}
	var diagnostics []Diagnostic
	for _, n := range notes {
		diagnostics = append(diagnostics, Diagnostic(n))
	}
	var needs []Requirement
	for _, pkg := range packages {
		requests, err := listed(pkg, t)
		if err != nil {
			diagnostics = append(diagnostics, Diagnostic{File: pkg.File, Line: pkg.Line, Message: fmt.Sprintf("%s: %v", pkg.Task, err)})
		}
		for _, request := range requests {
			needs = append(needs, Requirement{
				Request: request, Written: pkg.Name, Kind: Runtime, Condition: pkg.When,
				Origin: Origin{Project: p.Name, File: pkg.File, Line: pkg.Line, Section: pkg.Task},
			})
		}
	}
	return needs, diagnostics, nil
}

// listed returns the requests that a package of a list stands for.
func listed(pkg ansible.Package, t Target) ([]string, error) {
	if pkg.Python {
		r, err := pymeta.ParseRequirement(pkg.Name)
		if err != nil {
			return nil, err
		}
		if r.URL != "" {
			return nil, fmt.Errorf("%s comes from an address, not from an index", pkg.Name)
		}
		return FromPython(r, t)
	}
	switch {
	case strings.HasPrefix(pkg.Name, "@"):
		return nil, fmt.Errorf("the group %s is not taken apart", pkg.Name)
	case strings.Contains(pkg.Name, "://") || strings.HasSuffix(pkg.Name, ".rpm"):
		return nil, fmt.Errorf("%s is a file, not a package of a repository", pkg.Name)
	case strings.ContainsAny(pkg.Name, "*?["):
		return nil, fmt.Errorf("the pattern %s is not expanded", pkg.Name)
	}
	d, err := rpm.ParseDependency(pkg.Name)
	if err != nil {
		return nil, err
	}
	if request, ok := t.Requests[d.Name]; ok {
		if request == "" {
			return nil, nil
		}
		return []string{request}, nil
	}
	return []string{pkg.Name}, nil
}
