package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// Result is how a command ended.
type Result struct {
	// Code is the exit code; 128 + the signal's number when one ended it.
	Code int
	// Duration from start to end.
	Duration time.Duration
}

// Process is a started sandbox. Its methods may be called concurrently.
type Process struct {
	spec    Spec
	process *os.Process // process 1
	events  *json.Decoder
	control *os.File
	output  *output
	group   *cgroup

	newGroup func(Limits) (*cgroup, error)

	cleanup []func() // at the end, last first
	started time.Time

	commands sync.Mutex // writes to control
	stopping sync.Mutex
	reason   Reason // the first that the sandbox was stopped for
	cause    error

	done   chan struct{}
	result Result
	err    error
}

// Run starts spec's command and waits for its end. A command that ends with
// another code than 0 is an *ExitError; the Result is then valid as well.
// When ctx ends first, the command gets SIGTERM and, after Spec.Grace,
// everything is killed; the error then matches ctx's cause too (errors.Is).
func Run(ctx context.Context, spec Spec) (Result, error) {
	p, err := Start(ctx, spec)
	if err != nil {
		return Result{}, err
	}
	return p.Wait()
}

// Wait waits until the command and everything it started are gone and returns
// how it ended. It may be called several times.
func (p *Process) Wait() (Result, error) {
	<-p.done
	return p.result, p.err
}

// Done is closed when Wait would return.
func (p *Process) Done() <-chan struct{} { return p.done }

// Signal sends a signal to the command's process group. It is an error when the
// sandbox has ended.
func (p *Process) Signal(sig syscall.Signal) error {
	p.commands.Lock()
	defer p.commands.Unlock()
	return json.NewEncoder(p.control).Encode(command{Signal: sig})
}

// Kill ends everything at once.
func (p *Process) Kill() error {
	p.stop(Killed, nil, -1)
	return nil
}

// Stop sends SIGTERM and, after the grace time, kills everything. It does not
// wait for that.
func (p *Process) Stop() { p.stop(Cancelled, nil, p.spec.grace()) }

// Pid is the host's number of the sandbox's process 1.
func (p *Process) Pid() int { return p.process.Pid }

// stop ends the command, for the first reason that there is.
func (p *Process) stop(reason Reason, cause error, grace time.Duration) {
	p.stopping.Lock()
	defer p.stopping.Unlock()
	if p.reason == "" {
		p.reason, p.cause = reason, cause
	}
	if grace > 0 && p.Signal(syscall.SIGTERM) == nil {
		time.AfterFunc(grace, p.killFirst)
		return
	}
	p.killFirst()
}

// killFirst kills process 1, and so everything in its process namespace.
func (p *Process) killFirst() {
	// An error means that it has ended.
	_ = p.process.Kill()
}

func (s *Spec) grace() time.Duration {
	if s.Grace == 0 {
		return DefaultGrace
	}
	return s.Grace
}

// watch sees a started command to its end.
func (p *Process) watch(ctx context.Context) {
	defer close(p.done)
	stopWatching := context.AfterFunc(ctx, func() { p.stop(Cancelled, context.Cause(ctx), p.spec.grace()) })
	defer stopWatching()
	if p.spec.Limits.Time > 0 {
		timer := time.AfterFunc(p.spec.Limits.Time, func() { p.stop(TimeLimit, nil, p.spec.grace()) })
		defer timer.Stop()
	}

	last, readErr := p.last()
	if readErr != nil || last.Exit == nil {
		last.Exit = &exit{Code: 128 + int(syscall.SIGKILL), Signal: syscall.SIGKILL}
		p.stopping.Lock()
		if p.reason == "" && p.group.exceeded() == "" {
			p.reason = Killed
		}
		p.stopping.Unlock()
	}
	writeErr := p.end()
	p.result = Result{Code: last.Exit.Code, Duration: time.Since(p.started)}
	p.err = p.verdict(*last.Exit, writeErr)
}

// last passes on what a session's tasks say, and gives the sandbox's last event.
func (p *Process) last() (e event, err error) {
	if p.spec.session != nil {
		defer close(p.spec.session)
	}
	for {
		e = event{}
		if err = p.events.Decode(&e); err != nil || e.Exit != nil || p.spec.session == nil {
			return e, err
		}
		p.spec.session <- e
	}
}

// end waits for the death of process 1, which is that of everything inside, and
// frees what the sandbox used.
func (p *Process) end() error {
	_, waitErr := p.process.Wait()
	writeErr := p.output.wait()
	p.control.Close()
	p.stopping.Lock()
	if p.reason == "" {
		p.reason = p.group.exceeded()
	}
	p.stopping.Unlock()
	p.release()
	return errors.Join(writeErr, waitErr)
}

func (p *Process) release() {
	for len(p.cleanup) > 0 {
		last := len(p.cleanup) - 1
		p.cleanup[last]()
		p.cleanup = p.cleanup[:last]
	}
}

// verdict is the error that an end amounts to.
func (p *Process) verdict(e exit, outputErr error) error {
	p.stopping.Lock()
	defer p.stopping.Unlock()
	// A limit of memory or processes that was met and coped with is no failure.
	coped := e.Code == 0 && (p.reason == MemoryLimit || p.reason == ProcessLimit)
	if e.Code == 0 && (p.reason == "" || coped) {
		return outputErr
	}
	return &ExitError{
		Code: e.Code, Signal: e.Signal, Reason: p.reason,
		Limit: p.spec.Limits.text(p.reason), cause: p.cause,
	}
}

// output copies what the command writes, within a limit.
type output struct {
	mu       sync.Mutex
	left     int64 // bytes; negative: no limit
	exceeded func()
	err      error
	copies   sync.WaitGroup
}

// copy starts copying from r to w until r ends.
func (o *output) copy(w io.Writer, r *os.File) {
	o.copies.Go(func() {
		defer r.Close()
		buf := make([]byte, 32<<10)
		for {
			n, err := r.Read(buf)
			o.write(w, buf[:n])
			if err != nil {
				return // the end of file, the only one a pipe has
			}
		}
	})
}

// write writes what the limit leaves. After a limit or an error the rest is
// thrown away, so that the command does not hang on a full pipe.
func (o *output) write(w io.Writer, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.left >= 0 && int64(len(data)) > o.left {
		data = data[:o.left]
		defer o.exceeded()
	}
	if o.left >= 0 {
		o.left -= int64(len(data))
	}
	if o.err == nil && len(data) > 0 {
		_, o.err = w.Write(data)
	}
}

func (o *output) wait() error {
	o.copies.Wait()
	return o.err
}
