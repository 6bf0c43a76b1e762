package release

import (
	"fmt"
	"time"
)

// State is where a promotion stands. Nothing leaves a terminal state.
type State string

// The states of a promotion.
const (
	Running   State = "running"
	Succeeded State = "succeeded" // the snapshot runs and passed its health checks
	Failed    State = "failed"    // the snapshot's fault: it did not become healthy, and what ran before runs on
	Errored   State = "errored"   // not the snapshot's fault: the registry, the disk, ours
	Aborted   State = "aborted"   // someone stopped it
)

// Terminal says that a promotion in this state has ended.
func (s State) Terminal() bool { return s != Running }

// Promotion is a snapshot on its way to an environment.
type Promotion struct {
	Number      int64     `json:"number"` // in the order in which they began
	Service     string    `json:"service"`
	Environment string    `json:"environment"`
	Snapshot    string    `json:"snapshot"` // ID
	State       State     `json:"state"`
	Actor       string    `json:"actor"`
	Reason      string    `json:"reason,omitempty"`
	Message     string    `json:"message,omitempty"` // why it failed
	Began       time.Time `json:"began"`
	Ended       time.Time `json:"ended,omitzero"`
}

// BusyError says that another promotion to the environment is under way. Trying again later helps.
type BusyError struct {
	Environment string
	// Running is the other one; nil where it is only just beginning.
	Running *Promotion
}

func (e *BusyError) Error() string {
	if e.Running == nil {
		return fmt.Sprintf("another promotion to %s is just beginning: wait for it to end", e.Environment)
	}
	p := e.Running
	return fmt.Sprintf("promotion %d to %s is under way (snapshot %s, by %s, since %s): wait for it to end",
		p.Number, e.Environment, p.Snapshot[:min(12, len(p.Snapshot))], p.Actor, p.Began.Local().Format(time.TimeOnly))
}
