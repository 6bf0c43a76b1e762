package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/deploy"
)

// supervisor looks after one service in one environment.
type supervisor struct {
	home home
	log  *slog.Logger

	rollout sync.Mutex // held by the apply that is under way
	retired sync.WaitGroup

	mu       sync.Mutex
	busy     *deploy.BusyError  // what is being rolled out
	cancel   context.CancelFunc // of that
	isEnding bool
	serial   int
	current  *generation
	failed   *deploy.FailedRollout
	lastLogs []instanceLog // of a failed generation, while there is no current one
	fronts   map[string]*front

	saving sync.Mutex
	save   chan struct{} // asks for the state to be saved
	hurry  chan struct{} // closed when generations that were replaced must go
	ending chan struct{} // closed when no further commands are taken
	ended  chan struct{} // closed when everything is stopped
}

func newSupervisor(h home, log *slog.Logger) *supervisor {
	before, err := h.load()
	if err != nil {
		log.Warn("ignoring what a previous supervisor left", "error", err)
	}
	return &supervisor{
		home: h, log: log, serial: max(before.Serial, h.newestLogs()), fronts: map[string]*front{},
		save: make(chan struct{}, 1), hurry: make(chan struct{}), ending: make(chan struct{}), ended: make(chan struct{}),
	}
}

// apply rolls a release out.
func (s *supervisor) apply(ctx context.Context, request applyRequest) (deploy.Result, error) {
	begun := time.Now()
	ctx, done, err := s.begin(ctx, request.Release)
	if err != nil {
		return deploy.Result{}, err
	}
	defer done()
	g, err := newGeneration(s.home, s.serial, request.Release, request.Roots, s.log, s.changed)
	if err != nil {
		return deploy.Result{}, err
	}
	previous := s.running()
	if previous != nil && previous.runs(g) {
		return deploy.Result{Unchanged: true, Previous: previous.release.Snapshot, Status: s.status(), Duration: time.Since(begun)}, nil
	}
	bound, err := s.bind(ctx, g)
	if err != nil {
		return deploy.Result{}, err
	}
	s.removeOldLogs(g.serial)
	if err := g.start(ctx); err != nil {
		closeFronts(bound)
		return deploy.Result{}, s.fail(g, previous, err)
	}
	s.switchTo(g, bound)
	result := deploy.Result{Status: s.status(), Duration: time.Since(begun)}
	if previous != nil {
		result.Previous = previous.release.Snapshot
	}
	return result, nil
}

// begin claims the only place for a rollout, and a serial number for it.
func (s *supervisor) begin(ctx context.Context, release deploy.Release) (context.Context, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.isEnding:
		return nil, nil, errEnding
	case s.busy != nil:
		return nil, nil, s.busy
	}
	ctx, cancel := context.WithCancelCause(ctx)
	s.cancel = func() { cancel(errDown) }
	s.busy = &deploy.BusyError{Snapshot: release.Snapshot, Since: time.Now()}
	s.serial++
	s.rollout.Lock()
	return ctx, func() {
		cancel(nil)
		s.mu.Lock()
		s.busy, s.cancel = nil, nil
		s.mu.Unlock()
		s.rollout.Unlock()
	}, nil
}

// bind listens on the addresses of g that are not listened on yet.
func (s *supervisor) bind(ctx context.Context, g *generation) (map[string]*front, error) {
	bound := map[string]*front{}
	for _, w := range g.workloads {
		if w.Listen == "" || s.fronts[w.Listen] != nil {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", w.Listen)
		if err != nil {
			closeFronts(bound)
			return nil, listenError(w, err)
		}
		bound[w.Listen] = newFront(listener, s.log)
	}
	return bound, nil
}

func listenError(w *workload, err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("workload %s: %s is in use by another program: stop that (ss -ltnp shows it) or choose another address", w.Name, w.Listen)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("workload %s: listening on %s is not permitted to this user: choose a port from 1024 on", w.Name, w.Listen)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("workload %s: %s is no address of this machine", w.Name, w.Listen)
	}
	return fmt.Errorf("workload %s: %w", w.Name, err)
}

func closeFronts(fronts map[string]*front) {
	for _, f := range fronts {
		f.close()
	}
}

// switchTo makes g what answers, and lets the previous generation go.
func (s *supervisor) switchTo(g *generation, bound map[string]*front) {
	s.mu.Lock()
	previous := s.current
	for address, f := range bound {
		s.fronts[address] = f
	}
	used := map[string]bool{}
	for _, w := range g.workloads {
		if w.Listen != "" {
			s.fronts[w.Listen].pool.Store(w.pool)
			used[w.Listen] = true
		}
	}
	unused := map[string]*front{}
	for address, f := range s.fronts {
		if !used[address] {
			unused[address] = f
			delete(s.fronts, address)
		}
	}
	g.since = time.Now()
	s.current, s.failed, s.lastLogs = g, nil, nil
	s.mu.Unlock()

	s.log.Info("switched", "snapshot", g.release.Snapshot, "generation", g.serial)
	s.saveNow()
	s.retired.Go(func() {
		if previous != nil {
			previous.retire(s.hurry, drainTime)
		}
		closeFronts(unused)
	})
}

