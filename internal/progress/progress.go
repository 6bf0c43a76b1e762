// Package progress is how a stage says how far it is, without knowing who listens.
//
// A stage that may take longer than a moment starts a task, adds to it as it goes, and ends it. A
// Reporter shows tasks in a terminal, logs them, or drops them (None). Reporters and tasks are safe
// for concurrent use.
package progress

// Reporter receives tasks.
type Reporter interface {
	// Start begins a task. name is a short phrase for a person ("downloading packages"). total is
	// how much there is to do, in Unit's unit; 0 or less means unknown.
	Start(name string, total int64, unit Unit) Task
}

// Task is one piece of work under way.
type Task interface {
	// Add says that n more were done.
	Add(n int64)
	// Done ends the task, with the error that ended it, if any. Calls after the first do nothing.
	Done(err error)
}

// Unit is what a task counts.
type Unit int

// The units.
const (
	Items Unit = iota
	Bytes
)

// None drops all that it is told.
var None Reporter = none{}

type none struct{}

func (none) Start(string, int64, Unit) Task { return none{} }
func (none) Add(int64)                      {}
func (none) Done(error)                     {}

// Or returns r, or None where r is nil, so that a struct's zero value works.
func Or(r Reporter) Reporter {
	if r == nil {
		return None
	}
	return r
}
