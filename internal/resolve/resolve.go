package resolve

import (
	"context"
)

// Resolve finds the packages that dnf would install. The error is a *Conflict when the requests
// cannot be met, a *sat.LimitError (wrapped) when the search was given up, the context's error, or
// an error of a repository whose file lists were needed and could not be loaded. It is safe for
// concurrent use.
func Resolve(ctx context.Context, problem Problem) (*Solution, error) {
	panic("not reached")
}
