package release

import (
	"maps"
	"slices"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/requirement"
)

// NeedChange is one thing that an image needs otherwise than before.
type NeedChange struct {
	Image, Target string
	Name          string // as in a Matrix
	// From and To are the requests before and after, sorted; empty where there was, or will be, none.
	From, To []string
	// FromBy and ToBy are who makes them, each place once.
	FromBy, ToBy []requirement.Requirement
}

// DiffNeeds compares what the same images need at two points, in the order of targets, images and
// names. Who asks is not compared, only what is asked for. With build also what builds the projects
// counts.
func (p *Pipeline) DiffNeeds(from, to *Needs, build bool) []NeedChange {
	var changes []NeedChange
	for _, target := range to.Targets {
		i := slices.IndexFunc(from.Targets, func(t TargetNeeds) bool { return t.Target == target.Target })
		if i < 0 {
			continue // both are of the same images
		}
		t := p.readFor(target.Target)
		for _, after := range target.Roots {
			j := slices.IndexFunc(from.Targets[i].Roots, func(r *requirement.Merged) bool { return r.Image == after.Image })
			if j < 0 || lock.IsBuildRoot(after.Image) && !build {
				continue
			}
			for _, c := range diffRoot(byName(from.Targets[i].Roots[j], t), byName(after, t)) {
				c.Image, c.Target = after.Image, target.Target
				changes = append(changes, c)
			}
		}
	}
	return changes
}

// byName gathers what a root asks for.
func byName(m *requirement.Merged, t requirement.Target) map[string]*asked {
	rows := map[string]*asked{}
	for _, item := range m.Items {
		ask(rows, rowName(item.Request, t), 0, 1, item)
	}
	return rows
}

func diffRoot(from, to map[string]*asked) []NeedChange {
	all := maps.Clone(from)
	maps.Copy(all, to)
	var changes []NeedChange
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := NeedChange{Name: name}
		c.From, c.FromBy = from[name].texts()
		c.To, c.ToBy = to[name].texts()
		if !slices.Equal(c.From, c.To) {
			changes = append(changes, c)
		}
	}
	return changes
}

// texts are the requests of a row for the first target, and who makes them.
func (a *asked) texts() ([]string, []requirement.Requirement) {
	if a == nil {
		return nil, nil
	}
	var list []string
	for _, d := range a.requests[0] {
		list = append(list, d.String())
	}
	slices.Sort(list)
	return list, a.by
}
