package sandbox

import (
	"context"
	"fmt"
	"os"
)

// Support says what this kernel and user allow.
type Support struct {
	// OK: commands can be run. Otherwise Problem says why not and what to do.
	OK      bool
	Problem string
	// IDs is how many user ids there are inside: 65536, or 1.
	IDs int
	// Cgroup is 1 or 2, the version that limits memory and processes; 0 when
	// none can be used and resource limits stand in. CgroupProblem says why.
	Cgroup        int
	CgroupProblem string
}

// Probe tries what sandboxes need, by making one that runs nothing.
func Probe(ctx context.Context) Support {
	var s Support
	if m, err := currentMapping(); err != nil {
		s.Problem = err.Error()
		return s
	} else {
		s.IDs = m.ids()
	}
	group, err := newCgroup(Limits{Memory: 1 << 30, Processes: 100})
	if err != nil {
		s.CgroupProblem = err.Error()
	} else {
		s.Cgroup = group.version
		group.remove()
	}
	if err := tryEmpty(ctx); err != nil {
		s.Problem = err.Error()
		return s
	}
	s.OK = true
	return s
}

// tryEmpty makes a sandbox of an empty root filesystem.
func tryEmpty(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "slipway-probe-")
	if err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	defer os.RemoveAll(dir)
	_, err = Run(ctx, Spec{Lower: []string{dir}, probe: true})
	return err
}
