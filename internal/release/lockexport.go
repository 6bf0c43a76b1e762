package release

import (
	"context"
	"fmt"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/lock"
)

// ExportRPMs writes targets of a lock as an rpms.lock.yaml (lock.ExportRPMs), with each package at the
// first place where its repository has it. A repository that is found through a metalink or a mirror
// list is asked for its mirrors.
func (p *Pipeline) ExportRPMs(ctx context.Context, targets []*lock.Target) ([]byte, error) {
	all := map[string]*places{}
	for _, t := range targets {
		if _, ok := p.Config.Targets[t.Name]; !ok {
			return nil, fmt.Errorf("%s does not have target %s of %s any more: choose another one", config.FileName, t.Name, lock.FileName)
		}
		var err error
		if all[t.Name], err = p.places(ctx, t.Name); err != nil {
			return nil, err
		}
	}
	return lock.ExportRPMs(targets, func(t *lock.Target, pkg *lock.Package) (string, error) {
		a, ok := all[t.Name].artifact(pkg)
		if !ok {
			return "", all[t.Name].unknown(pkg)
		}
		return p.Repositories.Place(ctx, a)
	})
}
