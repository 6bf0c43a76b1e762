package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
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

// Elsewhere is a package that its repository does not have any more, and another place has.
type Elsewhere struct {
	Target  string
	Package string // its NEVRA
	// Place is where it is, without credentials.
	Place string
	// Archived says that it is the archive's.
	Archived bool
}

// CheckLock says what would keep needs from being built with a lock as it is: needs that it was not
// made for, and packages that cannot be fetched any more. No package is downloaded and no metadata is
// looked at: whether there are newer packages is no matter. Packages that are to be had, but not from
// their repository, are told beside. The error is about the looking itself.
func (p *Pipeline) CheckLock(ctx context.Context, n *Needs, l *lock.Lock) (problems []LockProblem, elsewhere []Elsewhere, err error) {
	if err := p.permit(ctx, n); err != nil {
		return nil, nil, err
	}
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
		gone, moved, err := p.unavailable(ctx, t)
		if err != nil {
			return nil, nil, err
		}
		problems, elsewhere = append(problems, gone...), append(elsewhere, moved...)
	}
	return problems, elsewhere, nil
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
		case tn.requestsDigest(root, conf):
		case "":
			problems = append(problems, LockProblem{Target: t.Name, Root: root.Image, Text: "it is not locked yet"})
		default:
			problems = append(problems, LockProblem{Target: t.Name, Root: root.Image, Text: "its needs have changed since they were locked"})
		}
	}
	return problems
}

// unavailable looks for each package of a target where its repository has it, and elsewhere.
func (p *Pipeline) unavailable(ctx context.Context, t *lock.Target) (problems []LockProblem, elsewhere []Elsewhere, err error) {
	w, err := p.places(ctx, t.Name)
	if err != nil {
		return nil, nil, err
	}
	var artifacts []rpmrepo.Artifact
	var packages []*lock.Package
	for i := range t.Packages {
		pkg := &t.Packages[i]
		a, ok := w.artifact(pkg)
		if !ok {
			problems = append(problems, LockProblem{Target: t.Name, Package: pkg.NEVRA.String(), Text: fmt.Sprintf("it is locked from repository %q, which the target does not have", pkg.Repository)})
			continue
		}
		artifacts, packages = append(artifacts, a), append(packages, pkg)
	}
	found, err := p.Repositories.Available(ctx, artifacts)
	if err != nil {
		return nil, nil, err
	}
	for i, f := range found {
		nevra := packages[i].NEVRA.String()
		switch {
		case f.Err != nil:
			text := strings.ReplaceAll(f.Err.Error(), "\n", " ")
			problems = append(problems, LockProblem{Target: t.Name, Package: nevra, Text: text})
		case f.Also != "":
			e := Elsewhere{Target: t.Name, Package: nevra, Place: transfer.Redact(f.Also)}
			e.Archived = w.archive != nil && slices.Contains(w.archive.Places(t.Name, archived(packages[i])), f.Also)
			elsewhere = append(elsewhere, e)
		}
	}
	return problems, elsewhere, nil
}
