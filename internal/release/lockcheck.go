package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// LockProblem is something that makes a lock unfit for a build.
type LockProblem struct {
	Target string
	// Root is the image, or the build root, whose needs the lock does not meet; empty where it is not
	// about one.
	Root string
	// Package is what cannot be fetched, as a NEVRA; empty for problems of other kinds.
	Package string
	// Text says what is wrong.
	Text string
}

// String says it with its target.
func (p LockProblem) String() string {
	subject := ""
	switch {
	case p.Package != "":
		subject = p.Package + ": "
	case p.Root != "":
		subject = rootName(p.Root) + ": "
	}
	return "target " + p.Target + ": " + subject + p.Text
}

// CheckLock says what would keep needs from being built with a lock as it is: needs that it was not
// made for, and packages that cannot be fetched any more. No package is downloaded and no metadata is
// looked at: whether there are newer packages is no matter. The error is about the looking itself.
func (p *Pipeline) CheckLock(ctx context.Context, n *Needs, l *lock.Lock) ([]LockProblem, error) {
	var problems []LockProblem
	for _, tn := range n.Targets {
		var t *lock.Target
		if l != nil {
			t = l.Target(tn.Target)
		}
		if t == nil {
			problems = append(problems, LockProblem{Target: tn.Target, Text: "it is not in " + lock.FileName + " yet"})
			continue
		}
		problems = append(problems, p.outdated(t, tn)...)
		gone, err := p.unavailable(ctx, t)
		if err != nil {
			return nil, err
		}
		problems = append(problems, gone...)
	}
	return problems, nil
}

// outdated says why a target's lock was not made for these needs; see locked.
func (p *Pipeline) outdated(t *lock.Target, tn TargetNeeds) []LockProblem {
	conf := p.Config.Targets[tn.Target]
	if t.Arch != conf.Arch || t.Release != conf.Release {
		return []LockProblem{{Target: t.Name, Text: fmt.Sprintf("it was locked as %s on %s, and is %s on %s now", t.Release, t.Arch, conf.Release, conf.Arch)}}
	}
	var problems []LockProblem
	for _, root := range tn.Roots {
		switch t.Requests[root.Image] {
		case requestsDigest(root, conf):
		case "":
			problems = append(problems, LockProblem{Target: t.Name, Root: root.Image, Text: "it is not locked yet"})
		default:
			problems = append(problems, LockProblem{Target: t.Name, Root: root.Image, Text: "its needs have changed since they were locked"})
		}
	}
	return problems
}

// unavailable looks for each package of a target where its repository has it.
func (p *Pipeline) unavailable(ctx context.Context, t *lock.Target) ([]LockProblem, error) {
	confs, err := p.repositories(t.Name)
	if err != nil {
		return nil, err
	}
	var problems []LockProblem
	var artifacts []rpmrepo.Artifact
	var packages []*lock.Package
	for i := range t.Packages {
		pkg := &t.Packages[i]
		a, ok := artifact(confs, pkg)
		if !ok {
			problems = append(problems, LockProblem{Target: t.Name, Package: pkg.NEVRA.String(), Text: fmt.Sprintf("it is locked from repository %q, which the target does not have", pkg.Repository)})
			continue
		}
		artifacts, packages = append(artifacts, a), append(packages, pkg)
	}
	reasons, err := p.Repositories.Available(ctx, artifacts)
	if err != nil {
		return nil, err
	}
	for i, reason := range reasons {
		if reason != nil {
			text := strings.ReplaceAll(reason.Error(), "\n", " ")
			problems = append(problems, LockProblem{Target: t.Name, Package: packages[i].NEVRA.String(), Text: text})
		}
	}
	return problems, nil
}

// artifact is what brings a locked package, if its repository still is among the target's.
func artifact(confs []rpmrepo.Config, pkg *lock.Package) (rpmrepo.Artifact, bool) {
	i := slices.IndexFunc(confs, func(c rpmrepo.Config) bool { return c.ID == pkg.Repository })
	if i < 0 {
		return rpmrepo.Artifact{}, false
	}
	return rpmrepo.Artifact{Config: confs[i], Location: pkg.Path, SHA256: pkg.SHA256, Size: pkg.Size}, true
}
