package deploy

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// RolloutError is a release that did not become healthy. What ran before still
// does.
type RolloutError struct {
	Workload string `json:"workload"`
	// State is TimedOut, or Degraded where the workload ended instead.
	State State `json:"state"`
	// Reason says what happened, with the answer of the last check.
	Reason string `json:"reason"`
	// LogTail are the last lines that the workload wrote, LogFile where all are
	// (empty where the target keeps none).
	LogTail []string `json:"logTail,omitempty"`
	LogFile string   `json:"logFile,omitempty"`
	// Kept is the snapshot that goes on running, empty if none does; KeptAlias its name for people.
	Kept      string `json:"kept,omitempty"`
	KeptAlias string `json:"keptAlias,omitempty"`
}

func (e *RolloutError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "workload %s: %s", e.Workload, e.Reason)
	if len(e.LogTail) > 0 {
		b.WriteString("\nits last lines:")
		for _, line := range e.LogTail {
			b.WriteString("\n  " + line)
		}
	}
	if e.Kept != "" {
		fmt.Fprintf(&b, "\nsnapshot %s goes on running", cmp.Or(e.KeptAlias, e.Kept))
	}
	return b.String()
}

// BusyError is an Apply while another one is under way. Trying again later helps.
type BusyError struct {
	Snapshot string    `json:"snapshot"` // that is being rolled out
	Since    time.Time `json:"since"`
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("snapshot %s is being rolled out since %s: wait for that, or take everything down", e.Snapshot, e.Since.Format(time.TimeOnly))
}

// namePattern is that of DNS labels, which is what names become on most targets.
var namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// CheckName reports whether name can name a service, environment or workload.
func CheckName(kind, name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("%s %q: not 1 to 63 lower-case letters, digits and inner dashes", kind, name)
	}
	return nil
}

// Check reports what is wrong with a release, before anything is done.
func (r Release) Check() error {
	if err := CheckName("service", r.Service); err != nil {
		return err
	}
	if err := CheckName("environment", r.Environment); err != nil {
		return err
	}
	if r.Snapshot == "" {
		return fmt.Errorf("release of %s: no snapshot", r.Service)
	}
	if len(r.Workloads) == 0 {
		return fmt.Errorf("release of %s: no workloads", r.Service)
	}
	names, addresses := map[string]bool{}, map[string]string{}
	for _, w := range r.Workloads {
		if err := w.check(); err != nil {
			return err
		}
		if names[w.Name] {
			return fmt.Errorf("workload %s: defined twice", w.Name)
		}
		names[w.Name] = true
		if other := addresses[w.Listen]; other != "" && w.Listen != "" {
			return fmt.Errorf("workload %s: listens on %s, as workload %s does", w.Name, w.Listen, other)
		}
		addresses[w.Listen] = w.Name
	}
	return nil
}

func (w Workload) check() error {
	if err := CheckName("workload", w.Name); err != nil {
		return err
	}
	switch {
	case w.Image == "":
		return fmt.Errorf("workload %s: no image", w.Name)
	case w.Port < 0 || w.Port > 65535:
		return fmt.Errorf("workload %s: port %d is not between 1 and 65535", w.Name, w.Port)
	case w.Replicas < 0 || w.Replicas > maxReplicas:
		return fmt.Errorf("workload %s: %d replicas are not between 1 and %d", w.Name, w.Replicas, maxReplicas)
	case w.Health.Path != "" && !strings.HasPrefix(w.Health.Path, "/"):
		return fmt.Errorf("workload %s: health path %q does not begin with /", w.Name, w.Health.Path)
	case w.Health.Timeout < 0 || w.Health.Interval < 0 || w.Health.Settle < 0:
		return fmt.Errorf("workload %s: negative duration in health", w.Name)
	}
	return nil
}

const maxReplicas = 100
