package sandbox

import (
	"context"
	"fmt"
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

// ExitError is a command that ran and did not end with exit code 0.
// An error of another type means that it could not be run.
type ExitError struct {
	// Code is the exit code; 128 + Signal when a signal ended it.
	Code int
	// Signal that ended the command; 0 when it exited by itself.
	Signal syscall.Signal
	// Reason it was ended by the sandbox for; empty when it ended by itself.
	Reason Reason
	// Limit is the limit that Reason names, as text ("512 MiB", "30s").
	Limit string
}

// Reason is why the sandbox ended a command.
type Reason string

const (
	MemoryLimit  Reason = "memory limit"
	ProcessLimit Reason = "process limit" // reached, and the command then failed
	TimeLimit    Reason = "time limit"
	OutputLimit  Reason = "output limit"
	Cancelled    Reason = "cancelled" // the context ended; errors.Is finds its cause
	Killed       Reason = "killed"    // by Process.Kill, or process 1 died
)

func (e *ExitError) Error() string { return fmt.Sprintf("exit code %d", e.Code) }

// Process is a started sandbox. Its methods may be called concurrently.
type Process struct{}

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

// Start starts spec's command. It returns when the command has been executed,
// or with the error that prevented it. ctx governs the whole life of the
// sandbox, as in Run. Wait must be called.
func Start(ctx context.Context, spec Spec) (*Process, error) {
	return nil, fmt.Errorf("starting the sandbox: %w", ctx.Err())
}

// Wait waits until the command and everything it started are gone and returns
// how it ended. It may be called several times.
func (p *Process) Wait() (Result, error) { return Result{}, nil }

// Signal sends a signal to the command's process group.
func (p *Process) Signal(sig syscall.Signal) error { return nil }

// Kill ends everything at once.
func (p *Process) Kill() error { return nil }

// Pid is the host's number of the sandbox's process 1.
func (p *Process) Pid() int { return 0 }
