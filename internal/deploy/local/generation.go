package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/sandbox"
)

// generation is a release that is being started or runs: its workloads, and the
// sockets by which these reach each other.
type generation struct {
	home    home
	serial  int
	release deploy.Release
	logger  *slog.Logger
	changed func()
	since   time.Time // it began to serve

	workloads []*workload // sorted by name
	peers     []*front
	held      []func() // lets go of the root filesystems
}

// workload is a deploy.Workload of a generation.
type workload struct {
	deploy.Workload
	root    Root
	port    int    // where it listens inside; 0: nowhere
	address string // where others find it inside their sandboxes
	pool    *pool
}

// How long requests and connections that are under way may keep a generation:
// when another one has taken over, and when there is none.
const (
	drainTime     = 10 * time.Second
	downDrainTime = 2 * time.Second
)

// maxWorkloads have an address each in sandbox.OutwardNet.
const maxWorkloads = 250

// newGeneration prepares a generation; nothing runs yet.
func newGeneration(h home, serial int, release deploy.Release, roots map[string]Root, logger *slog.Logger, changed func()) (*generation, error) {
	g := &generation{home: h, serial: serial, release: release, logger: logger, changed: changed}
	if len(release.Workloads) > maxWorkloads {
		return nil, fmt.Errorf("the release has %d workloads: at most %d run on one machine", len(release.Workloads), maxWorkloads)
	}
	address := sandbox.OutwardNet.Addr().Next()
	for _, spec := range release.Workloads {
		root := roots[spec.Image]
		w := &workload{Workload: spec, root: root, port: spec.Port, address: address.String()}
		address = address.Next()
		if w.port == 0 && len(root.ExposedPorts) > 0 {
			w.port = root.ExposedPorts[0]
		}
		if err := w.check(); err != nil {
			return nil, err
		}
		g.workloads = append(g.workloads, w)
	}
	slices.SortFunc(g.workloads, func(a, b *workload) int { return strings.Compare(a.Name, b.Name) })
	return g, nil
}

// check finds what can't work before anything is started.
func (w *workload) check() error {
	switch {
	case len(w.root.Lower) == 0:
		return fmt.Errorf("workload %s: its image has no root filesystem", w.Name)
	case len(w.command()) == 0:
		return fmt.Errorf("workload %s: its image says no command to run (entrypoint or cmd), and neither does the workload", w.Name)
	case w.port < 0 || w.port > 65535:
		return fmt.Errorf("workload %s: its image exposes port %d, which is none: set port", w.Name, w.port)
	case w.Listen != "" && w.port == 0:
		return fmt.Errorf("workload %s: has an address to listen on, but its image exposes no port: set port", w.Name)
	case w.Health.Path != "" && w.port == 0:
		return fmt.Errorf("workload %s: has a health path, but its image exposes no port: set port", w.Name)
	}
	return nil
}

// start starts all workloads and waits until each is healthy or unproven. On an
// error everything is stopped again.
func (g *generation) start(ctx context.Context) error {
	if err := g.prepare(); err != nil {
		g.stop()
		return err
	}
	for _, in := range g.instances() {
		in.start()
	}
	if err := g.await(ctx); err != nil {
		g.stop()
		return err
	}
	for _, in := range g.instances() {
		go in.watch()
	}
	return nil
}

