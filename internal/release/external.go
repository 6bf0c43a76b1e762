package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/progress"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/strategy/external"
	"github.com/slipway-build/slipway/internal/wheel"
)

// byService waits for the image that a public service builds of the candidate's commit, checks it, and takes
// it as it is. It must stand on our base: so it has the packages of the lock.
func (b *build) byService(ctx context.Context, t *lock.Target, name string, base *image.Image, wheels map[string]*wheel.Wheel) (*image.Image, error) {
	conf := b.Config.Images[name].ExternalBuild
	r := b.candidate.Revisions[conf.Project]
	mark := filepath.Join(b.Exchange, "waiting", cache.Key(b.Config.Service, name, conf.Image, conf.Tag, r.Commit))
	since, err := b.waitingSince(mark)
	if err != nil {
		return nil, err
	}
	var last string
	task := progress.Or(b.Progress).Start("waiting for "+conf.Image+" of "+r.Short(), 0, progress.Items)
	ref, err := external.Wait{
		Image: conf.Image, Tag: conf.Tag, Commit: r.Commit, Since: since,
		Timeout: time.Duration(conf.Timeout), Interval: time.Duration(conf.Poll), Options: b.Registry.Options,
		Waiting: func(waited time.Duration, why string) {
			if why != last {
				b.log().Warn("waiting for the service's image", "image", name, "since", waited.Round(time.Second), "why", why)
			}
			last = why
		},
	}.Run(ctx)
	task.Done(err)
	if err == nil || errors.As(err, new(*external.TimeoutError)) { // the next wait begins anew
		err = errors.Join(err, os.Remove(mark))
	}
	if err != nil {
		return nil, err
	}
	built, err := registry.Pull(ctx, ref, b.Registry.Options)
	if err != nil {
		return nil, err
	}
	img, err := b.Images.Adopt(ctx, image.AdoptSpec{Base: base, Image: built, Exact: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	return img, b.check(ctx, t, name, img, wheels)
}

// waitingSince is when a wait began, also in a process that is gone: a file keeps it.
func (b *build) waitingSince(mark string) (time.Time, error) {
	data, err := os.ReadFile(mark)
	if err == nil {
		if at, err := time.Parse(time.RFC3339, strings.TrimSpace(string(data))); err == nil {
			return at, nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, err
	}
	now := b.Now().UTC().Truncate(time.Second)
	if err := os.MkdirAll(filepath.Dir(mark), 0o755); err != nil {
		return now, err
	}
	return now, renameio.WriteFile(mark, []byte(now.Format(time.RFC3339)+"\n"), 0o644)
}
