package script

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"
)

// errTooMuch ends a script that fills the disk.
var errTooMuch = errors.New("it writes more than an image's scripts may")

// watchEvery is how often the size of what scripts leave is looked at.
const watchEvery = 500 * time.Millisecond

// watch gives a context that ends, with errTooMuch, when Upper has grown past its limit. stop ends
// the watching.
func (r *Runner) watch(ctx context.Context) (watched context.Context, stop func()) {
	limit := r.MaxBytes
	if limit == 0 {
		limit = maxChanges
	}
	watched, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-watched.Done():
				return
			case <-tick.C:
				if diskUse(r.Upper, limit) > limit {
					cancel(errTooMuch)
				}
			}
		}
	}()
	return watched, func() {
		cancel(context.Canceled)
		<-done
	}
}

// diskUse is how many bytes of disk a folder takes; it stops counting past enough. What vanishes
// meanwhile does not count.
func diskUse(dir string, enough int64) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a script may remove what is being listed
		}
		if info, err := d.Info(); err == nil {
			sum += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
		if sum > enough {
			return fs.SkipAll
		}
		return nil
	})
	return sum
}
