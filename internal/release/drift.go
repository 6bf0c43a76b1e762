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
			for _, d := range requirement.FindDrift(n.Projects[target][project], p.readFor(target), p.allowances(project)) {
				key := project + "\x00" + d.String()
				if i, ok := at[key]; ok {
					drifts[i].Targets = append(drifts[i].Targets, target)
					continue
				}
				at[key] = len(drifts)
				drifts = append(drifts, ProjectDrift{Project: project, Targets: []string{target}, Drift: d})
			}
			for _, ignored := range p.Config.Projects[project].Drift.Ignore {
				key := project + "\x00" + ignored.Name.Value
				used[key] = used[key] || p.drifts(n.Projects[target][project], target, ignored)
			}
		}
	}
	slices.SortStableFunc(drifts, func(a, b ProjectDrift) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return drifts, p.stale(used)
}

// allowances are the drifts of a project that slipway.yaml allows for.
func (p *Pipeline) allowances(project string) []requirement.Allowance {
	var list []requirement.Allowance
	for _, g := range p.Config.Projects[project].Drift.Ignore {
		list = append(list, requirement.Allowance{Name: g.Name.Value, Reason: g.Reason})
	}
	return list
}

// drifts says whether there is anything that an entry allows for.
func (p *Pipeline) drifts(n *requirement.Needs, target string, ignored config.IgnoredDrift) bool {
	mark := []requirement.Allowance{{Name: ignored.Name.Value, Reason: "\x00"}}
	return slices.ContainsFunc(requirement.FindDrift(n, p.readFor(target), mark), func(d requirement.Drift) bool { return d.Allowed == "\x00" })
}

// stale tells which entries allowed for nothing, of the projects that were looked at.
func (p *Pipeline) stale(used map[string]bool) []string {
	var list []string
	for _, project := range slices.Sorted(maps.Keys(p.Config.Projects)) {
		for _, g := range p.Config.Projects[project].Drift.Ignore {
			if useful, looked := used[project+"\x00"+g.Name.Value]; looked && !useful {
				list = append(list, fmt.Sprintf("%s:%d: projects.%s.drift.ignore: %s does not drift any more", config.FileName, g.Name.Line, project, g.Name.Value))
			}
		}
	}
	return list
}
