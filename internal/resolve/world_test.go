package resolve_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// limits say how large and how wild a random world is.
type limits struct {
	names, versions, requests int
	rich, weak, repos         bool
	richConflicts             bool
	// wild adds what real repositories have: epochs, tildes and carets, files, kernels, the same
	// package in several repositories, exclude lists, and requests in all forms.
	wild bool
}

func randomWorld(r *rand.Rand, l limits) world {
	g := generator{r, l}
	w := world{repos: []string{"repo one" + g.options()}}
	var copies []string
	for n := range l.names {
		if l.repos && r.IntN(6) == 0 {
			w.repos = append(w.repos, fmt.Sprintf("repo r%d priority=%d cost=%d", n, 90+r.IntN(3)*5, 900+r.IntN(3)*100)+g.options())
			if l.wild && r.IntN(2) == 0 {
				w.repos = append(w.repos, copies...)
			}
		}
		for _, v := range r.Perm(l.versions)[:1+r.IntN(l.versions)] {
			lines := g.pkg(n, v+1)
			w.repos = append(w.repos, lines...)
			if r.IntN(8) == 0 {
				copies = append(copies, lines...)
			}
		}
	}
	for range 1 + r.IntN(l.requests) {
		w.requests = append(w.requests, g.request())
	}
	return w
}

type generator struct {
	*rand.Rand
	limits
}

func (g generator) pkg(n, version int) []string {
	arch := []string{"noarch", "x86_64", "x86_64"}[n%3]
	lines := []string{fmt.Sprintf("%s-%s.%s", g.name(n), g.evr(version), arch)}
	add := func(key string, odds int, dep func() string) {
		for g.IntN(odds) == 0 {
			lines = append(lines, "  "+key+": "+dep())
		}
	}
	add("provides", 3, g.provide)
	add("requires", 2, g.dependency)
	if g.richConflicts {
		add("conflicts", 10, g.dependency)
	}
	add("conflicts", 8, g.simple)
	add("obsoletes", 9, g.simpleName)
	if g.weak {
		for _, key := range []string{"recommends", "suggests", "supplements", "enhances"} {
			add(key, 6, g.dependency)
		}
	}
	if g.wild {
		add("files", 5, g.path)
	}
	return lines
}

// wildVersions are in no particular order.
var wildVersions = []string{"1", "2", "1~rc1", "1^git1", "1.1", "1:1", "2~~", "1.0", "1:0.5", "1a"}

func (g generator) evr(version int) string {
	if !g.wild {
		return fmt.Sprintf("%d-1", version)
	}
	return wildVersions[(version*7+g.IntN(2))%len(wildVersions)] + []string{"-1", "-1", "-2", "-1~x"}[g.IntN(4)]
}

// name is that of a package: the first two are kernels in a wild world.
func (g generator) name(n int) string {
	if g.wild && n < 2 {
		return []string{"kernel", "kernel-core"}[n]
	}
	return fmt.Sprintf("p%d", n)
}

func (g generator) path() string { return fmt.Sprintf("/usr/bin/f%d", g.IntN(4)) }

// options are those of a repository.
func (g generator) options() string {
	if !g.wild {
		return ""
	}
	switch g.IntN(8) {
	case 0:
		return " exclude=" + g.pattern() + "," + g.pattern()
	case 1:
		return " include=p*,kernel* exclude=" + g.pattern()
	}
	return ""
}

// pattern names packages in one of the ways in which dnf takes names.
func (g generator) pattern() string {
	name := g.name(g.IntN(g.names))
	version, release, _ := strings.Cut(g.evr(1+g.IntN(3)), "-")
	switch g.IntN(9) {
	case 0:
		return name + "." + []string{"noarch", "x86_64", "*"}[g.IntN(3)]
	case 1:
		return name + "-" + version
	case 2:
		return name + "-" + version + "-" + release
	case 3:
		return name + "-" + version + "-" + release + "." + []string{"noarch", "x86_64"}[g.IntN(2)]
	case 4:
		return name[:len(name)-1] + "?"
	case 5:
		return "p1*"
	case 6:
		return name + "-[12]*"
	}
	return name
}

