package release

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/requirement"
	"github.com/slipway-build/slipway/internal/rpm"
)

// Matrix says what each target of the configuration has of what the images need. Nothing is resolved:
// whether packages can be installed together is the lock's concern.
type Matrix struct {
	Targets []string // sorted
	Rows    []MatrixRow
	// Needs is what was read of the projects, for every target.
	Needs *Needs
}

// MatrixRow is one dependency, in the order of names.
type MatrixRow struct {
	Name  string
	Cells []Cell                    // one for each target
	By    []requirement.Requirement // who asks for it, each place once
}

// Cell is what one target has of a dependency.
type Cell struct {
	State CellState
	// Package is the one that would be used: of the repositories of the best priority that have a fit
	// one, the highest version. Repository is where it is. Both are empty where there is none.
	Package    rpm.NEVRA
	Repository string
	// Has is the highest version of what is asked for, fit or not; empty where it has no version.
	Has string
	// Needs are the ranges that are asked for, such as ">= 2"; empty where any version will do.
	Needs string
}

// CellState says whether a target has what is needed.
type CellState string

// The states of a cell.
const (
	CellUnneeded CellState = ""        // nobody asks for it on this target
	CellFit      CellState = "fit"     // a package meets all that is asked
	CellMissing  CellState = "missing" // nothing of the name
	CellTooOld   CellState = "too old" // there are only lower versions
	CellTooNew   CellState = "too new" // there are only higher versions
	CellUnfit    CellState = "unfit"   // no version meets all that is asked
)

// Lacking says that a dependency can't be had.
func (c Cell) Lacking() bool { return c.State != CellUnneeded && c.State != CellFit }

// String is the version that would be used, or what is wrong.
func (c Cell) String() string {
	switch c.State {
	case CellUnneeded, CellMissing:
		return string(c.State)
	case CellFit:
		return cmp.Or(c.Has, version(c.Package.EVR))
	default:
		return fmt.Sprintf("%s (has %s, needs %s)", c.State, cmp.Or(c.Has, "no version"), c.Needs)
	}
}

// Matrix reads what the candidate's images need on every target of the configuration, whichever target
// each is built for, and looks into the targets' repositories. With build also what builds the projects
// counts.
func (p *Pipeline) Matrix(ctx context.Context, c *Candidate, build bool) (*Matrix, error) {
	byTarget := map[string][]string{}
	for name := range p.Config.Targets {
		byTarget[name] = c.Images
	}
	n, err := p.survey(ctx, c, byTarget)
	if err != nil {
		return nil, err
	}
	m := &Matrix{Needs: n}
	rows := map[string]*asked{}
	for i, t := range n.Targets {
		m.Targets = append(m.Targets, t.Target)
		for _, root := range t.Roots {
			if lock.IsBuildRoot(root.Image) && !build {
				continue
			}
			for _, item := range root.Items {
				ask(rows, rowName(item.Request, p.readFor(t.Target)), i, len(n.Targets), item)
			}
		}
	}
	shelves := make([]*shelf, len(m.Targets))
	for i, target := range m.Targets {
		repos, err := p.loadRepositories(ctx, target)
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", target, err)
		}
		shelves[i] = &shelf{repositories: repos, arch: p.Config.Targets[target].Arch}
	}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		row := MatrixRow{Name: name, Cells: make([]Cell, len(m.Targets)), By: rows[name].by}
		for i, requests := range rows[name].requests {
			if len(requests) == 0 {
				continue
			}
			if row.Cells[i], err = shelves[i].cell(ctx, requests); err != nil {
				return nil, fmt.Errorf("target %s: looking for %s: %w", m.Targets[i], name, err)
			}
		}
		m.Rows = append(m.Rows, row)
	}
	return m, nil
}

// asked is what is asked for under one name.
type asked struct {
	requests [][]rpm.Dependency // for each target, each once
	by       []requirement.Requirement
}

// ask adds an item to its row.
func ask(rows map[string]*asked, name string, target, targets int, item requirement.Item) {
	row := rows[name]
	if row == nil {
		row = &asked{requests: make([][]rpm.Dependency, targets)}
		rows[name] = row
	}
	if !slices.Contains(row.requests[target], item.Request) {
		row.requests[target] = append(row.requests[target], item.Request)
	}
	for _, q := range item.By {
		if !slices.ContainsFunc(row.by, func(have requirement.Requirement) bool { return have.Origin == q.Origin && have.Written == q.Written }) {
			row.by = append(row.by, q)
		}
	}
}

// versionedDist is how the Python of one version asks: python3.11dist(x).
var versionedDist = regexp.MustCompile(`^python[0-9]+\.[0-9]+dist\(`)

// rowName is the name under which targets are compared: that of the dependency, with python3dist() for
// what a target's table or its Python calls otherwise. A rich dependency about several names stands for
// itself.
func rowName(d rpm.Dependency, t requirement.Target) string {
	names := leafNames(d)
	if len(names) != 1 {
		return d.String()
	}
	for _, project := range slices.Sorted(maps.Keys(t.Names)) {
		if request, err := rpm.ParseDependency(t.Names[project]); err == nil && request.Name == names[0] {
			return "python3dist(" + project + ")"
		}
	}
	return versionedDist.ReplaceAllString(names[0], "python3dist(")
}

// leafNames are the names that a dependency speaks of, sorted, each once.
func leafNames(d rpm.Dependency) []string {
	var names []string
	for _, leaf := range leaves(tree(d)) {
		names = append(names, leaf.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// tree is a dependency as a rich one; what can't be read stands for itself.
func tree(d rpm.Dependency) *rpm.Rich {
	if d.IsRich() {
		if r, err := rpm.ParseRich(d.Name); err == nil {
			return r
		}
	}
	return &rpm.Rich{Op: rpm.RichDep, Dep: d}
}

// leaves are the plain dependencies of a rich one.
func leaves(r *rpm.Rich) []rpm.Dependency {
	if r == nil {
		return nil
	}
	if r.Op == rpm.RichDep {
		return []rpm.Dependency{r.Dep}
	}
	return slices.Concat(leaves(r.Left), leaves(r.Right), leaves(r.Else))
}

// ranges writes what versions requests allow, without the name.
func ranges(requests []rpm.Dependency) string {
	var list []string
	for _, d := range requests {
		text := strings.TrimSpace(strings.TrimPrefix(d.String(), d.Name))
		if d.IsRich() {
			text = d.Name
			if names := leafNames(d); len(names) == 1 {
				text = strings.Trim(strings.ReplaceAll(text, names[0]+" ", ""), "()")
			}
		}
		if text != "" {
			list = append(list, text)
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ", ")
}

// version is an EVR as people compare it: without the release.
func version(e rpm.EVR) string {
	e.Release = ""
	return e.String()
}
