package resolve

import (
	"maps"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// withPath gives the packages that a request for a path, or a pattern of paths, means. What is
// provided by that name comes first; files count as provided where some package has the path among
// its dependencies, since libsolv has only these in its list of what is provided.
func (p *pool) withPath(d rpm.Dependency) []id {
	if len(d.Name) > 1 {
		d.Name = strings.TrimRight(d.Name, "/")
	}
	if d.Sense&rpm.RangeMask != 0 {
		return p.whoProvides(d)
	}
	explicit := p.providing(d)
	if !rpm.IsGlob(d.Name) {
		all := p.whoProvides(d)
		if len(explicit) == 0 || len(explicit) == len(all) || p.dependencyPaths()[d.Name] {
			return all
		}
		return explicit
	}
	for path := range p.dependencyPaths() {
		if rpm.Glob(d.Name, path) {
			explicit = append(explicit, p.whoProvides(rpm.Dependency{Name: path})...)
		}
	}
	if len(explicit) == 0 {
		explicit = p.withFilesLike(d.Name)
	}
	slices.Sort(explicit)
	return slices.Compact(explicit)
}

// dependencyPaths are the paths that packages require, conflict with, or have in any other
// dependency. It takes a look at every package, once, and few requests need it.
func (p *pool) dependencyPaths() map[string]bool {
	if p.paths != nil {
		return p.paths
	}
	p.paths = map[string]bool{}
	add := func(d rpm.Dependency) {
		if d.IsPath() {
			p.paths[d.Name] = true
		}
	}
	for _, src := range p.repos {
		for n := range src.Len() { // excluded ones too, as in libsolv
			pkg := src.Package(n)
			for _, list := range [][]rpm.Dependency{
				pkg.Requires, pkg.Conflicts, pkg.Obsoletes, pkg.Recommends, pkg.Suggests, pkg.Supplements, pkg.Enhances,
			} {
				for _, d := range list {
					if d.IsRich() {
						for _, leaf := range leavesOf(p.parseRich(d.Name)) {
							add(leaf)
						}
						continue
					}
					add(d)
				}
			}
		}
	}
	return p.paths
}

func sortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
