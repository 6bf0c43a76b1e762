// Package check verifies solutions of package resolve. It shares no code with the solver: it takes
// the packages of a solution and looks, one dependency after the other, whether rpm would install
// them together and whether each is there for a reason. It is slow and simple; tests use it.
package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// Solution returns everything that is wrong with a solution, joined, or nil: what Valid finds, and
//
//   - a package that nothing needs;
//   - a package of which nothing says why it is there.
//
// It does not say whether there is a better solution.
func Solution(ctx context.Context, p resolve.Problem, s *resolve.Solution) error {
	c, err := newChecker(ctx, p, s)
	if err != nil {
		return err
	}
	c.valid()
	c.needless()
	for _, chosen := range s.Packages {
		if len(chosen.Why) == 0 {
			c.errorf("nothing says why %s is there", chosen.Package.NEVRA)
		}
	}
	return errors.Join(c.wrong...)
}

// Valid returns why a set of packages cannot be installed together or does not meet the requests:
//
//   - a package that is not one of the repositories', or of another architecture;
//   - two packages of one name, unless several versions of it may be installed;
//   - a request, or a requirement of a package, that nothing meets;
//   - a package that conflicts with another or obsoletes it;
//   - a package that brings what a virtual one already is.
func Valid(ctx context.Context, p resolve.Problem, s *resolve.Solution) error {
	c, err := newChecker(ctx, p, s)
	if err != nil {
		return err
	}
	c.valid()
	return errors.Join(c.wrong...)
}

func newChecker(ctx context.Context, p resolve.Problem, s *resolve.Solution) (*checker, error) {
	c := &checker{ctx: ctx, problem: p}
	for _, v := range p.Virtuals {
		c.all = append(c.all, member{virtual: true, pkg: &rpmrepo.Package{
			NEVRA: rpm.NEVRA{Name: v.Name, EVR: v.EVR, Arch: "noarch"}, Provides: v.Provides,
		}})
	}
	for _, chosen := range s.Packages {
		c.addPackage(chosen)
	}
	c.holders = map[string][]int{}
	for i, m := range c.all {
		c.hold(m.pkg.Name, i)
		for _, d := range m.pkg.Provides {
			c.hold(d.Name, i)
		}
		for _, path := range m.files {
			c.hold(path, i)
		}
	}
	return c, c.findFiles(ctx)
}

// hold notes that a package has a name.
func (c *checker) hold(name string, i int) {
	if known := c.holders[name]; len(known) == 0 || known[len(known)-1] != i {
		c.holders[name] = append(known, i)
	}
}

func (c *checker) valid() {
	c.names()
	c.requirements()
	c.enemies()
}

type checker struct {
	ctx     context.Context //nolint:containedctx // a checker lives for one call
	problem resolve.Problem
	all     []member
	wrong   []error
	// holders says who may meet a dependency of a name, by index: whoever has it as a name, a Provide
	// or a file. It only saves looking at all.
	holders map[string][]int
	// patterns holds what patterns among the requests mean, once it is known.
	patterns map[rpm.Dependency]map[*rpmrepo.Package]bool
}

// member is a package of the solution, or a virtual one.
type member struct {
	virtual bool
	pkg     *rpmrepo.Package
	repo    *rpmrepo.Repository
	index   int
	files   []string // paths it is known to have
}

func (c *checker) errorf(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Errorf(format, args...))
}

func (c *checker) addPackage(chosen resolve.Chosen) {
	pkg := chosen.Package
	if !slices.Contains(c.problem.Repositories, chosen.Repository) {
		c.errorf("%s is of no repository of the problem", pkg.NEVRA)
		return
	}
	if chosen.Index < 0 || chosen.Index >= chosen.Repository.Len() || chosen.Repository.Package(chosen.Index) != pkg {
		c.errorf("%s is not package %d of its repository", pkg.NEVRA, chosen.Index)
	}
	if chosen.Repository.Excluded(chosen.Index) {
		c.errorf("%s is excluded", pkg.NEVRA)
	}
	if pkg.Arch != c.problem.Arch && pkg.Arch != "noarch" {
		c.errorf("%s is not for %s", pkg.NEVRA, c.problem.Arch)
	}
	c.all = append(c.all, member{
		pkg: pkg, repo: chosen.Repository, index: chosen.Index, files: slices.Clone(pkg.Files),
	})
}

// findFiles asks the file lists for paths that are required and that no package is known to have.
func (c *checker) findFiles(ctx context.Context) error {
	for _, path := range c.paths() {
		d := rpm.Dependency{Name: path}
		if c.metPlain(d, nil) {
			continue
		}
		for i := range c.all {
			m := &c.all[i]
			if m.virtual {
				continue
			}
			holders, err := m.repo.FilePackages(ctx, path)
			if err != nil {
				return fmt.Errorf("looking for %s: %w", path, err)
			}
			if slices.Contains(holders, m.index) {
				m.files = append(m.files, path)
				c.hold(path, i)
			}
		}
	}
	return nil
}

