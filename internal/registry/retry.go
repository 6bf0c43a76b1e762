package registry

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// patience says how long to wait for a registry. Zero fields are the defaults.
type patience struct {
	first    time.Duration // before the second try; doubled for each further one
	attempts int
	stall    time.Duration // without a byte moving, after which a request is given up
}

func (p patience) withDefaults() patience {
	if p.first == 0 {
		p.first = 250 * time.Millisecond
	}
	if p.attempts == 0 {
		p.attempts = 7 // 16 s in all
	}
	if p.stall == 0 {
		p.stall = 2 * time.Minute
	}
	return p
}

// retry calls f until it succeeds, fails for good, or patience or ctx ends.
func (p patience) retry(ctx context.Context, log *slog.Logger, what string, f func() error) error {
	wait := p.first
	for attempt := 1; ; attempt++ {
		err := f()
		if err == nil || ctx.Err() != nil || !temporary(err) || attempt >= p.attempts {
			if cause := context.Cause(ctx); err != nil && cause != nil {
				return cause
			}
			return err
		}
		pause := wait + time.Duration(rand.Int64N(int64(wait)/4+1)) // not all clients at once
		log.Warn("registry request is tried again", "request", what, "attempt", attempt, "wait", pause, "error", tidy(err))
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
		wait *= 2
	}
}

var errStalled = errors.New("no data moved for too long")

// watchdog cancels a request when nothing moved for a while.
type watchdog struct {
	timer *time.Timer
	limit time.Duration
}

// watch returns a context that ends when the watchdog was not touched for the limit, and its release.
func watch(ctx context.Context, limit time.Duration) (context.Context, *watchdog, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watchdog{limit: limit, timer: time.AfterFunc(limit, func() { cancel(errStalled) })}
	return ctx, w, func() {
		w.timer.Stop()
		cancel(nil)
	}
}

func (w *watchdog) touch() { w.timer.Reset(w.limit) }
