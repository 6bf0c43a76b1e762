package release

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/requirement"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/wheel"
)

// askBackends completes the needs of projects whose own files leave something to their build backend: it is asked for
// the metadata in the root in which wheels are built. What that root is made of hangs on build requirements alone, which
// are always written down, so it can be had before the needs are known.
//
// Where a backend can't be asked, the needs stay as they were read and a diagnostic says why: the wheel could not be
// built here either. Only the context's end is an error.
func (p *Pipeline) askBackends(ctx context.Context, c *Candidate, target string, read map[string]*requirement.Needs) error {
	var open []string
	for _, project := range slices.Sorted(maps.Keys(read)) {
		if n := read[project]; len(n.Unread) > 0 {
			open = append(open, project)
		} else {
			p.log().Debug("metadata read from the project's files", "project", project, "target", target)
		}
	}
	if len(open) == 0 {
		return nil
	}
	b := &backends{build: build{Pipeline: p, candidate: c}, target: target, read: read}
	for _, project := range open {
		core, err := b.metadata(ctx, project)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			b.unanswered(project, err)
			continue
		}
		n, err := p.read(ctx, c, project, p.readFor(target), core)
		if err != nil {
			return err
		}
		p.log().Debug("metadata asked of the build backend, in the build root", "project", project, "target", target,
			"backend", n.Backend.Name, "fields", strings.Join(read[project].Unread, ", "))
		read[project] = n
	}
	return nil
}

// backends asks the build backends of a target's projects.
type backends struct {
	build
	target string
	read   map[string]*requirement.Needs
	// roots are where backends run, by how they were come by: as the lock has it, or resolved anew.
	roots map[bool]wheel.Root
}

// metadata asks in the root that slipway.lock has, if it has one that holds what the backend needs, or else in one that
// is resolved for this.
func (b *backends) metadata(ctx context.Context, project string) ([]byte, error) {
	root, locked, err := b.root(ctx, true)
	if err != nil {
		return nil, err
	}
	core, err := b.ask(ctx, project, root)
	var fault *wheel.BuildError
	if !locked || !errors.As(err, &fault) || len(fault.Missing) == 0 {
		return core, err
	}
	if root, _, err = b.root(ctx, false); err != nil {
		return nil, err
	}
	return b.ask(ctx, project, root)
}

func (b *backends) ask(ctx context.Context, project string, root wheel.Root) ([]byte, error) {
	tree, err := b.tree(ctx, b.candidate, project)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	return wheel.Metadata(ctx, wheel.Request{
		Project: project, Version: b.read[project].Version, Tree: tree, Epoch: b.candidate.Revisions[project].Time.Unix(), Root: root, Log: b.log(),
	}, b.Cache)
}

// root is where wheels of the target are built. With fromLock it is the lock's, where there is one; locked says so.
func (b *backends) root(ctx context.Context, fromLock bool) (_ wheel.Root, locked bool, err error) {
	old, err := b.ReadLock()
	if err != nil {
		return wheel.Root{}, false, err
	}
	name := b.buildRoot(b.target, sortedKeys(b.read))
	t := lock.Target{}
	if old != nil && old.Target(b.target) != nil {
		t = *old.Target(b.target)
	}
	locked = fromLock && len(t.Root(name)) > 0 && b.current(t)
	if root, ok := b.roots[locked]; ok {
		return root, locked, nil
	}
	if locked {
		t.Packages = t.Root(name)
	} else if t, err = b.resolve(ctx, t); err != nil {
		return wheel.Root{}, false, err
	}
	paths, err := b.fetch(ctx, &t)
	if err != nil {
		return wheel.Root{}, false, err
	}
	base, err := b.base(ctx, &t, name, paths)
	if err != nil {
		return wheel.Root{}, false, err
	}
	lowers, err := b.Images.Unpack(ctx, base)
	if err != nil {
		return wheel.Root{}, false, err
	}
	if b.roots == nil {
		b.roots = map[bool]wheel.Root{}
	}
	b.roots[locked] = wheel.Root{Lowers: lowers, Key: t.Digest(name), Python: b.program(b.target)}
	return b.roots[locked], locked, nil
}

// current says whether a target's lock is for the release and the architecture that slipway.yaml has now.
func (b *backends) current(t lock.Target) bool {
	conf := b.Config.Targets[b.target]
	return t.Arch == conf.Arch && t.Release == conf.Release
}

// resolve finds what builds the projects, keeping what the old lock has.
func (b *backends) resolve(ctx context.Context, old lock.Target) (lock.Target, error) {
	merged, err := b.buildNeeds(b.target, b.read)
	if err != nil {
		return lock.Target{}, err
	}
	repos, err := b.loadRepositories(ctx, b.target)
	if err != nil {
		return lock.Target{}, err
	}
	keep := map[string]rpm.NEVRA{}
	for _, pkg := range old.Packages {
		keep[pkg.NEVRA.Name] = pkg.NEVRA
	}
	conf := b.Config.Targets[b.target]
	s, err := resolve.Resolve(ctx, problem(merged, conf.Arch, repos, keep))
	if err != nil {
		return lock.Target{}, fmt.Errorf("%s can't be resolved: %w", rootName(lock.BuildRoot), err)
	}
	m := newLockMaker(conf, b.Config.Layers, b.target, repos)
	m.add(merged, (&TargetNeeds{Target: b.target}).requestsDigest(merged, conf), s)
	return m.target(), nil
}

// unanswered notes that a project's backend could not be asked.
func (b *backends) unanswered(project string, err error) {
	n := b.read[project]
	b.log().Debug("the build backend could not be asked for metadata", "project", project, "target", b.target, "error", err)
	n.Diagnostics = append(n.Diagnostics, requirement.Diagnostic{
		File: n.Metadata, Message: fmt.Sprintf("%s: only %s can tell, which could not be asked on target %s: %s",
			strings.Join(n.Unread, ", "), n.Backend.Name, b.target, reason(err)),
	})
}

// maxReason bounds what a diagnostic quotes of a backend's failure, in bytes. The whole is in the log.
const maxReason = 500

// reason is a backend's failure in a line: what the build root lacks, or the last that the backend said.
func reason(err error) string {
	text := err.Error()
	var fault *wheel.BuildError
	if errors.As(err, &fault) {
		switch {
		case len(fault.Missing) > 0:
			lines := make([]string, len(fault.Missing))
			for i, m := range fault.Missing {
				lines[i] = m.String()
			}
			text = strings.Join(lines, "; ")
		case len(fault.Output) > 0:
			text = fault.Output[len(fault.Output)-1]
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxReason {
		return strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}
