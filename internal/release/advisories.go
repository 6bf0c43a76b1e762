package release

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// UnknownAdvisories is a repository of which is not known what its updates are for.
type UnknownAdvisories struct {
	Target     string `json:"target"`
	Repository string `json:"repository"` // empty where the target's configuration cannot be read
	Reason     string `json:"reason"`
	// Offline says that it is only that nothing may be fetched.
	Offline bool `json:"offline,omitempty"`
}

// Advisories says for each change which advisories it brings: those that name a build of the package
// that is newer than the old one and not newer than the new one. Only upgrades bring any. The worst
// come first. A repository whose advisories cannot be had is no error; one that has none at all is
// not spoken of.
func (p *Pipeline) Advisories(ctx context.Context, changes []lock.Change) (brought [][]rpmrepo.Advisory, unknown []UnknownAdvisories, err error) {
	brought = make([][]rpmrepo.Advisory, len(changes))
	byTarget := map[string]map[string][]*rpmrepo.Advisory{} // then by package name
	for i, c := range changes {
		if c.Kind != lock.Upgraded {
			continue
		}
		known, ok := byTarget[c.Target]
		if !ok {
			missing, err := p.targetAdvisories(ctx, c.Target, &known)
			if err != nil {
				return nil, nil, err
			}
			byTarget[c.Target] = known
			unknown = append(unknown, missing...)
		}
		brought[i] = between(known[c.Name()], c.Old.NEVRA, c.New.NEVRA)
	}
	return brought, unknown, nil
}

// targetAdvisories reads those of a target's repositories, by the names of the packages they are
// about. An error is that of the context.
func (p *Pipeline) targetAdvisories(ctx context.Context, target string, known *map[string][]*rpmrepo.Advisory) (unknown []UnknownAdvisories, err error) {
	*known = map[string][]*rpmrepo.Advisory{}
	missing := func(repository string, err error) {
		_, offline := errors.AsType[*rpmrepo.OfflineError](err)
		unknown = append(unknown, UnknownAdvisories{Target: target, Repository: repository, Reason: err.Error(), Offline: offline})
	}
	confs, err := p.repositories(target)
	if err != nil {
		missing("", err)
	}
	for _, conf := range confs {
		list, err := p.repositoryAdvisories(ctx, conf)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			missing(conf.ID, err)
		}
		for i := range list {
			for _, n := range list[i].Packages {
				if about := (*known)[n.Name]; len(about) == 0 || about[len(about)-1] != &list[i] {
					(*known)[n.Name] = append(about, &list[i])
				}
			}
		}
	}
	return unknown, nil
}

func (p *Pipeline) repositoryAdvisories(ctx context.Context, conf rpmrepo.Config) ([]rpmrepo.Advisory, error) {
	r, err := p.Repositories.Load(ctx, conf)
	if err != nil {
		return nil, err
	}
	list, _, err := r.Advisories(ctx)
	return list, err
}

// between picks the advisories with a build of the package after old, up to now. Of one that several
// repositories have the first is taken.
func between(about []*rpmrepo.Advisory, old, now rpm.NEVRA) []rpmrepo.Advisory {
	var out []rpmrepo.Advisory
	for _, a := range about {
		brings := slices.ContainsFunc(a.Packages, func(n rpm.NEVRA) bool {
			return n.Name == now.Name && n.Arch == now.Arch && n.EVR.Compare(old.EVR) > 0 && n.EVR.Compare(now.EVR) <= 0
		})
		if brings && !slices.ContainsFunc(out, func(b rpmrepo.Advisory) bool { return b.ID == a.ID }) {
			out = append(out, *a)
		}
	}
	slices.SortFunc(out, func(a, b rpmrepo.Advisory) int {
		return cmp.Or(gravity(b)-gravity(a), strings.Compare(a.ID, b.ID))
	})
	return out
}

// gravity orders advisories: security before everything else, and among it by severity.
func gravity(a rpmrepo.Advisory) int {
	g := 0
	if a.Type == "security" {
		g = 10
	}
	return g + 1 + slices.Index([]string{"low", "moderate", "important", "critical"}, strings.ToLower(a.Severity))
}
