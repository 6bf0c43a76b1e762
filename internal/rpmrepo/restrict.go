package rpmrepo

import (
	"maps"
	"sync/atomic"
)

// Restrict gives the repository with some more packages excluded: those whose number hidden says.
// It shares what was read, so it costs little.
func (r *Repository) Restrict(hidden func(i int) bool) *Repository {
	out := &Repository{
		Config: r.Config, State: r.State, index: r.index,
		decoded:  make([]atomic.Pointer[Package], r.Len()),
		excluded: make([]bool, r.Len()),
		hiding:   r.hiding, modules: r.modules, loadAdvisories: r.loadAdvisories,
	}
	if r.loadFiles != nil {
		out.loadFiles = r.filelists
	}
	for i := range out.excluded {
		out.excluded[i] = r.Excluded(i) || hidden(i)
	}
	return out
}

// Hide is Restrict for packages that are hidden for a reason of their own, by number: "belongs to
// stream nodejs:18, which is not active". Hiding tells it again.
func (r *Repository) Hide(reasons map[int]string) *Repository {
	out := r.Restrict(func(i int) bool { return reasons[i] != "" })
	out.hiding = maps.Clone(r.hiding)
	if out.hiding == nil {
		out.hiding = map[int]string{}
	}
	for i, reason := range reasons {
		if !r.Excluded(i) {
			out.hiding[i] = reason
		}
	}
	return out
}
