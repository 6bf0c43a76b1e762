package script

import "github.com/slipway-build/slipway/internal/rpm"

// Package is what this room needs to know of one package.
type Package struct {
	// Name is what messages and order go by: the NEVRA.
	Name string
	// Short is the package's name alone, by which triggers wait for it.
	Short string
	EVR   rpm.EVR
	// Requires has what OrderWithRequires names as well.
	Requires, Provides []rpm.Dependency
	Files              []rpm.File
	Scripts            []rpm.Script
}

// scripts of one kind, in the header's order.
func (p *Package) scripts(kind rpm.ScriptKind) []rpm.Script {
	var out []rpm.Script
	for _, s := range p.Scripts {
		if s.Kind == kind {
			out = append(out, s)
		}
	}
	return out
}
