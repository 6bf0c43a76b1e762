package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/requirement"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/source"
)

// LockPath is where the service's lock is kept: beside slipway.yaml.
func (p *Pipeline) LockPath() string { return filepath.Join(p.Config.Dir(), lock.FileName) }

// ReadLock reads the service's lock; nil where there is none yet.
func (p *Pipeline) ReadLock() (*lock.Lock, error) {
	l, err := lock.Load(p.LockPath())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return l, err
}

// LockOptions say how a lock is made.
type LockOptions struct {
	// Update takes the newest of every package, instead of keeping what the old lock has.
	Update bool
	// Only, with Update, are names of packages that the old lock has: they are updated, and others
	// stay unless one of them cannot be had otherwise. Empty means all.
	Only []string
	// Refresh takes the newest of every package that the old lock has, and changes nothing else: unlike
	// Update it does not choose anew between packages that provide the same thing, and what the
	// repositories have dropped stays. Not with Update.
	Refresh bool
}

// UpdateLock makes slipway.lock fit these needs: it reads the lock, resolves what it lacks (see Lock) and
// writes it, while no other process does the same. l is what is there now, old what was there before,
// nil where there was none.
func (p *Pipeline) UpdateLock(ctx context.Context, n *Needs, o LockOptions) (l, old *lock.Lock, err error) {
	if old, err = p.ReadLock(); err != nil {
		return nil, nil, err
	}
	if old != nil && !o.Update && !o.Refresh && p.Locked(n, old) {
		return old, old, p.permit(ctx, n) // nothing to write: the folder may even be read-only
	}
	release, err := lock.Guard(ctx, p.LockPath(), func() {
		p.log().InfoContext(ctx, "waiting for another one who writes the lock", "path", p.LockPath())
	})
	if err != nil {
		return nil, nil, err
	}
	defer release()
	if old, err = p.ReadLock(); err != nil {
		return nil, nil, err
	}
	l, changed, err := p.Lock(ctx, n, old, o)
	if err == nil && changed {
		err = l.Write(p.LockPath())
	}
	return l, old, err
}

// Lock resolves needs to RPMs. Where old already meets the same needs it is returned as it is,
// without a look at any repository; otherwise each package of it that can stay, stays. Targets and
// images of old that the needs do not speak of are kept: other environments have them.
func (p *Pipeline) Lock(ctx context.Context, n *Needs, old *lock.Lock, o LockOptions) (l *lock.Lock, changed bool, err error) {
	l = &lock.Lock{}
	if old != nil {
		l.Targets = slices.Clone(old.Targets)
	}
	if err := o.check(n, old); err != nil {
		return nil, false, err
	}
	if err := p.permit(ctx, n); err != nil {
		return nil, false, err
	}
	for _, tn := range n.Targets {
		i := slices.IndexFunc(l.Targets, func(t lock.Target) bool { return t.Name == tn.Target })
		if i < 0 {
			l.Targets = append(l.Targets, lock.Target{Name: tn.Target})
			i = len(l.Targets) - 1
		}
		if !o.concerns(&l.Targets[i]) && p.locked(&l.Targets[i], tn) {
			continue
		}
		if l.Targets[i], err = p.lockTarget(ctx, tn, l.Targets[i], o); err != nil {
			return nil, false, err
		}
		changed = true
	}
	return l, changed, nil
}

// Locked says whether a lock was made for exactly these needs.
func (p *Pipeline) Locked(n *Needs, l *lock.Lock) bool {
	for _, tn := range n.Targets {
		if t := l.Target(tn.Target); t == nil || !p.locked(t, tn) {
			return false
		}
	}
	return true
}

// locked says whether a target's lock was made for exactly these needs.
func (p *Pipeline) locked(t *lock.Target, tn TargetNeeds) bool {
	conf := p.Config.Targets[tn.Target]
	if t.Arch != conf.Arch || t.Release != conf.Release {
		return false
	}
	for _, root := range tn.Roots {
		if t.Requests[root.Image] != tn.requestsDigest(root, conf) {
			return false
		}
	}
	confs, err := p.repositories(tn.Target)
	if err != nil {
		return false // whoever resolves will say so
	}
	return !slices.ContainsFunc(t.Packages, func(pkg lock.Package) bool {
		return !slices.ContainsFunc(confs, func(c rpmrepo.Config) bool { return c.ID == pkg.Repository })
	})
}

// requestsDigest identifies what a root asks of the repositories, and which modules of them are
// enabled.
func (tn *TargetNeeds) requestsDigest(m *requirement.Merged, t config.Target) string {
	parts := append([]string{"requests/1"}, tn.sources()...)
	if modules := enabledModules(t); len(modules) > 0 {
		parts = append(parts, "modules", t.ModulePlatform)
		parts = append(parts, modules...)
	}
	for _, item := range m.Items {
		parts = append(parts, item.Request.String())
	}
	for _, v := range m.Virtuals {
		parts = append(parts, "virtual", v.Name)
		for _, d := range v.Provides {
			parts = append(parts, d.String())
		}
	}
	return cache.Key(parts...)
}

