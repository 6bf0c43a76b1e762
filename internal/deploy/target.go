// Package deploy says what it is to run a release somewhere: Target is the
// interface that every place implements (local: this machine), Release what
// comes in, Status what is seen. Package deploytest holds every implementation
// to the same promises.
//
// A target moves all workloads of a release together or none: when one of them
// does not become healthy, what ran before goes on, and the error (RolloutError)
// says which one, how, and what it last wrote. Targets know of digests and
// snapshot names, not of branches, schedules or gates.
package deploy

import (
	"context"
	"io"
	"time"
)

// Target is a place where releases run. Implementations are safe for concurrent
// use, also by several processes.
type Target interface {
	// Apply makes the release what runs for its service and environment, and
	// returns when all workloads are healthy (or unproven). It changes nothing
	// when that release already runs so. On an error what ran before still runs:
	// a *RolloutError where the release is at fault, a *BusyError where another
	// Apply is under way. When ctx ends, the rollout is undone.
	Apply(ctx context.Context, release Release) (Result, error)
	// Status reports what runs. It is not an error when nothing does.
	Status(ctx context.Context, service, environment string) (Status, error)
	// Logs writes what workloads wrote. With Follow it goes on until ctx ends,
	// which is no error then.
	Logs(ctx context.Context, request LogRequest, w io.Writer) error
	// Down stops everything of the service in the environment and returns when
	// nothing of it is left but logs. It is not an error when nothing runs.
	Down(ctx context.Context, service, environment string) error
}

// Release is a snapshot as it is to run in one environment.
type Release struct {
	Service     string            `json:"service"`     // lower-case letters, digits, dashes
	Environment string            `json:"environment"` // the same
	Snapshot    string            `json:"snapshot"`    // the snapshot's content hash
	Alias       string            `json:"alias,omitempty"`
	Commits     map[string]string `json:"commits,omitempty"` // project: commit
	Workloads   []Workload        `json:"workloads"`
}

// Workload is one image that is kept running.
type Workload struct {
	Name     string            `json:"name"`           // as Release.Service; other workloads reach it by this name
	Image    string            `json:"image"`          // reference by digest
	Args     []string          `json:"args,omitempty"` // instead of the image's command
	Listen   string            `json:"listen,omitempty"`
	Port     int               `json:"port,omitempty"`     // where it listens; 0: the image's first port, if any
	Replicas int               `json:"replicas,omitempty"` // 0 is 1
	Env      map[string]string `json:"env,omitempty"`      // over the image's
	Health   Health            `json:"health"`
}

// Health says when a workload counts as working. Zero durations are the
// defaults.
type Health struct {
	// Path must answer an HTTP GET with a status from 200 to 399. Empty: the
	// workload must run for the Settle time, and is then unproven.
	Path string `json:"path,omitempty"`
	// Timeout is how long it may take.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Interval between two checks; by default it grows from 100 ms to 1 s.
	Interval time.Duration `json:"interval,omitempty"`
	Settle   time.Duration `json:"settle,omitempty"`
}

// What zero durations of Health are.
const (
	DefaultTimeout = 30 * time.Second
	DefaultSettle  = 3 * time.Second
)

// Result is what Apply did.
type Result struct {
	// Unchanged: the release already ran, and nothing was done.
	Unchanged bool `json:"unchanged,omitempty"`
	// Previous is the snapshot that ran before, empty if none.
	Previous string `json:"previous,omitempty"`
	// Status as it is now.
	Status Status `json:"status"`
	// Duration from the call to the switch.
	Duration time.Duration `json:"duration"`
}

// State is what a workload's rollout has come to.
type State string

// States.
const (
	Progressing State = "progressing" // started, not healthy yet
	Healthy     State = "healthy"     // its check passes
	Unproven    State = "unproven"    // it has no check, and ran for the settle time
	Degraded    State = "degraded"    // it was healthy; now it crashed or its check fails
	TimedOut    State = "timed-out"   // it did not become healthy in time
	Returned    State = "returned"    // it failed, and the previous version was kept
)

// Status is what runs for a service in an environment.
type Status struct {
	Service     string `json:"service"`
	Environment string `json:"environment"`
	// Running: a release is deployed and its processes are looked after.
	Running bool `json:"running"`
	// Problem says what is wrong with the whole, and what to do.
	Problem  string            `json:"problem,omitempty"`
	Snapshot string            `json:"snapshot,omitempty"`
	Alias    string            `json:"alias,omitempty"`
	Commits  map[string]string `json:"commits,omitempty"`
	// Since is when this release began to serve.
	Since     time.Time        `json:"since,omitzero"`
	Workloads []WorkloadStatus `json:"workloads,omitempty"` // sorted by name
	// Failed is the newest rollout that was returned, if it is newer than Since.
	Failed *FailedRollout `json:"failed,omitempty"`
}

// WorkloadStatus is one workload of a Status.
type WorkloadStatus struct {
	Name      string    `json:"name"`
	Image     string    `json:"image"`
	Digest    string    `json:"digest"` // of the image that runs
	State     State     `json:"state"`
	Address   string    `json:"address,omitempty"` // where it answers, host:port
	Replicas  int       `json:"replicas"`
	Ready     int       `json:"ready"` // replicas that run and pass their check
	Restarts  int       `json:"restarts"`
	Pids      []int     `json:"pids,omitempty"` // of the replicas that run
	Since     time.Time `json:"since,omitzero"` // of the youngest replica
	LastError string    `json:"lastError,omitempty"`
}

// FailedRollout is a release that did not become healthy.
type FailedRollout struct {
	Snapshot string    `json:"snapshot"`
	Alias    string    `json:"alias,omitempty"`
	At       time.Time `json:"at"`
	Workload string    `json:"workload"`
	State    State     `json:"state"` // Returned where something else kept running, else TimedOut or Degraded
	Message  string    `json:"message"`
}

// LogRequest says which logs to write.
type LogRequest struct {
	Service, Environment string
	// Workload is the one to show; empty shows all, each line with its name.
	Workload string
	// Tail is how many of the last lines of each to begin with; negative is all.
	Tail int
	// Follow goes on as lines are written.
	Follow bool
}
