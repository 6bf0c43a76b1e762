package requirement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Merged is what one image needs from RPM repositories.
type Merged struct {
	Image string
	// Items are in the order of their requests' text.
	Items []Item
	// Virtuals are the image's own projects, as the solver shall see them: packages that are already there.
	Virtuals []Virtual
	// Unmet are needs for one of the image's projects which the revision at hand does not satisfy.
	Unmet []Unmet
}

// Item is one request with everyone who makes it.
type Item struct {
	Request rpm.Dependency
	By      []Requirement // in the order of their origins
}

// Virtual is an internal project, offered to the solver as a package.
type Virtual struct {
	Name     string
	EVR      rpm.EVR
	Provides []rpm.Dependency
	Label    string // "ogr at 4f2a1c0"
}

// Unmet is a requirement for an internal project that the revision in the image does not satisfy.
type Unmet struct {
	Requirement Requirement
	Provider    string           // what provides the name: "ogr at 4f2a1c0"
	Has         []rpm.Dependency // what the provider provides under that name
}

// String says what is needed, by whom, and what there is instead.
func (u Unmet) String() string {
	has := make([]string, len(u.Has))
	for i, d := range u.Has {
		has[i] = d.String()
	}
	return fmt.Sprintf("%s needs %s, but %s is %s",
		u.Requirement.Origin, u.Requirement.Request, u.Provider, strings.Join(has, ", "))
}

// Merge joins the runtime needs of an image's projects and the extra requirements (the image's own package list).
// The result does not depend on the order of needs. An error is about two projects of one name, or about a request
// that is not the text of a dependency.
func Merge(image string, needs []*Needs, extra []Requirement) (*Merged, error) {
	return merge(image, needs, extra, func(n *Needs) []Requirement { return n.Runtime })
}

// MergeBuild is [Merge] for what the projects need to be built.
func MergeBuild(image string, needs []*Needs, extra []Requirement) (*Merged, error) {
	return merge(image, needs, extra, func(n *Needs) []Requirement { return n.Build })
}

func merge(image string, needs []*Needs, extra []Requirement, of func(*Needs) []Requirement) (*Merged, error) {
	m := &Merged{Image: image}
	needs = slices.Clone(needs)
	slices.SortFunc(needs, func(a, b *Needs) int { return cmp.Compare(a.Project, b.Project) })
	for i, n := range needs {
		if i > 0 && needs[i-1].Project == n.Project {
			return nil, fmt.Errorf("merging the requirements of %s: the project %s is there twice", image, n.Project)
		}
		m.Virtuals = append(m.Virtuals, virtual(n))
	}
	var all []Requirement
	for _, n := range needs {
		all = append(all, of(n)...)
	}
	all = append(all, extra...)
	items := map[string]*Item{}
	for _, q := range all {
		d, err := rpm.ParseDependency(q.Request)
		if err != nil {
			return nil, fmt.Errorf("merging the requirements of %s: %s: %w", image, q.Origin, err)
		}
		if inside, unmet := satisfy(d, q, needs); inside {
			m.Unmet = append(m.Unmet, unmet...)
			continue
		}
		key := d.String()
		if items[key] == nil {
			items[key] = &Item{Request: d}
		}
		items[key].By = append(items[key].By, q)
	}
	for _, item := range items {
		slices.SortStableFunc(item.By, compareOrigins)
		item.By = slices.Compact(item.By)
		m.Items = append(m.Items, *item)
	}
	slices.SortFunc(m.Items, func(a, b Item) int { return cmp.Compare(a.Request.String(), b.Request.String()) })
	slices.SortStableFunc(m.Unmet, func(a, b Unmet) int { return compareOrigins(a.Requirement, b.Requirement) })
	return m, nil
}

func compareOrigins(a, b Requirement) int {
	x, y := a.Origin, b.Origin
	return cmp.Or(cmp.Compare(x.Project, y.Project), cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line),
		cmp.Compare(x.Section, y.Section), cmp.Compare(a.Request, b.Request))
}

// virtual makes the package that a project is to the solver.
func virtual(n *Needs) Virtual {
	v := Virtual{Name: n.Project, Provides: n.Provides, Label: n.label()}
	if version, err := newRPMVersion(n.Version); err == nil {
		if evr, err := rpm.ParseEVR(version.full()); err == nil {
			v.EVR = evr
		}
	}
	return v
}

// label is what messages call what is needed from.
func (n *Needs) label() string {
	if n.Label != "" {
		return n.Label
	}
	return n.Project + " at " + short(n.Commit)
}

func short(commit string) string {
	if len(commit) > 7 {
		return commit[:7]
	}
	if commit == "" {
		return "an unknown commit"
	}
	return commit
}

// satisfy says whether a request is for one of the image's projects, and if so, whether the revision at hand falls
// short of it. A rich dependency is inside when its own meaning holds among the projects' provides, or when it
// speaks of nothing else.
func satisfy(d rpm.Dependency, q Requirement, needs []*Needs) (inside bool, unmet []Unmet) {
	if d.IsRich() {
		return satisfyRich(d, q, needs)
	}
	provider, has := provided(d.Name, needs)
	if provider == nil {
		return false, nil
	}
	for _, p := range has {
		if d.MatchedBy(p) {
			return true, nil
		}
	}
	return true, []Unmet{{Requirement: q, Provider: provider.label(), Has: has}}
}

// provided returns the first project that provides a name, with all that it provides under it.
func provided(name string, needs []*Needs) (*Needs, []rpm.Dependency) {
	for _, n := range needs {
		var has []rpm.Dependency
		for _, p := range n.Provides {
			if p.Name == name {
				has = append(has, p)
			}
		}
		if len(has) > 0 {
			return n, has
		}
	}
	return nil, nil
}