// keptLogs is how many generations' logs are kept, beside the newest and the one
// that runs.
const keptLogs = 5

func (s *supervisor) removeOldLogs(newest int) {
	running := 0
	if g := s.running(); g != nil {
		running = g.serial
	}
	for _, serial := range s.home.logSerials() {
		if serial >= newest-keptLogs || serial == running {
			continue
		}
		if err := os.RemoveAll(s.home.logsOf(serial)); err != nil {
			s.log.Warn("removing old logs", "error", err)
		}
	}
}

// fail notes a rollout that failed, and completes its error.
func (s *supervisor) fail(g *generation, previous *generation, err error) error {
	failed := &deploy.FailedRollout{
		Snapshot: g.release.Snapshot, Alias: g.release.Alias, At: time.Now(),
		State: deploy.Degraded, Message: err.Error(),
	}
	var rollout *deploy.RolloutError
	if errors.As(err, &rollout) {
		failed.Workload, failed.State, failed.Message = rollout.Workload, rollout.State, rollout.Reason
	}
	if previous != nil {
		failed.State = deploy.Returned
		if rollout != nil {
			rollout.Kept, rollout.KeptAlias = previous.release.Snapshot, previous.release.Alias
		}
	}
	s.mu.Lock()
	if !interrupted(err) {
		s.failed = failed
	}
	if s.current == nil {
		s.lastLogs = g.logs()
	}
	s.mu.Unlock()
	s.log.Info("rollout failed", "snapshot", g.release.Snapshot, "error", err)
	s.saveNow()
	return err
}

// interrupted reports whether a rollout failed because nobody wanted it any more.
func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, errDown)
}

func (s *supervisor) running() *generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *supervisor) status() deploy.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := deploy.Status{Failed: s.failed}
	if g := s.current; g != nil {
		r := g.release
		status.Running, status.Since = true, g.since
		status.Service, status.Environment = r.Service, r.Environment
		status.Snapshot, status.Alias, status.Commits = r.Snapshot, r.Alias, r.Commits
		status.Workloads = g.status(s.fronts)
	}
	return status
}

// changed asks for the state to be saved, soon.
func (s *supervisor) changed() {
	select {
	case s.save <- struct{}{}:
	default: // it has been asked for
	}
}

// saveChanges saves the state whenever it changed, not more often than needed.
func (s *supervisor) saveChanges() {
	for {
		select {
		case <-s.ending:
			return
		case <-s.save:
			s.saveNow()
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func (s *supervisor) saveNow() {
	s.saving.Lock()
	defer s.saving.Unlock()
	r := record{Pid: os.Getpid(), Status: s.status()}
	s.mu.Lock()
	r.Serial, r.Logs = s.serial, s.lastLogs
	if s.current != nil {
		r.Logs = s.current.logs()
	}
	s.mu.Unlock()
	if err := s.home.save(r); err != nil {
		s.log.Error("saving the state", "error", err)
	}
}

// endIfIdle ends a supervisor that has nothing to look after.
func (s *supervisor) endIfIdle() {
	s.mu.Lock()
	idle := s.current == nil && s.busy == nil && !s.isEnding
	if idle {
		s.isEnding = true
	}
	s.mu.Unlock()
	if idle {
		s.finish()
	}
}

// down stops everything and ends the supervisor.
func (s *supervisor) down() {
	s.mu.Lock()
	first := !s.isEnding
	s.isEnding = true
	if s.cancel != nil {
		s.cancel()
	}
	s.mu.Unlock()
	if !first {
		<-s.ended
		return
	}
	s.rollout.Lock() // the rollout that was under way has been undone
	defer s.rollout.Unlock()
	s.finish()
}

// finish stops what runs. It is called once.
func (s *supervisor) finish() {
	s.mu.Lock()
	g, fronts := s.current, s.fronts
	s.fronts = nil
	s.mu.Unlock()
	for _, f := range fronts {
		f.listener.Close() // new connections are refused from here on
	}
	if g != nil {
		g.retire(nil, downDrainTime)
	}
	closeFronts(fronts)
	close(s.hurry)
	s.retired.Wait()
	s.mu.Lock()
	if g != nil {
		s.lastLogs = g.logs()
	}
	s.current = nil
	s.mu.Unlock()
	s.saveNow()
	close(s.ended)
	close(s.ending)
}
