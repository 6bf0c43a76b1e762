package lock

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ChangeKind says what became of a package.
type ChangeKind string

// A package is Rebuilt when its NEVRA is the same but the file is not.
const (
	Added      ChangeKind = "added"
	Removed    ChangeKind = "removed"
	Upgraded   ChangeKind = "upgraded"
	Downgraded ChangeKind = "downgraded"
	Rebuilt    ChangeKind = "rebuilt"
)

// Change is one difference between two locks.
type Change struct {
	Target string
	Kind   ChangeKind
	// Old is nil for what was added, New for what was removed.
	Old, New *Package
}

// Name is the package's name.
func (c Change) Name() string {
	if c.New != nil {
		return c.New.NEVRA.Name
	}
	return c.Old.NEVRA.Name
}

// String says the change in a line: "upgraded flask 2.0-1 -> 2.1-1".
func (c Change) String() string {
	switch {
	case c.Old == nil:
		return fmt.Sprintf("%s %s", c.Kind, c.New.NEVRA)
	case c.New == nil:
		return fmt.Sprintf("%s %s", c.Kind, c.Old.NEVRA)
	case c.Old.NEVRA == c.New.NEVRA:
		return fmt.Sprintf("%s %s", c.Kind, c.New.NEVRA)
	}
	was, is := c.Old.NEVRA.EVR.String(), c.New.NEVRA.EVR.String()
	if c.Old.NEVRA.Arch != c.New.NEVRA.Arch {
		was, is = was+"."+c.Old.NEVRA.Arch, is+"."+c.New.NEVRA.Arch
	}
	return fmt.Sprintf("%s %s %s -> %s", c.Kind, c.Name(), was, is)
}

// Diff compares two locks and gives what changed from a to b, sorted by target, then by name. Either
// may be nil, which is a lock without targets. Which root a package is in, and why, is not compared.
func Diff(a, b *Lock) []Change {
	var changes []Change
	for _, name := range targetNames(a, b) {
		for _, c := range diffPackages(packagesByName(a, name), packagesByName(b, name)) {
			c.Target = name
			changes = append(changes, c)
		}
	}
	return changes
}

func targetNames(locks ...*Lock) []string {
	var names []string
	for _, l := range locks {
		if l == nil {
			continue
		}
		for _, t := range l.Targets {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func packagesByName(l *Lock, target string) map[string][]*Package {
	byName := map[string][]*Package{}
	if l == nil || l.Target(target) == nil {
		return byName
	}
	t := l.Target(target)
	for i := range t.Packages {
		p := &t.Packages[i]
		byName[p.NEVRA.Name] = append(byName[p.NEVRA.Name], p)
	}
	return byName
}

func diffPackages(a, b map[string][]*Package) []Change {
	names := make([]string, 0, len(a)+len(b))
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		names = append(names, name)
	}
	slices.Sort(names)
	var changes []Change
	for _, name := range slices.Compact(names) {
		changes = append(changes, diffName(a[name], b[name])...)
	}
	return changes
}

// diffName compares the versions of one name. What is in both is paired first; of the rest the
// newest of one side is paired with the newest of the other.
func diffName(a, b []*Package) []Change {
	var changes []Change
	order := func(p, q *Package) int { return q.NEVRA.Compare(p.NEVRA) }
	a, b = sorted(a, order), sorted(b, order)
	a = slices.DeleteFunc(a, func(old *Package) bool {
		i := slices.IndexFunc(b, func(p *Package) bool { return p.NEVRA == old.NEVRA })
		if i < 0 {
			return false
		}
		if b[i].SHA256 != old.SHA256 {
			changes = append(changes, Change{Kind: Rebuilt, Old: old, New: b[i]})
		}
		b = slices.Delete(b, i, i+1)
		return true
	})
	for len(a) > 0 && len(b) > 0 {
		c := Change{Kind: Upgraded, Old: a[0], New: b[0]}
		if b[0].NEVRA.EVR.Compare(a[0].NEVRA.EVR) < 0 {
			c.Kind = Downgraded
		}
		changes = append(changes, c)
		a, b = a[1:], b[1:]
	}
	for _, p := range a {
		changes = append(changes, Change{Kind: Removed, Old: p})
	}
	for _, p := range b {
		changes = append(changes, Change{Kind: Added, New: p})
	}
	slices.SortFunc(changes, func(c, d Change) int {
		return cmp.Or(strings.Compare(string(c.Kind), string(d.Kind)), strings.Compare(c.String(), d.String()))
	})
	return changes
}
