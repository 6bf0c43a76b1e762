package release

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/requirement"
)

// ProjectDrift is one thing about which a project's spec and its Python metadata disagree.
type ProjectDrift struct {
	Project string
	// Targets are those for which the sources disagree in this way, sorted.
	Targets []string
	requirement.Drift
}

// Drift compares the two sources of each project, for each target that it was read for. The result is
// in the order of projects and names, with what slipway.yaml allows for; stale tells of what it allows
// for without need.
func (p *Pipeline) Drift(n *Needs) (drifts []ProjectDrift, stale []string) {
	at := map[string]int{}
	used := map[string]bool{}
	for _, target := range slices.Sorted(maps.Keys(n.Projects)) {
		for _, project := range slices.Sorted(maps.Keys(n.Projects[target])) {
			for _, d := range requirement.FindDrift(n.Projects[target][project], p.readFor(target), p.allowances(project, target)) {
				key := project + "\x00" + d.String()
				if i, ok := at[key]; ok {
					drifts[i].Targets = append(drifts[i].Targets, target)
					continue
				}
				at[key] = len(drifts)
				drifts = append(drifts, ProjectDrift{Project: project, Targets: []string{target}, Drift: d})
			}
			for i, ignored := range p.Config.Projects[project].Drift.Ignore {
				if ignored.Target == "" || ignored.Target == target {
					key := entryKey(project, i)
					used[key] = used[key] || p.drifts(n.Projects[target][project], target, ignored)
				}
			}
		}
	}
	slices.SortStableFunc(drifts, func(a, b ProjectDrift) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return drifts, p.stale(used)
}

// driftKinds are the words of slipway.yaml for the kinds of drift.
var driftKinds = map[string]requirement.DriftKind{
	"only-spec": requirement.OnlySpec, "only-python": requirement.OnlyPython, "ranges-differ": requirement.RangesDiffer,
	"build-only": requirement.BuildOnly, "duplicate": requirement.Duplicate,
}

// allowances are the drifts of a project on a target that slipway.yaml allows for.
func (p *Pipeline) allowances(project, target string) []requirement.Allowance {
	var list []requirement.Allowance
	for _, g := range p.Config.Projects[project].Drift.Ignore {
		if g.Target == "" || g.Target == target {
			list = append(list, requirement.Allowance{Name: g.Name.Value, Kind: driftKinds[g.Kind], Reason: g.Reason})
		}
	}
	return list
}

// drifts says whether there is anything that an entry allows for.
func (p *Pipeline) drifts(n *requirement.Needs, target string, ignored config.IgnoredDrift) bool {
	mark := []requirement.Allowance{{Name: ignored.Name.Value, Kind: driftKinds[ignored.Kind], Reason: "\x00"}}
	return slices.ContainsFunc(requirement.FindDrift(n, p.readFor(target), mark), func(d requirement.Drift) bool { return d.Allowed == "\x00" })
}

// entryKey identifies an entry of a project's drift.ignore.
func entryKey(project string, i int) string { return fmt.Sprintf("%s\x00%d", project, i) }

// ignoredWhat names what an entry is about.
func ignoredWhat(g config.IgnoredDrift) string {
	what := g.Name.Value
	if g.Kind != "" {
		what += " (" + g.Kind + ")"
	}
	if g.Target != "" {
		what += " on " + g.Target
	}
	return what
}

// stale tells which entries allowed for nothing, of the projects and targets that were looked at.
func (p *Pipeline) stale(used map[string]bool) []string {
	var list []string
	for _, project := range slices.Sorted(maps.Keys(p.Config.Projects)) {
		for i, g := range p.Config.Projects[project].Drift.Ignore {
			if useful, looked := used[entryKey(project, i)]; looked && !useful {
				list = append(list, fmt.Sprintf("%s:%d: projects.%s.drift.ignore: %s does not drift any more", config.FileName, g.Name.Line, project, ignoredWhat(g)))
			}
		}
	}
	return list
}
