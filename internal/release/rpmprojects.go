package release

import (
	"fmt"
	"maps"
	"slices"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/requirement"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// rpmProjects asks for the projects of an image that are taken as RPMs, and says from which repository each
// is taken at a branch. Repositories of other branches are not to be seen.
func (p *Pipeline) rpmProjects(img, branch string, tn *TargetNeeds) ([]requirement.Requirement, error) {
	var list []requirement.Requirement
	for _, name := range p.Config.Images[img].RPMProjects {
		from := p.Config.Projects[name].RPM
		repository, ok := from.Repositories[branch]
		if !ok {
			return nil, fmt.Errorf("%s:%d: project %s is taken as an RPM, and no repository is named for branch %s: add projects.%s.rpm.repositories: {%s: …}",
				config.FileName, from.Package.Line, name, branch, name, branch)
		}
		if tn.Sources == nil {
			tn.Sources, tn.Hidden = map[string]string{}, map[string]bool{}
		}
		tn.Sources[from.Package.Value] = repository
		for _, id := range from.Repositories {
			tn.Hidden[id] = true
		}
		list = append(list, requirement.Requirement{
			Request: from.Package.Value, Written: from.Package.Value,
			Origin: requirement.Origin{File: config.FileName, Line: from.Package.Line, Section: "projects." + name + ".rpm"},
		})
	}
	for _, id := range tn.Sources {
		delete(tn.Hidden, id)
	}
	return list, nil
}

// only hides the repositories of other branches, and the packages of projects in all repositories but
// their own.
func (tn *TargetNeeds) only(repos []*rpmrepo.Repository) ([]*rpmrepo.Repository, error) {
	if len(tn.Sources) == 0 {
		return repos, nil
	}
	for _, name := range sortedKeys(tn.Sources) {
		if !slices.ContainsFunc(repos, func(r *rpmrepo.Repository) bool { return r.Config.ID == tn.Sources[name] }) {
			return nil, fmt.Errorf("target %s has no repository %q, from which %s is to be taken", tn.Target, tn.Sources[name], name)
		}
	}
	out := make([]*rpmrepo.Repository, len(repos))
	for n, r := range repos {
		out[n] = r.Restrict(func(i int) bool {
			source, ok := tn.Sources[r.Package(i).Name]
			return tn.Hidden[r.Config.ID] || ok && source != r.Config.ID
		})
	}
	return out, nil
}

// sources is what the digest of requests says of them.
func (tn *TargetNeeds) sources() []string {
	var parts []string
	for _, name := range sortedKeys(tn.Sources) {
		parts = append(parts, "from", name, tn.Sources[name])
	}
	for _, id := range slices.Sorted(maps.Keys(tn.Hidden)) {
		parts = append(parts, "hidden", id)
	}
	return parts
}
