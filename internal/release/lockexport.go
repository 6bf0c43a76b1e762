package release

import (
	"context"
	"fmt"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// ExportRPMs writes targets of a lock as an rpms.lock.yaml (lock.ExportRPMs), with each package at the
// first place where its repository has it. A repository that is found through a metalink or a mirror
// list is asked for its mirrors.
func (p *Pipeline) ExportRPMs(ctx context.Context, targets []*lock.Target) ([]byte, error) {
	confs := map[string][]rpmrepo.Config{}
	for _, t := range targets {
		if _, ok := p.Config.Targets[t.Name]; !ok {
			return nil, fmt.Errorf("%s does not have target %s of %s any more: choose another one", config.FileName, t.Name, lock.FileName)
		}
		var err error
		if confs[t.Name], err = p.repositories(t.Name); err != nil {
			return nil, err
		}
	}
	return lock.ExportRPMs(targets, func(t *lock.Target, pkg *lock.Package) (string, error) {
		a, ok := artifact(confs[t.Name], pkg)
		if !ok {
			return "", fmt.Errorf("%s is locked from repository %q, which target %s does not have: run slipway lock", pkg.NEVRA, pkg.Repository, t.Name)
		}
		return p.Repositories.Place(ctx, a)
	})
}
