package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-build/slipway/internal/deploy"
)

const (
	// maxEnds is how often a new workload may end before it counts as failed.
	// Twice is forgiven: what it depends on may come up a little later.
	maxEnds = 3
	// watchInterval is the time between two checks of what already serves.
	watchInterval = 5 * time.Second
	// recoverInterval is that while the last one failed.
	recoverInterval = 500 * time.Millisecond
	probeTimeout    = 5 * time.Second
	// tailLines is how much of a failed workload's log an error carries.
	tailLines = 15
)

// await waits until a started instance is healthy or unproven.
func (in *instance) await(ctx context.Context) (deploy.State, error) {
	timeout := in.workload.Health.Timeout
	if timeout == 0 {
		timeout = deploy.DefaultTimeout
	}
	if in.workload.Health.Path == "" {
		timeout = max(timeout, 2*in.settle())
	}
	deadline, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	pause := 100 * time.Millisecond
	for {
		if err := in.failed(); err != nil {
			return "", err
		}
		if state, ok := in.arrived(deadline); ok {
			return state, nil
		}
		if in.workload.Health.Interval > 0 {
			pause = in.workload.Health.Interval
		}
		if in.workload.Health.Path == "" {
			pause = 50 * time.Millisecond
		}
		select {
		case <-deadline.Done():
			if ctx.Err() != nil {
				return "", context.Cause(ctx)
			}
			return "", in.timedOut(timeout)
		case <-time.After(pause):
		}
		pause = min(pause*3/2, time.Second)
	}
}

func (in *instance) settle() time.Duration {
	if in.workload.Health.Settle == 0 {
		return deploy.DefaultSettle
	}
	return in.workload.Health.Settle
}

// arrived checks whether the instance is what it should become.
func (in *instance) arrived(ctx context.Context) (deploy.State, bool) {
	if in.workload.Health.Path != "" {
		return deploy.Healthy, in.running() && in.probe(ctx) == nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	return deploy.Unproven, in.process != nil && time.Since(in.since) >= in.settle()
}

// probe makes one check and keeps its outcome.
func (in *instance) probe(ctx context.Context) error {
	err := in.get(ctx)
	if ctx.Err() != nil {
		return err // it is the rollout that ended, not the workload that failed
	}
	in.mu.Lock()
	changed := in.probed != (err == nil)
	in.probed, in.probeErr = err == nil, err
	in.mu.Unlock()
	if changed {
		in.changed()
	}
	return err
}

// get asks the health path. The error quotes the answer.
func (in *instance) get(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	path := in.workload.Health.Path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "slipway-health")
	response, err := in.transport.RoundTrip(request)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("GET %s: nothing answers on its port", path)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("GET %s: no answer within %v", path, probeTimeout)
	case err != nil:
		return fmt.Errorf("GET %s: %s", path, printable(err.Error()))
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 200))
	if response.StatusCode >= 200 && response.StatusCode < 400 {
		return nil
	}
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "?")), " ")
	return fmt.Errorf("GET %s: %s: %q", path, printable(response.Status), text)
}

// failed is the error of an instance for which waiting is of no use.
func (in *instance) failed() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.fatal != nil:
		return in.rolloutError(deploy.Degraded, in.fatal.Error())
	case in.ends >= maxEnds:
		return in.rolloutError(deploy.Degraded, fmt.Sprintf("ended %d times, the last time with %v", in.ends, in.last))
	}
	return nil
}

func (in *instance) timedOut(timeout time.Duration) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	reason := fmt.Sprintf("not healthy within %v", timeout)
	switch {
	case in.process == nil && in.last != nil:
		reason += fmt.Sprintf(": ended with %v", in.last)
	case in.probeErr != nil:
		reason += ": " + in.probeErr.Error()
	case in.last != nil:
		reason += fmt.Sprintf(": ended %d times, the last time with %v", in.ends, in.last)
	}
	return in.rolloutError(deploy.TimedOut, reason)
}

func (in *instance) rolloutError(state deploy.State, reason string) error {
	lines, err := tail(in.log.path, tailLines)
	if err != nil {
		in.logger.Warn("reading a log for an error", "error", err)
	}
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return &deploy.RolloutError{
		Workload: in.workload.Name, State: state, Reason: reason, LogTail: lines, LogFile: in.log.path,
	}
}

// watch goes on checking an instance that serves, until it is stopped: more often
// while it has not passed.
func (in *instance) watch() {
	if in.workload.Health.Path == "" {
		return
	}
	ticker := time.NewTicker(recoverInterval)
	defer ticker.Stop()
	checked := time.Now()
	for {
		select {
		case <-in.done:
			return
		case <-ticker.C:
		}
		due := time.Since(checked) >= max(in.workload.Health.Interval, watchInterval)
		if in.running() && (due || !in.ready()) {
			_ = in.probe(context.Background()) // kept by probe
			checked = time.Now()
		}
	}
}

// state is what an instance that serves has come to, and why.
func (in *instance) state() (deploy.State, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.process == nil:
		return deploy.Degraded, in.last
	case in.workload.Health.Path == "":
		return deploy.Unproven, in.last
	case !in.probed && in.probeErr == nil:
		return deploy.Progressing, in.last // started again, and not checked yet
	case !in.probed:
		return deploy.Degraded, in.probeErr
	}
	return deploy.Healthy, in.last
}
