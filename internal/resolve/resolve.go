package resolve

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-build/slipway/internal/resolve/sat"
)

// Resolve finds the packages that dnf would install. The error is a *Conflict when the requests
// cannot be met, a *sat.LimitError (wrapped) when the search was given up, the context's error, or
// an error of a repository whose file lists were needed and could not be loaded. It is safe for
// concurrent use.
func Resolve(ctx context.Context, problem Problem) (*Solution, error) {
	p, keep := problem.Memory.recall(ctx, problem)
	defer keep()
	s := newSearch(p, problem)
	defer s.release()
	err := s.run()
	if p.err != nil {
		return nil, fmt.Errorf("looking for a file in the repositories: %w", p.err)
	}
	var limit *sat.LimitError
	switch {
	case errors.As(err, &limit):
		return nil, fmt.Errorf("resolving %d requests: %w", len(problem.Requests), err)
	case errors.Is(err, sat.ErrUnsatisfiable):
		return nil, s.explain(problem)
	case err != nil:
		return nil, err
	}
	return s.solution(), nil
}
