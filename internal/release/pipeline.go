// Package release joins the stages: from the commits of an environment's branch to a snapshot, and
// from a snapshot to what runs.
//
// A Pipeline has a method for each step of the way, and each takes what the step before gave:
//
//	Candidate  fetches the projects and takes each at the environment's branch
//	Needs      reads what they need, merged per image
//	Lock       resolves that to RPMs, keeping an old lock's as far as it can
//	Build      base images, wheels, final images, pushed; recorded as a Snapshot
//	Deploy     the snapshot to the environment's deploy target; recorded as a Promotion
//
// The command line calls them one by one; whatever else wants a release calls the same.
//
// Every step is a function of its inputs and may be called again: what was done is found in the
// cache or in the records, what was interrupted is done again. Nothing here depends on the time of
// day but the times in the records.
package release

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/attest"
	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/progress"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/source"
)

// Pipeline is one service's way from commits to pods. All fields but Progress and Log are needed.
// Its methods are safe for concurrent use where its parts are.
type Pipeline struct {
	Config       *config.Config
	Cache        *cache.Dir
	Sources      *source.Store
	Repositories *rpmrepo.Client
	Images       *image.Builder
	Registry     Registry
	Target       deploy.Target // of environments that deploy to this machine
	Records      Records
	// Key finds the key that signs images, where the configuration names one.
	Key   func() (*attest.Key, error)
	Blobs *registry.Blobs // opens the packages of an archive in a registry
	// Exchange is the folder of the registry through which other builders than ours get bases and give
	// images. It may be deleted while nothing is built. Without it there are only native builds.
	Exchange string
	// WantPip has the root in which projects are built get pip even where no image of the configuration is
	// built by a Containerfile.
	WantPip  bool
	Version  string // of the program: another one may build other bytes
	Now      func() time.Time
	Progress progress.Reporter
	Log      *slog.Logger
}

// Registry says where images go.
type Registry struct {
	// Address is where the registry answers now: HOST:PORT/PATH, without a trailing slash.
	Address string
	Options registry.Options
	// Embedded says that the address is good for this process only.
	Embedded bool
}

// Records keeps snapshots and promotions. ErrNoRecord is what it answers for what it does not have.
// It is safe for concurrent use, and several may be open on the same records, in one process or in
// many.
type Records interface {
	// AddSnapshot records a snapshot; one that is there already stays as it is.
	AddSnapshot(ctx context.Context, s *Snapshot) error
	// Snapshot finds a snapshot of a service by its ID, the beginning of it (four letters or more), or
	// its alias.
	Snapshot(ctx context.Context, service, name string) (*Snapshot, error)
	// SnapshotOf finds the newest snapshot that a candidate came to.
	SnapshotOf(ctx context.Context, service, candidate string) (*Snapshot, error)
	// Begin records that a promotion of a recorded snapshot has begun and gives it its number. An
	// environment has one at a time: while another one runs it is a *BusyError. One whose process has
	// gone without ending it is ended as Aborted first.
	Begin(ctx context.Context, p *Promotion) error
	// End records how it ended, by whoever began it. A promotion ends once.
	End(ctx context.Context, number int64, state State, message string, at time.Time) error
	// Promotions lists at most limit of an environment, newest first. Only those are Running that
	// somebody runs: what was left by a process that is gone is Aborted, without a time.
	Promotions(ctx context.Context, service, environment string, limit int) ([]Promotion, error)
}

// ErrNoRecord says that the records do not have what was asked for.
var ErrNoRecord = errors.New("not recorded")

// environment finds an environment by name.
func (p *Pipeline) environment(name string) (config.Environment, error) {
	env, ok := p.Config.Environments[name]
	if !ok {
		have := slices.Sorted(maps.Keys(p.Config.Environments))
		if len(have) == 0 {
			return env, fmt.Errorf("there is no environment %q: %s has none", name, config.FileName)
		}
		return env, fmt.Errorf("there is no environment %q: %s has %s", name, config.FileName, strings.Join(have, ", "))
	}
	return env, nil
}

func (p *Pipeline) log() *slog.Logger {
	if p.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return p.Log
}
