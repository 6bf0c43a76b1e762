package check

import (
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// named says whether a request that is only a name is met in the ways that only requests know: by a
// package that obsoletes one of that name, or as a part of a NEVRA.
func (c *checker) named(d rpm.Dependency) bool {
	if d.Sense&rpm.RangeMask != 0 {
		return false
	}
	for _, m := range c.all {
		for _, s := range rpm.Subjects(d.Name) {
			if !rpm.IsGlob(d.Name) && s.Matches(m.pkg.NEVRA) {
				return true
			}
		}
		for _, o := range m.pkg.Obsoletes {
			if o.Name == d.Name && c.offered(o) {
				return true
			}
		}
	}
	return false
}

// offered says whether the repositories have a package of a dependency's name and range.
func (c *checker) offered(d rpm.Dependency) bool {
	for _, r := range c.problem.Repositories {
		for _, pkg := range r.All() {
			if (pkg.Arch == c.problem.Arch || pkg.Arch == "noarch") && d.MatchedBy(self(pkg)) {
				return true
			}
		}
	}
	return false
}

// pattern finds fault with a request that is a pattern: of each name that it fits one package must be
// there, or one that obsoletes it; of a pattern of paths, one package. Any other request is not met.
func (c *checker) pattern(d rpm.Dependency) {
	meant := c.meant(d)
	if len(meant) == 0 {
		c.errorf("the request %s is not met", d)
		return
	}
	if d.IsPath() {
		if !slices.ContainsFunc(c.all, func(m member) bool { return meant[m.pkg] }) {
			c.errorf("the request %s is not met", d)
		}
		return
	}
	there := map[string]bool{}
	for _, m := range c.all {
		if meant[m.pkg] {
			there[m.pkg.Name] = true
		}
		for _, o := range m.pkg.Obsoletes {
			there[o.Name] = there[o.Name] || c.offered(o)
		}
	}
	for pkg := range meant {
		if !there[pkg.Name] {
			c.errorf("the request %s is not met: there is no %s", d, pkg.Name)
			there[pkg.Name] = true
		}
	}
}

// fits says whether a package is there for a request that is a pattern.
func (c *checker) fits(m member, d rpm.Dependency) bool {
	if d.IsRich() || !rpm.IsGlob(d.Name) {
		return false
	}
	meant := c.meant(d)
	if meant[m.pkg] {
		return true
	}
	for pkg := range meant {
		if slices.ContainsFunc(m.pkg.Obsoletes, func(o rpm.Dependency) bool { return o.MatchedBy(self(pkg)) }) {
			return true
		}
	}
	return false
}

// meant lists the packages that a pattern means, in the first way to read it that fits any.
func (c *checker) meant(d rpm.Dependency) map[*rpmrepo.Package]bool {
	if d.IsRich() || !rpm.IsGlob(d.Name) {
		return nil
	}
	if known, ok := c.patterns[d]; ok {
		return known
	}
	if c.patterns == nil {
		c.patterns = map[rpm.Dependency]map[*rpmrepo.Package]bool{}
	}
	c.patterns[d] = c.lookUp(d)
	return c.patterns[d]
}

func (c *checker) lookUp(d rpm.Dependency) map[*rpmrepo.Package]bool {
	var readings []func(*rpmrepo.Package) bool
	if d.Sense&rpm.RangeMask == 0 {
		for _, s := range rpm.Subjects(d.Name) {
			readings = append(readings, func(pkg *rpmrepo.Package) bool { return s.Matches(pkg.NEVRA) })
		}
	}
	pattern := d.Name
	if before, after, found := strings.Cut(d.Name, "("); found { // "python3dist(x[extra])" is no set
		pattern = before + "(" + strings.ReplaceAll(after, "[", "\\[")
	}
	readings = append(readings, func(pkg *rpmrepo.Package) bool {
		return slices.ContainsFunc(append([]rpm.Dependency{self(pkg)}, pkg.Provides...), func(has rpm.Dependency) bool {
			want := d
			want.Name = has.Name
			return rpm.Glob(pattern, has.Name) && want.MatchedBy(has)
		})
	})
	if strings.HasPrefix(d.Name, "/") {
		found := c.withFiles(d.Name)
		readings = append(readings, func(pkg *rpmrepo.Package) bool { return found[pkg] })
	}
	meant := map[*rpmrepo.Package]bool{}
	for _, fits := range readings {
		for _, r := range c.problem.Repositories {
			for _, pkg := range r.All() {
				if (pkg.Arch == c.problem.Arch || pkg.Arch == "noarch") && fits(pkg) {
					meant[pkg] = true
				}
			}
		}
		if len(meant) > 0 {
			break
		}
	}
	return meant
}

// withFiles lists the packages with a file that fits a pattern.
func (c *checker) withFiles(pattern string) map[*rpmrepo.Package]bool {
	found := map[*rpmrepo.Package]bool{}
	for _, r := range c.problem.Repositories {
		holders, err := r.FilePackagesLike(c.ctx, pattern)
		if err != nil {
			c.errorf("looking for %s: %w", pattern, err)
		}
		for _, i := range holders {
			found[r.Package(i)] = true
		}
	}
	return found
}