func (p *Pipeline) lockTarget(ctx context.Context, tn TargetNeeds, old lock.Target, o LockOptions) (lock.Target, error) {
	conf := p.Config.Targets[tn.Target]
	repos, err := p.loadRepositories(ctx, tn.Target)
	if err != nil {
		return lock.Target{}, err
	}
	m := newLockMaker(conf, p.Config.Layers, tn.Target, repos)
	for _, pkg := range old.Packages {
		m.paths[pkg.Repository+" "+pkg.SHA256] = pkg.Path
	}
	kept, err := p.loadArchived(ctx, tn.Target, repos)
	if err != nil {
		return lock.Target{}, err
	}
	if repos, err = tn.only(append(repos, kept...)); err != nil {
		return lock.Target{}, err
	}
	keep := o.keep(&old, repos, conf.Arch)
	var memory resolve.Memory
	for _, root := range tn.Roots {
		asked := problem(root, conf.Arch, repos, keep)
		asked.Memory = &memory
		s, err := o.resolve(ctx, asked, &old)
		var conflict *resolve.Conflict
		if errors.As(err, &conflict) {
			return lock.Target{}, fmt.Errorf("%s on target %s can't be installed:\n%w", rootName(root.Image), tn.Target, err)
		} else if err != nil {
			return lock.Target{}, fmt.Errorf("%s on target %s: %w", rootName(root.Image), tn.Target, err)
		}
		m.add(root, tn.requestsDigest(root, conf), s)
		// The next root takes the same versions: what images share is shared by their layers.
		for _, c := range s.Packages {
			keep[c.Package.Name] = c.Package.NEVRA
		}
	}
	build := p.buildRoots(tn.Target)
	for _, root := range sortedKeys(old.Requests) {
		if img, ok := p.Config.Images[root]; slices.Contains(build, root) || ok && img.Target == tn.Target {
			m.carry(old, root)
		}
	}
	return m.target(), nil
}

func rootName(root string) string {
	if lock.IsBuildRoot(root) {
		return "what builds the projects"
	}
	return "image " + root
}

func problem(root *requirement.Merged, arch string, repos []*rpmrepo.Repository, keep map[string]rpm.NEVRA) resolve.Problem {
	pr := resolve.Problem{Repositories: repos, Arch: arch, Keep: keep}
	for _, item := range root.Items {
		for _, by := range item.By {
			pr.Requests = append(pr.Requests, resolve.Request{Dependency: item.Request, Origin: by.Origin.String(), Label: by.Written})
		}
	}
	for _, v := range root.Virtuals {
		pr.Virtuals = append(pr.Virtuals, resolve.Virtual{Name: v.Name, EVR: v.EVR, Provides: v.Provides, Label: v.Label})
	}
	return pr
}

// lockMaker gathers the solutions of a target's roots into one list of packages.
type lockMaker struct {
	layers  int // at most, of an image
	t       lock.Target
	byNEVRA map[rpm.NEVRA]int
	paths   map[string]string // of what was locked before, by repository and sha256: the archive may have others
}

func newLockMaker(conf config.Target, layers int, name string, repos []*rpmrepo.Repository) *lockMaker {
	m := &lockMaker{layers: layers, t: lock.Target{Name: name, Arch: conf.Arch, Release: conf.Release, Requests: map[string]string{}}, byNEVRA: map[rpm.NEVRA]int{}, paths: map[string]string{}}
	for _, r := range repos {
		m.t.Repositories = append(m.t.Repositories, lock.Repository{
			ID: r.Config.ID, URL: address(r.Config), Repomd: r.State.RepomdSHA256, Revision: r.State.Revision,
		})
	}
	return m
}

// address is where a repository is, without credentials.
func address(c rpmrepo.Config) string {
	for _, s := range append([]string{c.Metalink, c.MirrorList}, c.BaseURL...) {
		if s != "" {
			return source.Redact(s)
		}
	}
	return ""
}

func (m *lockMaker) add(root *requirement.Merged, digest string, s *resolve.Solution) {
	m.t.Requests[root.Image] = digest
	for _, c := range s.Packages {
		i, ok := m.byNEVRA[c.Package.NEVRA]
		if !ok {
			i = len(m.t.Packages)
			m.byNEVRA[c.Package.NEVRA] = i
			m.t.Packages = append(m.t.Packages, lock.Package{
				NEVRA: c.Package.NEVRA, Repository: c.Repository.Config.ID, Path: cmp.Or(m.paths[c.Repository.Config.ID+" "+c.Package.SHA256], c.Package.Location),
				SHA256: c.Package.SHA256, Size: c.Package.Size, Source: c.Package.SourceRPM, Why: c.Why[0].String(),
			})
		}
		m.t.Packages[i].Roots = append(m.t.Packages[i].Roots, root.Image)
	}
}

// carry takes a root over as an old lock has it, where it was not resolved anew and is still good.
func (m *lockMaker) carry(old lock.Target, root string) {
	if m.t.Requests[root] != "" || old.Arch != m.t.Arch || old.Release != m.t.Release {
		return
	}
	packages := old.Root(root)
	for _, pkg := range packages {
		if !slices.ContainsFunc(m.t.Repositories, func(r lock.Repository) bool { return r.ID == pkg.Repository }) {
			return
		}
	}
	m.t.Requests[root] = old.Requests[root]
	for _, pkg := range packages {
		i, ok := m.byNEVRA[pkg.NEVRA]
		if !ok {
			i = len(m.t.Packages)
			m.byNEVRA[pkg.NEVRA] = i
			pkg.Roots, pkg.Layer = nil, ""
			m.t.Packages = append(m.t.Packages, pkg)
		}
		m.t.Packages[i].Roots = append(m.t.Packages[i].Roots, root)
	}
}

func (m *lockMaker) target() lock.Target {
	lock.Plan(m.t.Packages, m.layers)
	return m.t
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
