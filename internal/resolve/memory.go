package resolve

import (
	"context"
	"slices"
	"sync"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// Memory carries what one resolution found out about repositories (what a package requires, who meets
// it) to the next one, which then is several times as fast. What it holds is used only for problems
// with the same Repositories, Arch and Virtuals, and changes no answer. The zero value is ready to use.
// Resolutions that share one take turns.
type Memory struct {
	mu           sync.Mutex
	repositories []*rpmrepo.Repository
	arch         string
	virtuals     []Virtual
	pool         *pool
}

// recall locks the memory and gives a pool for the problem. keep must be called at the end. A nil
// Memory remembers nothing.
func (m *Memory) recall(ctx context.Context, problem Problem) (p *pool, keep func()) {
	if m == nil {
		return newPool(ctx, problem), func() {}
	}
	m.mu.Lock()
	if m.pool == nil || m.arch != problem.Arch || !slices.Equal(m.repositories, problem.Repositories) ||
		!slices.EqualFunc(m.virtuals, problem.Virtuals, sameVirtual) {
		m.repositories, m.arch = slices.Clone(problem.Repositories), problem.Arch
		m.virtuals = slices.Clone(problem.Virtuals)
		m.pool = newPool(ctx, problem)
	}
	p = m.pool
	p.ctx = ctx
	return p, func() {
		if p.err != nil {
			m.pool = nil // it holds answers that were not to be had
		}
		m.mu.Unlock()
	}
}

func sameVirtual(a, b Virtual) bool {
	return a.Name == b.Name && a.EVR == b.EVR && a.Label == b.Label &&
		slices.Equal[[]rpm.Dependency](a.Provides, b.Provides)
}