// prepare makes the instances and the sockets between them.
func (g *generation) prepare() error {
	if err := g.hold(); err != nil {
		return err
	}
	for _, dir := range []string{"in", "peer"} {
		if err := os.MkdirAll(filepath.Join(g.sockets(), dir), 0o700); err != nil {
			return fmt.Errorf("making sockets: %w", err)
		}
	}
	for _, w := range g.workloads {
		var instances []*instance
		for replica := range max(1, w.Replicas) {
			in, err := g.newInstance(w, replica)
			if err != nil {
				return err
			}
			instances = append(instances, in)
		}
		w.pool = newPool(instances, w.Health.Path != "")
	}
	for _, w := range g.workloads {
		if w.port == 0 {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(context.Background(), "unix", g.peerSocket(w))
		if err != nil {
			return fmt.Errorf("making sockets: %w", err)
		}
		peer := newFront(listener, g.logger)
		peer.pool.Store(newPool(w.pool.instances, false))
		g.peers = append(g.peers, peer)
	}
	return nil
}

// hold keeps the root filesystems, which are of a cache, from being pruned.
func (g *generation) hold() error {
	var seen []string
	for _, w := range g.workloads {
		for _, dir := range w.root.Lower {
			if slices.Contains(seen, dir) {
				continue
			}
			seen = append(seen, dir)
			release, err := cache.Hold(dir)
			if err != nil {
				return fmt.Errorf("workload %s: %w", w.Name, err)
			}
			g.held = append(g.held, release)
		}
	}
	return nil
}

// await waits for the first failure, or for all to be well.
func (g *generation) await(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for _, in := range g.instances() {
		all.Go(func() {
			if _, err := in.await(ctx); err != nil {
				cancel(err) // the first one counts
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// retire lets what is under way end, for as long as patience lasts and until
// hurry is closed, then stops the generation.
func (g *generation) retire(hurry <-chan struct{}, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	go func() {
		select {
		case <-hurry:
			cancel()
		case <-ctx.Done():
		}
	}()
	var all sync.WaitGroup
	for _, w := range g.workloads {
		all.Go(func() { w.pool.drain(ctx) })
	}
	all.Wait()
	g.stop()
}

// stop stops all instances and removes the sockets. It may be called of a
// generation that was prepared in part.
func (g *generation) stop() {
	var all sync.WaitGroup
	for _, in := range g.instances() {
		if in.cancel == nil {
			in.log.Close()
			continue
		}
		all.Go(in.stop)
	}
	all.Wait()
	for _, peer := range g.peers {
		peer.close()
	}
	if err := os.RemoveAll(g.sockets()); err != nil {
		g.logger.Warn("removing sockets", "error", err)
	}
	for _, release := range g.held {
		release()
	}
	g.held = nil
}

func (g *generation) instances() []*instance {
	var all []*instance
	for _, w := range g.workloads {
		if w.pool != nil {
			all = append(all, w.pool.instances...)
		}
	}
	return all
}

// Sockets have short names relative to the home, the supervisor's working
// directory, because their paths may have 108 bytes only.
func (g *generation) sockets() string { return filepath.Join("run", strconv.Itoa(g.serial)) }

func (g *generation) peerSocket(w *workload) string {
	return filepath.Join(g.sockets(), "peer", w.Name)
}

func (g *generation) logs() []instanceLog {
	var logs []instanceLog
	for _, in := range g.instances() {
		logs = append(logs, instanceLog{Workload: in.workload.Name, File: in.log.path})
	}
	return logs
}

// runs reports whether the generation is that release, in good health.
func (g *generation) runs(other *generation) bool {
	if g.release.Snapshot != other.release.Snapshot || !slices.EqualFunc(g.workloads, other.workloads, (*workload).equal) {
		return false
	}
	return !slices.ContainsFunc(g.status(nil), func(s deploy.WorkloadStatus) bool {
		return s.State != deploy.Healthy && s.State != deploy.Unproven
	})
}

func (w *workload) equal(o *workload) bool {
	return w.root.Digest == o.root.Digest && w.port == o.port && w.Listen == o.Listen &&
		max(1, w.Replicas) == max(1, o.Replicas) && slices.Equal(w.command(), o.command()) &&
		maps.Equal(w.Env, o.Env) && w.Health == o.Health
}

// status describes the workloads, which answer on fronts.
func (g *generation) status(fronts map[string]*front) []deploy.WorkloadStatus {
	var all []deploy.WorkloadStatus
	for _, w := range g.workloads {
		s := deploy.WorkloadStatus{
			Name: w.Name, Image: w.Image, Digest: w.root.Digest, Replicas: len(w.pool.instances),
			State: deploy.Healthy,
		}
		if w.Health.Path == "" {
			s.State = deploy.Unproven
		}
		if f := fronts[w.Listen]; f != nil {
			s.Address = f.address()
		}
		for _, in := range w.pool.instances {
			in.describe(&s)
		}
		all = append(all, s)
	}
	return all
}

// describe adds an instance to its workload's status.
func (in *instance) describe(s *deploy.WorkloadStatus) {
	state, err := in.state()
	if state == deploy.Healthy || state == deploy.Unproven {
		s.Ready++
	} else if s.State != deploy.Degraded {
		s.State = state
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	s.Restarts += in.ends
	if err != nil {
		s.LastError = in.name + ": " + err.Error()
	}
	if in.process != nil {
		s.Pids = append(s.Pids, in.process.Pid())
		if in.since.After(s.Since) {
			s.Since = in.since
		}
	}
}

// environ is the image's environment with the workload's over it, sorted.
func environ(image []string, over map[string]string) []string {
	merged := map[string]string{}
	for _, e := range image {
		if name, value, ok := strings.Cut(e, "="); ok {
			merged[name] = value
		}
	}
	maps.Copy(merged, over)
	env := make([]string, 0, len(merged))
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		env = append(env, name+"="+merged[name])
	}
	return env
}

// errDown is the cause of what Down interrupts.
var errDown = errors.New("everything is being taken down")
