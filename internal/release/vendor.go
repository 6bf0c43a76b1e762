package release

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/slipway-build/slipway/internal/archive"
	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// Vendored says what of a target the archive was given.
type Vendored struct {
	Target string
	archive.Added
}

// Vendor keeps all packages of a lock in the archive. They are fetched, and verified as for a build, where
// the cache has them not.
func (p *Pipeline) Vendor(ctx context.Context, l *lock.Lock) ([]Vendored, error) {
	to := p.Archive()
	if to == nil {
		return nil, fmt.Errorf("%s names no archive to keep packages in: add archive: {folder: ./rpms} or archive: {registry: HOST/PATH}", config.FileName)
	}
	var done []Vendored
	for i := range l.Targets {
		t := &l.Targets[i]
		if _, ok := p.Config.Targets[t.Name]; !ok {
			continue // left from an older configuration
		}
		files, err := p.fetchPackages(ctx, t)
		if err != nil {
			return nil, err
		}
		packages := make([]archive.Package, len(files))
		for j, file := range files {
			packages[j] = archived(&t.Packages[j])
			packages[j].Path = file
		}
		added, err := to.Add(ctx, t.Name, packages)
		if err != nil {
			return nil, fmt.Errorf("keeping the packages of target %s: %w", t.Name, err)
		}
		done = append(done, Vendored{t.Name, added})
	}
	return done, nil
}

// loadArchived gives what the archive has for a target and its repositories do not: for each of these a
// further repository of the same ID, of the lowest priority. A package of it is checked by the keys of
// the one that it came from.
func (p *Pipeline) loadArchived(ctx context.Context, target string, repos []*rpmrepo.Repository) ([]*rpmrepo.Repository, error) {
	from := p.Archive()
	if _, remote := from.(*archive.Registry); from == nil || remote && p.Repositories.Offline {
		return nil, nil
	}
	folders, err := from.Repositories(ctx, target)
	if err != nil {
		return nil, err
	}
	var list []*rpmrepo.Repository
	for _, r := range repos {
		folder, ok := folders[archive.FolderName(r.Config.ID)]
		if !ok {
			continue
		}
		conf := r.Config
		conf.BaseURL, conf.Metalink, conf.MirrorList, conf.RepoGPGCheck = []string{folder}, "", "", false
		conf.Priority = math.MaxInt32
		kept, err := p.Repositories.Load(ctx, conf)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("reading the archive %s", from), err)
		}
		list = append(list, withoutOffered(kept, repos))
	}
	return list, nil
}

// withoutOffered hides the packages of a repository that others have, too.
func withoutOffered(r *rpmrepo.Repository, others []*rpmrepo.Repository) *rpmrepo.Repository {
	return r.Restrict(func(i int) bool {
		pkg := r.Package(i)
		for _, other := range others {
			for _, j := range other.Named(pkg.Name) {
				if other.Package(j).NEVRA == pkg.NEVRA {
					return true
				}
			}
		}
		return false
	})
}
