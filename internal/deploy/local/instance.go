package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/sandbox"
)

// instance is one replica of a workload in one generation. It is started again
// whenever it ends, until it is stopped.
type instance struct {
	name      string // "web-0", for messages
	workload  deploy.Workload
	spec      sandbox.Spec
	socket    string // forwards to the workload's port; empty if it has none
	log       *logFile
	logger    *slog.Logger
	transport *http.Transport
	changed   func() // called after each change of the fields below

	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	process  *sandbox.Process // nil: it does not run
	since    time.Time        // of process
	ends     int              // how often it ended
	fatal    error            // why it will never run
	last     error            // how it ended last
	probed   bool             // its newest check passed
	probeErr error            // what its newest check said
}

// Pauses before a start, which grow while it keeps ending.
const (
	firstPause = 250 * time.Millisecond
	maxPause   = 30 * time.Second
	steady     = time.Minute // running this long, it counts as recovered
)

// stopGrace is how long a workload has to end after SIGTERM.
const stopGrace = 10 * time.Second

// maxProcesses is how many processes and threads an instance may have: more than
// any server needs, and fewer than would keep the machine from starting others.
const maxProcesses = 4096

func (in *instance) start() {
	ctx, cancel := context.WithCancel(context.Background())
	in.cancel = cancel
	in.done = make(chan struct{})
	in.transport = &http.Transport{
		DialContext:           func(ctx context.Context, _, _ string) (net.Conn, error) { return in.dial(ctx) },
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       30 * time.Second,
		ResponseHeaderTimeout: 0, // a request takes as long as it takes
		DisableCompression:    true,
	}
	go func() {
		defer close(in.done)
		in.keep(ctx)
	}()
}

// stop ends the workload, politely at first, and waits for its end.
func (in *instance) stop() {
	in.cancel()
	<-in.done
	in.transport.CloseIdleConnections()
	in.log.Close()
}

// keep runs the workload again and again until ctx ends.
func (in *instance) keep(ctx context.Context) {
	pause := firstPause
	for {
		started := time.Now()
		err := in.runOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(started) >= steady {
			pause = firstPause
		}
		if in.given(err) {
			in.log.note("%v", err)
			return
		}
		in.log.note("ended: %v; starting it again in %v", err, pause)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// given notes how the workload ended; it reports whether starting it again is of
// no use, because it can't be started at all.
func (in *instance) given(err error) bool {
	var unable *sandbox.StartError
	fatal := errors.As(err, &unable)
	in.update(func() {
		in.process, in.probed = nil, false
		in.ends++
		in.last = err
		if fatal {
			in.fatal = err
		}
	})
	return fatal
}

// runOnce runs the workload until it ends. The error says how; it is never nil,
// because a workload is not meant to end.
func (in *instance) runOnce(ctx context.Context) error {
	process, err := sandbox.Start(ctx, in.spec)
	if err != nil {
		return err
	}
	in.update(func() { in.process, in.since = process, time.Now() })
	if _, err = process.Wait(); err == nil {
		err = errors.New("exit code 0")
	}
	return err
}

func (in *instance) update(f func()) {
	in.mu.Lock()
	f()
	in.mu.Unlock()
	in.changed()
}

func (in *instance) running() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.process != nil
}

// ready reports whether the workload runs and, where it can be checked, passed
// its newest check.
func (in *instance) ready() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.process != nil && (in.probed || in.workload.Health.Path == "")
}

func (in *instance) dial(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", in.socket)
}

// newInstance makes a replica without starting it.
func (g *generation) newInstance(w *workload, replica int) (*instance, error) {
	name := fmt.Sprintf("%s-%d", w.Name, replica)
	log, err := openLog(filepath.Join(g.home.logsOf(g.serial), name+".log"), maxLog)
	if err != nil {
		return nil, err
	}
	in := &instance{name: name, workload: w.Workload, log: log, logger: g.logger, changed: g.changed}
	if w.port != 0 {
		in.socket = filepath.Join(g.sockets(), "in", name)
	}
	in.spec = g.spec(w, in)
	return in, nil
}

// spec is the sandbox of an instance.
func (g *generation) spec(w *workload, in *instance) sandbox.Spec {
	spec := sandbox.Spec{
		Lower:    w.root.Lower,
		Args:     w.command(),
		Env:      environ(w.root.Env, w.Env),
		Dir:      w.root.WorkingDir,
		User:     w.root.User,
		Hostname: w.Name,
		Stdout:   in.log,
		Stderr:   in.log,
		Grace:    stopGrace,
		Limits:   sandbox.Limits{Processes: maxProcesses},
	}
	hosts := "127.0.0.1\tlocalhost " + w.Name + "\n::1\tlocalhost\n"
	if in.socket != "" {
		spec.Forwards = append(spec.Forwards, sandbox.Forward{Direction: sandbox.Inward, Socket: in.socket, Port: w.port})
	}
	for _, peer := range g.workloads {
		if peer.port == 0 || peer.Name == w.Name {
			continue
		}
		hosts += peer.address + "\t" + peer.Name + "\n"
		spec.Forwards = append(spec.Forwards, sandbox.Forward{
			Direction: sandbox.Outward, Socket: g.peerSocket(peer), Port: peer.port, Address: peer.address,
		})
	}
	spec.Files = []sandbox.File{
		{Path: "/etc/hosts", Content: []byte(hosts)},
		{Path: "/etc/resolv.conf", Content: []byte("# Names other than those in /etc/hosts do not resolve here.\n")},
	}
	return spec
}

// command is what runs: as with other runtimes, Args replaces the image's
// command and not its entry point.
func (w *workload) command() []string {
	if len(w.Args) > 0 {
		return slices.Concat(w.root.Entrypoint, w.Args)
	}
	return slices.Concat(w.root.Entrypoint, w.root.Cmd)
}
