package sandbox

import (
	"fmt"
	"syscall"
	"time"
)

// Reason is why the sandbox ended a command.
type Reason string

// Reasons.
const (
	MemoryLimit  Reason = "memory limit"  // a process was killed for it
	ProcessLimit Reason = "process limit" // a process could not be started for it
	TimeLimit    Reason = "time limit"
	OutputLimit  Reason = "output limit"
	Cancelled    Reason = "cancelled" // the context ended; errors.Is finds its cause
	Killed       Reason = "killed"    // by Process.Kill, or process 1 was
)

// ExitError is a command that ran and did not end well.
// An error of another type means that it could not be run.
type ExitError struct {
	// Code is the exit code; 128 + Signal when a signal ended it. It can be 0
	// when Reason is a limit that was reached before.
	Code int
	// Signal that ended the command; 0 when it exited by itself.
	Signal syscall.Signal
	// Reason the sandbox ended it for; empty when it ended by itself. After a
	// memory or process limit it may have ended by itself: a limit was reached,
	// and then it failed.
	Reason Reason
	// Limit that Reason names, as text ("512 MiB", "30s").
	Limit string

	cause error
}

func (e *ExitError) Error() string {
	how := fmt.Sprintf("exit code %d", e.Code)
	if e.Signal != 0 {
		how = fmt.Sprintf("ended by signal %d (%v)", int(e.Signal), e.Signal)
	}
	switch {
	case e.Reason == "":
		return how
	case e.Limit != "":
		return fmt.Sprintf("%s of %s reached: %s", e.Reason, e.Limit, how)
	}
	return fmt.Sprintf("%s: %s", e.Reason, how)
}

// Unwrap returns the context's cause where Reason is Cancelled.
func (e *ExitError) Unwrap() error { return e.cause }

// text is the limit that a reason names.
func (l Limits) text(r Reason) string {
	switch r {
	case MemoryLimit:
		return byteSize(l.Memory)
	case ProcessLimit:
		return fmt.Sprintf("%d processes", l.Processes)
	case TimeLimit:
		return l.Time.Round(time.Millisecond).String()
	case OutputLimit:
		return byteSize(l.Output)
	default:
		return ""
	}
}

func byteSize(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for n >= 1024 && n%1024 == 0 && i < len(units)-1 {
		n /= 1024
		i++
	}
	return fmt.Sprintf("%d %s", n, units[i])
}
