package rpmrepo

import "sync/atomic"

// Restrict gives the repository with some more packages excluded: those whose number hidden says.
// It shares what was read, so it costs little.
func (r *Repository) Restrict(hidden func(i int) bool) *Repository {
	out := &Repository{
		Config: r.Config, State: r.State, index: r.index,
		decoded:  make([]atomic.Pointer[Package], r.Len()),
		excluded: make([]bool, r.Len()),
	}
	if r.loadFiles != nil {
		out.loadFiles = r.filelists
	}
	for i := range out.excluded {
		out.excluded[i] = r.Excluded(i) || hidden(i)
	}
	return out
}