func (g generator) request() string {
	if !g.wild {
		return g.simple()
	}
	switch g.IntN(8) {
	case 0, 1, 2:
		return g.pattern()
	case 3:
		return g.path()
	case 4:
		return []string{"/usr/bin/*", "/usr/bin/f?", "v*", "v? >= 2", "v[0-1]"}[g.IntN(5)]
	}
	return g.simple()
}

func (g generator) provide() string {
	if g.wild && g.IntN(8) == 0 {
		return []string{"installonlypkg(kernel)", "kernel = 3", g.path()}[g.IntN(3)]
	}
	name := fmt.Sprintf("v%d", g.IntN(3))
	if g.IntN(2) == 0 {
		return name
	}
	return name + " = " + g.bound()
}

// bound is a version in a dependency.
func (g generator) bound() string {
	if !g.wild {
		return fmt.Sprint(1 + g.IntN(3))
	}
	evr := g.evr(1 + g.IntN(3))
	if g.IntN(2) == 0 {
		evr, _, _ = strings.Cut(evr, "-")
	}
	return evr
}

func (g generator) simpleName() string { return g.ranged(g.name(g.IntN(g.names))) }

func (g generator) simple() string {
	if g.wild && g.IntN(8) == 0 {
		return g.path()
	}
	if g.IntN(3) == 0 {
		return g.ranged(fmt.Sprintf("v%d", g.IntN(3)))
	}
	return g.simpleName()
}

func (g generator) ranged(name string) string {
	if g.IntN(2) == 0 {
		return name
	}
	return fmt.Sprintf("%s %s %s", name, []string{"<", "<=", "=", ">=", ">"}[g.IntN(5)], g.bound())
}

func (g generator) dependency() string {
	if !g.rich || g.IntN(3) > 0 {
		return g.simple()
	}
	return g.richDependency(2)
}

func (g generator) richDependency(depth int) string {
	part := g.simple
	if depth > 0 && g.IntN(3) == 0 {
		part = func() string { return g.richDependency(depth - 1) }
	}
	switch g.IntN(8) {
	case 0, 1:
		return fmt.Sprintf("(%s or %s)", part(), part())
	case 2:
		return fmt.Sprintf("(%s and %s)", part(), part())
	case 3:
		return fmt.Sprintf("(%s if %s)", part(), part())
	case 4:
		return fmt.Sprintf("(%s if %s else %s)", part(), part(), part())
	case 5:
		return fmt.Sprintf("(%s with %s)", g.simple(), g.simple())
	case 6:
		return fmt.Sprintf("(%s without %s)", g.simple(), g.simple())
	}
	if g.IntN(2) == 0 {
		return fmt.Sprintf("(%s unless %s)", part(), part())
	}
	return fmt.Sprintf("(%s unless %s else %s)", part(), part(), part())
}

// shrink drops packages, lines and requests as long as the world still fails.
func (w world) shrink(fails func(world) error) world {
	for changed := true; changed; {
		changed = false
		for i := len(w.repos) - 1; i > 0; i-- {
			end := i + 1
			if w.repos[i][0] != ' ' { // a package with its lines
				for end < len(w.repos) && w.repos[end][0] == ' ' {
					end++
				}
			}
			smaller := world{slices.Concat(w.repos[:i], w.repos[min(end, len(w.repos)):]), w.requests}
			if fails(smaller) != nil {
				w, changed = smaller, true
				i = min(i, len(w.repos))
			}
		}
		for i := len(w.requests) - 1; i >= 0 && len(w.requests) > 1; i-- {
			smaller := world{w.repos, slices.Concat(w.requests[:i], w.requests[i+1:])}
			if fails(smaller) != nil {
				w, changed = smaller, true
			}
		}
	}
	return w
}