// paths lists the paths that anything in the solution speaks of.
func (c *checker) paths() []string {
	var paths []string
	collect := func(d rpm.Dependency) {
		for _, leaf := range leaves(d) {
			if leaf.IsPath() {
				paths = append(paths, leaf.Name)
			}
		}
	}
	for _, r := range c.problem.Requests {
		collect(r.Dependency)
	}
	for _, m := range c.all {
		for _, d := range m.pkg.Requires {
			collect(d)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// names looks at packages that cannot be there together because of what they are called.
func (c *checker) names() {
	for i, m := range c.all {
		for _, n := range c.all[:i] {
			if m.pkg.Name == n.pkg.Name && !(parallel(m.pkg) && parallel(n.pkg) && m.pkg.NEVRA != n.pkg.NEVRA) {
				c.errorf("%s and %s are both installed", n.pkg.NEVRA, m.pkg.NEVRA)
			}
			if n.virtual && !m.virtual && duplicates(m.pkg, n.pkg) {
				c.errorf("%s brings what %s already is", m.pkg.NEVRA, n.pkg.Name)
			}
		}
	}
}

// parallel says whether versions of the package can be installed side by side.
func parallel(pkg *rpmrepo.Package) bool {
	for _, d := range append([]rpm.Dependency{{Name: pkg.Name}}, pkg.Provides...) {
		switch d.Name {
		case "kernel", "kernel-PAE", "installonlypkg(kernel)", "installonlypkg(kernel-module)",
			"installonlypkg(vm)", "multiversion(kernel)":
			return true
		}
	}
	return false
}

func duplicates(pkg, virtual *rpmrepo.Package) bool {
	names := map[string]bool{virtual.Name: true}
	for _, d := range virtual.Provides {
		names[d.Name] = true
	}
	return names[pkg.Name] || slices.ContainsFunc(pkg.Provides, func(d rpm.Dependency) bool {
		return names[d.Name] && strings.HasPrefix(d.Name, "python") && strings.Contains(d.Name, "dist(")
	})
}

func (c *checker) requirements() {
	for _, r := range c.problem.Requests {
		if !c.met(r.Dependency, nil) && !c.named(r.Dependency) {
			c.pattern(r.Dependency)
		}
	}
	for _, m := range c.all {
		for _, d := range m.pkg.Requires {
			if !c.met(d, nil) {
				c.errorf("%s requires %s, which nothing meets", m.pkg.NEVRA, d)
			}
		}
	}
}

func (c *checker) enemies() {
	for i, m := range c.all {
		for _, d := range m.pkg.Conflicts {
			// A package does not conflict with itself. What that means for a rich conflict which it
			// is a part of is not agreed on: these are not looked at.
			if d.IsRich() && slices.ContainsFunc(leaves(d), m.meets) {
				continue
			}
			if c.met(d, m.pkg) {
				c.errorf("%s conflicts with %s, which is installed", m.pkg.NEVRA, d)
			}
		}
		for _, d := range m.pkg.Obsoletes {
			for j, n := range c.all {
				if i != j && d.MatchedBy(self(n.pkg)) {
					c.errorf("%s obsoletes %s, which is installed", m.pkg.NEVRA, n.pkg.NEVRA)
				}
			}
		}
	}
}

// needless follows from the requests what is needed for them, through whatever meets a dependency.
func (c *checker) needless() {
	needed := make([]bool, len(c.all))
	var todo []int
	add := func(i int) {
		if !needed[i] {
			needed[i] = true
			todo = append(todo, i)
		}
	}
	need := func(d rpm.Dependency) {
		for _, leaf := range leaves(d) {
			for _, i := range c.holders[leaf.Name] {
				if c.all[i].meets(leaf) {
					add(i)
				}
			}
		}
	}
	for _, r := range c.problem.Requests {
		need(r.Dependency)
		for i, m := range c.all {
			one := checker{problem: c.problem, all: []member{m}}
			if one.named(r.Dependency) || c.fits(m, r.Dependency) {
				add(i)
			}
		}
	}
	for i, m := range c.all {
		if m.virtual {
			add(i)
		}
	}
	for len(todo) > 0 {
		m := c.all[todo[0]]
		todo = todo[1:]
		for _, d := range m.pkg.Requires {
			need(d)
		}
		for _, d := range m.pkg.Conflicts { // "A unless B" can be kept by installing B
			if d.IsRich() {
				need(d)
			}
		}
		if c.problem.Weak {
			c.weak(m, need, add)
		}
	}
	for i, m := range c.all {
		if !needed[i] {
			c.errorf("nothing needs %s", m.pkg.NEVRA)
		}
	}
}

// weak adds what a needed package recommends, and what supplements the solution.
func (c *checker) weak(m member, need func(rpm.Dependency), add func(int)) {
	for _, d := range m.pkg.Recommends {
		need(d)
	}
	for i, n := range c.all {
		for _, d := range n.pkg.Supplements {
			if c.met(d, nil) {
				add(i)
			}
		}
	}
}
