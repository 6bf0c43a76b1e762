package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Target gives the target of that name, nil if the lock has none.
func (l *Lock) Target(name string) *Target {
	for i := range l.Targets {
		if l.Targets[i].Name == name {
			return &l.Targets[i]
		}
	}
	return nil
}

func (t *Target) repository(id string) *Repository {
	for i := range t.Repositories {
		if t.Repositories[i].ID == id {
			return &t.Repositories[i]
		}
	}
	return nil
}

// Root gives the packages of an image, or of a build root, sorted by NEVRA.
func (t *Target) Root(name string) []Package {
	var packages []Package
	for _, p := range t.Packages {
		if slices.Contains(p.Roots, name) {
			packages = append(packages, p)
		}
	}
	slices.SortFunc(packages, func(a, b Package) int { return a.NEVRA.Compare(b.NEVRA) })
	return packages
}

// Digest is a hash, in lowercase hex, of what a root has installed and in which layers. It does not
// change with where the packages are fetched from, why they are there, or what else is locked.
func (t *Target) Digest(root string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", t.Arch)
	for _, p := range t.Root(root) {
		layer := p.Layer
		if IsBuildRoot(root) {
			layer = ""
		}
		fmt.Fprintf(h, "%q %q %q\n", p.NEVRA, p.SHA256, layer)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Keep gives what a new resolution of that root should keep (resolve.Problem.Keep): the packages of
// the root, and for other names those of the target's other roots, so that images go on to share
// them. Of several versions of one name elsewhere the newest is given.
func (t *Target) Keep(root string) map[string]rpm.NEVRA {
	keep := map[string]rpm.NEVRA{}
	if t == nil {
		return keep
	}
	for _, p := range t.Packages {
		if was, ok := keep[p.NEVRA.Name]; !ok || p.NEVRA.Compare(was) > 0 {
			keep[p.NEVRA.Name] = p.NEVRA
		}
	}
	for _, p := range t.Root(root) {
		keep[p.NEVRA.Name] = p.NEVRA
	}
	return keep
}
