package convert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// check refuses what rpm could not install: apt resolved the closure, so whatever
// is wrong now was lost in conversion.
func (u *universe) check() error {
	return cmp.Or(u.checkPaths(), u.checkScripts(), u.checkRequires())
}

// checkScripts refuses two scriptlets of one kind, which a package cannot have.
func (u *universe) checkScripts() error {
	for _, p := range u.packages {
		seen := map[rpm.ScriptKind]bool{}
		for _, s := range p.spec.Scripts {
			if seen[s.Kind] {
				return fmt.Errorf("%s has two scripts %s, for different programs", p.spec.Name, s.Kind)
			}
			seen[s.Kind] = true
		}
	}
	return nil
}

// checkPaths refuses two packages that hold the same path: rpm would not install
// both.
func (u *universe) checkPaths() error {
	owner := map[string]string{}
	for _, p := range u.packages {
		for _, f := range p.spec.Files {
			if other, ok := owner[f.Path]; ok && other != p.spec.Name {
				return fmt.Errorf("%s and %s both hold %s", other, p.spec.Name, f.Path)
			}
			owner[f.Path] = p.spec.Name
		}
	}
	return nil
}

// checkRequires refuses a universe that is not closed.
func (u *universe) checkRequires() error {
	var unmet []string
	for _, p := range u.packages {
		for _, d := range p.spec.Requires {
			if !u.holds(d) {
				unmet = append(unmet, fmt.Sprintf("%s requires %s", p.spec.Name, d))
			}
		}
	}
	if len(unmet) == 0 {
		return nil
	}
	slices.Sort(unmet)
	more := ""
	if n := len(unmet); n > 10 {
		unmet, more = unmet[:10], fmt.Sprintf(" and %d more", n-10)
	}
	return fmt.Errorf("nothing in the universe meets: %s%s", strings.Join(unmet, "; "), more)
}
