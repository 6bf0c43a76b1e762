package release

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/requirement"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// Needs is what a candidate's images need.
type Needs struct {
	// Targets are sorted by name.
	Targets []TargetNeeds
	// Projects are what each project says, per target, for reports.
	Projects map[string]map[string]*requirement.Needs // target -> project -> needs
	// Warnings are what the images' package lists leave open, with file and line, sorted.
	Warnings []string
}

// TargetNeeds is what the images of one target need.
type TargetNeeds struct {
	Target string
	// Roots are the images, sorted by name, then a build root (lock.BuildRoot) where a project must be
	// built.
	Roots []*requirement.Merged
	// Sources are the repositories from which packages of projects are taken (config.FromRPM), by name;
	// Hidden those of other branches.
	Sources map[string]string
	Hidden  map[string]bool
}

// UnmetError says that projects of an image need another revision of each other.
type UnmetError struct{ Unmet []requirement.Unmet }

func (e *UnmetError) Error() string {
	var lines []string
	for _, u := range e.Unmet {
		if line := u.String(); !slices.Contains(lines, line) { // several images may have both
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// Needs reads what the candidate's projects need and merges it per image. Where one project needs
// another one that the image has at an unfit revision, it is an *UnmetError.
func (p *Pipeline) Needs(ctx context.Context, c *Candidate) (*Needs, error) {
	n, err := p.Survey(ctx, c)
	if err != nil {
		return nil, err
	}
	if unmet := n.Unmet(); len(unmet) > 0 {
		return nil, &UnmetError{Unmet: unmet}
	}
	return n, nil
}

// Survey is Needs for reports: what one project needs of another and does not get is no error.
func (p *Pipeline) Survey(ctx context.Context, c *Candidate) (*Needs, error) {
	byTarget := map[string][]string{}
	for _, img := range c.Images {
		t := p.Config.Images[img].Target
		byTarget[t] = append(byTarget[t], img)
	}
	return p.survey(ctx, c, byTarget)
}

// survey reads the needs of images on targets.
func (p *Pipeline) survey(ctx context.Context, c *Candidate, byTarget map[string][]string) (*Needs, error) {
	n := &Needs{Projects: map[string]map[string]*requirement.Needs{}}
	for _, name := range slices.Sorted(maps.Keys(byTarget)) {
		tn, err := p.targetNeeds(ctx, c, name, byTarget[name], n)
		if err != nil {
			return nil, err
		}
		n.Targets = append(n.Targets, tn)
	}
	slices.Sort(n.Warnings)
	n.Warnings = slices.Compact(n.Warnings)
	return n, nil
}

// Unmet is what projects need of each other and do not get, image by image.
func (n *Needs) Unmet() []requirement.Unmet {
	var unmet []requirement.Unmet
	for _, t := range n.Targets {
		for _, r := range t.Roots {
			unmet = append(unmet, r.Unmet...)
		}
	}
	return unmet
}

func (p *Pipeline) targetNeeds(ctx context.Context, c *Candidate, name string, images []string, n *Needs) (TargetNeeds, error) {
	target := p.readFor(name)
	read := map[string]*requirement.Needs{}
	n.Projects[name] = read
	tn := TargetNeeds{Target: name}
	for _, img := range images {
		for _, project := range p.Config.Images[img].Projects {
			if read[project] != nil {
				continue
			}
			r, err := p.read(ctx, c, project, target, nil)
			if err != nil {
				return tn, err
			}
			read[project] = r
		}
	}
	if err := p.askBackends(ctx, c, name, read); err != nil {
		return tn, err
	}
	for _, img := range images {
		var needs []*requirement.Needs
		for _, project := range p.Config.Images[img].Projects {
			needs = append(needs, read[project])
		}
		extra, err := p.exceptWheels(ctx, img)
		if err != nil {
			return tn, err
		}
		for _, w := range extra {
			of, err := w.needs(target)
			if err != nil {
				return tn, fmt.Errorf("image %s: %w", img, err)
			}
			needs = append(needs, of)
		}
		lists, err := p.lists(ctx, c, img, target)
		if err != nil {
			return tn, err
		}
		n.Warnings = append(n.Warnings, lists.warnings...)
		rpms, err := p.rpmProjects(img, c.Branch, &tn)
		if err != nil {
			return tn, err
		}
		merged, err := requirement.Merge(img, needs, slices.Concat(p.extra(img), rpms, lists.requirements))
		if err != nil {
			return tn, fmt.Errorf("image %s: %w", img, err)
		}
		tn.Roots = append(tn.Roots, merged)
	}
	if len(read) > 0 {
		build, err := p.buildNeeds(name, read)
		if err != nil {
			return tn, err
		}
		tn.Roots = append(tn.Roots, build)
	}
	return tn, nil
}

// readFor is what requirements of a target are read for.
func (p *Pipeline) readFor(name string) requirement.Target {
	t := p.Config.Targets[name]
	names := map[string]string{}
	for project, request := range t.Names {
		names[pymeta.NormalizeName(project)] = request
	}
	return requirement.Target{
		Release: t.Release, Arch: t.Arch, Python: t.Python, AlternativePython: t.OtherPython,
		Macros: t.Macros, Names: names, Requests: t.Requests,
	}
}

// program is the interpreter of a target.
func (p *Pipeline) program(target string) string {
	if t := p.Config.Targets[target]; t.OtherPython {
		return "/usr/bin/python" + t.Python
	}
	return "/usr/bin/python3"
}

// read reads a project. core is its metadata as the build backend has it, where that was asked.
func (p *Pipeline) read(ctx context.Context, c *Candidate, project string, target requirement.Target, core []byte) (*requirement.Needs, error) {
	tree, err := p.tree(ctx, c, project)
	if err != nil {
		return nil, fmt.Errorf("project %s: %w", project, err)
	}
	defer tree.Close()
	r := c.Revisions[project]
	needs, err := requirement.Read(requirement.Project{Name: project, Commit: r.Commit, Tree: tree, SCM: scm(r), Metadata: core}, target)
	if err != nil {
		return nil, fmt.Errorf("project %s at %s: %w", project, r.Short(), err)
	}
	return needs, nil
}

// extra is what an image needs beyond its projects: its package list.
func (p *Pipeline) extra(name string) []requirement.Requirement {
	img := p.Config.Images[name]
	var list []requirement.Requirement
	for _, pkg := range img.Packages {
		list = append(list, requirement.Requirement{
			Request: pkg.Value, Written: pkg.Value,
			Origin: requirement.Origin{File: config.FileName, Line: pkg.Line, Section: "images." + name + ".packages"},
		})
	}
	return list
}

// build is the root in which the wheels are built; "" where there are none.
func (tn *TargetNeeds) build() string {
	for _, r := range tn.Roots {
		if lock.IsBuildRoot(r.Image) {
			return r.Image
		}
	}
	return ""
}

// buildRoot names the root in which these projects of a target are built: by which they are, so that
// environments with others do not take turns in it.
func (p *Pipeline) buildRoot(target string, projects []string) string {
	if slices.Equal(projects, p.projectsOn(target, p.Config.ImageNames())) {
		return lock.BuildRoot
	}
	return lock.BuildRootOf(projects)
}

// projectsOn lists the projects that are installed in those of the images that a target has, sorted.
func (p *Pipeline) projectsOn(target string, images []string) []string {
	var projects []string
	for _, name := range images {
		if img := p.Config.Images[name]; img.Target == target {
			projects = append(projects, img.Projects...)
		}
	}
	slices.Sort(projects)
	return slices.Compact(projects)
}

// buildRoots are all that environments can need on a target.
func (p *Pipeline) buildRoots(target string) []string {
	roots := []string{lock.BuildRoot}
	for env := range p.Config.Environments {
		roots = append(roots, p.buildRoot(target, p.projectsOn(target, p.Config.ImagesOf(env))))
	}
	return roots
}

// buildNeeds is what the root needs in which the wheels of a target are built.
func (p *Pipeline) buildNeeds(target string, read map[string]*requirement.Needs) (*requirement.Merged, error) {
	var needs []*requirement.Needs
	for _, project := range slices.Sorted(maps.Keys(read)) {
		needs = append(needs, read[project])
	}
	merged, err := requirement.MergeBuild(p.buildRoot(target, sortedKeys(read)), needs, p.pipNeed(target))
	if err != nil {
		return nil, fmt.Errorf("needs of the build: %w", err)
	}
	return merged, nil
}
