package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Checkout is the state of a folder that someone works in.
type Checkout struct {
	Commit string // "" where the folder is in no repository or has no commit yet
	Dirty  bool   // something differs from the commit
}

// Describe tells at which commit a folder stands. A folder outside any repository is no error.
func Describe(ctx context.Context, dir string) (Checkout, error) {
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	var ge *gitError
	if errors.As(err, &ge) {
		return Checkout{}, nil
	} else if err != nil {
		return Checkout{}, fmt.Errorf("looking at %s: %w", dir, err)
	}
	status, err := git(ctx, dir, "status", "--porcelain", "--untracked-files=no", "--", ".")
	if err != nil {
		return Checkout{}, fmt.Errorf("looking at %s: %w", dir, err)
	}
	return Checkout{Commit: strings.TrimSpace(commit), Dirty: status != ""}, nil
}
