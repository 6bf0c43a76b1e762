package rpmrepo

import "github.com/slipway-build/slipway/internal/rpm"

// EachMatching calls yield with each package that provides what meets the dependency, which is not a
// rich one: the quick way to Providers. A package may come several times.
func (r *Repository) EachMatching(d rpm.Dependency, yield func(i int)) {
	r.index.EachMatching(d, func(i int) {
		if !r.Excluded(i) {
			yield(i)
		}
	})
}

// Arch gives the architecture of package i, which is not decoded for it.
func (r *Repository) Arch(i int) string { return r.index.Arch(i) }
