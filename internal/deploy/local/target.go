package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/slipway-build/slipway/internal/deploy"
)

// Target runs releases on this machine. It is safe for concurrent use.
type Target struct {
	// State is the directory of everything durable: a directory for each
	// service, with one for each environment in it.
	State string
	// Images finds what workloads run; only Apply needs it.
	Images Images
	// Log receives what is not for the user; nil discards it.
	Log *slog.Logger
}

var _ deploy.Target = (*Target)(nil)

// Apply implements deploy.Target.
func (t *Target) Apply(ctx context.Context, release deploy.Release) (deploy.Result, error) {
	if err := release.Check(); err != nil {
		return deploy.Result{}, err
	}
	h, err := t.home(release.Service, release.Environment)
	if err != nil {
		return deploy.Result{}, err
	}
	request := applyRequest{Release: release, Roots: map[string]Root{}}
	for _, w := range release.Workloads {
		if _, ok := request.Roots[w.Image]; ok {
			continue
		}
		root, err := t.Images.Root(ctx, w.Image)
		if err != nil {
			return deploy.Result{}, fmt.Errorf("workload %s: %w", w.Name, err)
		}
		request.Roots[w.Image] = root
	}
	r, err := t.callStarting(ctx, h, request)
	if err != nil {
		return deploy.Result{}, err
	}
	if r.Result == nil {
		return deploy.Result{}, errors.New("asking the supervisor: it answered without a result")
	}
	return *r.Result, nil
}

// callStarting sends the request, to a new supervisor where none answers. One
// that is just ending may have to be waited for.
func (t *Target) callStarting(ctx context.Context, h home, request applyRequest) (reply, error) {
	for attempt := 0; ; attempt++ {
		r, err := h.call(ctx, "POST", "/apply", request)
		switch {
		case errors.Is(err, errNoSupervisor) && attempt < 20:
		case errors.Is(err, errHungUp) && attempt == 0:
		default:
			return r, err
		}
		t.logger().Debug("starting a supervisor", "home", h, "reason", err)
		if err := h.startSupervisor(ctx); err != nil {
			return reply{}, err
		}
		if attempt > 0 {
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// Status implements deploy.Target.
func (t *Target) Status(ctx context.Context, service, environment string) (deploy.Status, error) {
	h, err := t.home(service, environment)
	if err != nil {
		return deploy.Status{}, err
	}
	status, err := t.status(ctx, h)
	status.Service, status.Environment = service, environment
	return status, err
}

func (t *Target) status(ctx context.Context, h home) (deploy.Status, error) {
	r, err := h.call(ctx, "GET", "/status", nil)
	if err == nil && r.Status != nil {
		return *r.Status, nil
	}
	if err != nil && !errors.Is(err, errNoSupervisor) && !errors.Is(err, errHungUp) {
		return deploy.Status{}, err
	}
	last, err := h.load()
	if err != nil {
		return deploy.Status{}, err
	}
	return orphaned(last), nil
}

// orphaned is the status that a supervisor left which is no more.
func orphaned(last record) deploy.Status {
	status := last.Status
	if !status.Running {
		return status
	}
	status.Running = false
	status.Problem = fmt.Sprintf("the supervisor (process %d) is gone: it was killed, or the machine was restarted. Nothing of this runs any more; deploy again to start it", last.Pid)
	for i := range status.Workloads {
		w := &status.Workloads[i]
		w.State, w.Ready, w.Pids = deploy.Degraded, 0, nil
	}
	return status
}

// Down implements deploy.Target.
func (t *Target) Down(ctx context.Context, service, environment string) error {
	h, err := t.home(service, environment)
	if err != nil {
		return err
	}
	_, err = h.call(ctx, "POST", "/down", nil)
	if err != nil && !errors.Is(err, errNoSupervisor) && !errors.Is(err, errHungUp) {
		return err
	}
	if err := h.awaitEnd(ctx); err != nil {
		return fmt.Errorf("waiting for the supervisor to end: %w", err)
	}
	return t.settle(h)
}

// settle leaves the state of a service that is down, whatever there was before.
func (t *Target) settle(h home) error {
	lock, free, err := h.lock()
	if err != nil || !free {
		return ignoreAbsent(err) // absent: never deployed; not free: deployed again
	}
	defer lock.Close()
	if err := h.sweep(); err != nil {
		return fmt.Errorf("removing sockets: %w", err)
	}
	last, err := h.load()
	if err != nil { // it is about to be written anew
		t.logger().Warn("ignoring what a supervisor left", "error", err)
	}
	last.Status = deploy.Status{Failed: last.Status.Failed}
	return h.save(last)
}

func (t *Target) logger() *slog.Logger {
	if t.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return t.Log
}
