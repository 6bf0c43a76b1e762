package release

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// loadRepositories reads the metadata of a target's repositories, in their order, without the
// packages that modules hide.
func (p *Pipeline) loadRepositories(ctx context.Context, target string) ([]*rpmrepo.Repository, error) {
	confs, err := p.repositories(target)
	if err != nil {
		return nil, err
	}
	repos := make([]*rpmrepo.Repository, len(confs))
	g, loading := errgroup.WithContext(ctx)
	for i, conf := range confs {
		g.Go(func() (err error) {
			repos[i], err = p.Repositories.Load(loading, conf)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	t := p.Config.Targets[target]
	platform := t.ModulePlatform
	if platform == "" {
		platform = resolve.PlatformOf(t.Release)
	}
	visible, _, err := resolve.Modular(ctx, repos, resolve.Modules{Enabled: enabledModules(t), Platform: platform, Arch: t.Arch})
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", target, err)
	}
	return visible, nil
}

// enabledModules lists a target's streams, sorted: their order says nothing.
func enabledModules(t config.Target) []string {
	var out []string
	for _, m := range t.Modules {
		out = append(out, m.Value)
	}
	slices.Sort(out)
	return out
}

// repositories are a target's repository configurations: its .repo files, Copr projects and inline
// ones, enabled ones only.
func (p *Pipeline) repositories(target string) ([]rpmrepo.Config, error) {
	var list []rpmrepo.Config
	seen := map[string]bool{}
	for _, r := range p.Config.Targets[target].Repositories {
		confs, err := p.configured(p.Config.Targets[target], r)
		if err != nil {
			return nil, fmt.Errorf("reading repositories of target %s: %w", target, err)
		}
		for _, c := range confs {
			if !c.Enabled {
				continue
			}
			if seen[c.ID] {
				return nil, fmt.Errorf("target %s: two repositories are called %q", target, c.ID)
			}
			seen[c.ID] = true
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("target %s: no repository is enabled", target)
	}
	return list, nil
}

// configured reads one entry of a target's repositories, which may be a file of several.
func (p *Pipeline) configured(t config.Target, r config.Repository) ([]rpmrepo.Config, error) {
	switch {
	case r.File != "":
		return p.repoFile(t, r)
	case r.Copr != "":
		chroot := r.Chroot
		if chroot == "" {
			chroot = rpmrepo.CoprChroot(t.Release, t.Arch)
		}
		c, err := rpmrepo.Copr(r.Copr, chroot)
		return []rpmrepo.Config{p.inline(c, r)}, err
	}
	return []rpmrepo.Config{p.inline(rpmrepo.DefaultConfig(r.ID), r)}, nil
}

func (p *Pipeline) repoFile(t config.Target, r config.Repository) ([]rpmrepo.Config, error) {
	path := p.Config.Rel(r.File)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	_, version, _ := cutLast(t.Release, "-")
	confs, err := rpmrepo.ParseConfig(data, path, rpmrepo.NewVars(version, t.Arch))
	for i := range confs {
		p.keys(&confs[i], r)
	}
	return confs, err
}

// inline lays what an entry itself says over what its repository is otherwise.
func (p *Pipeline) inline(c rpmrepo.Config, r config.Repository) rpmrepo.Config {
	if r.ID != "" {
		c.ID, c.Name = r.ID, r.ID
	}
	for _, u := range r.BaseURL {
		c.BaseURL = append(c.BaseURL, p.place(u))
	}
	p.keys(&c, r)
	c.Metalink, c.MirrorList, c.RepoGPGCheck = r.Metalink, r.MirrorList, r.RepoGPGCheck
	c.Exclude, c.Include = r.Exclude, r.Include
	if r.GPGCheck != nil {
		c.GPGCheck = *r.GPGCheck
	}
	if r.Priority != 0 {
		c.Priority = r.Priority
	}
	c.ModuleHotfixes = r.ModuleHotfixes
	return c
}

// keys are those that the entry names instead of others, and which of them it pins.
func (p *Pipeline) keys(c *rpmrepo.Config, r config.Repository) {
	if len(r.GPGKey) > 0 {
		c.GPGKey = nil
		for _, k := range r.GPGKey {
			c.GPGKey = append(c.GPGKey, p.place(k))
		}
	}
	for _, f := range r.Fingerprints {
		c.Fingerprints = append(c.Fingerprints, strings.ToLower(strings.ReplaceAll(f.Value, " ", "")))
	}
}

// place makes a path of the configuration absolute and leaves a URL alone.
func (p *Pipeline) place(s string) string {
	if strings.Contains(s, "://") {
		return s
	}
	return p.Config.Rel(s)
}
