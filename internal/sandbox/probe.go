package sandbox

import "context"

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

// Probe tries, by running nothing in an empty root, what sandboxes need.
func Probe(ctx context.Context) Support { return Support{} }
