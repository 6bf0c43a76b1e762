package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	switch {
	case errors.As(err, &ge) && (ge.silent || strings.Contains(ge.message, "not a git repository")):
		return Checkout{}, nil // no commit yet, or no repository
	case err != nil: // such as a repository of somebody else, which git does not trust
		return Checkout{}, fmt.Errorf("looking at %s: %w", dir, err)
	}
	status, err := git(ctx, dir, "status", "--porcelain", "--untracked-files=no", "--", ".")
	if err != nil {
		return Checkout{}, fmt.Errorf("looking at %s: %w", dir, err)
	}
	return Checkout{Commit: strings.TrimSpace(commit), Dirty: status != ""}, nil
}

// Inspect tells a checkout's remote called origin ("" where there is none) and its branches, those
// of the remote included, sorted.
func Inspect(ctx context.Context, dir string) (remote string, branches []string, err error) {
	out, err := git(ctx, dir, "for-each-ref", "--format=%(refname)", "refs/heads/", "refs/remotes/origin/")
	if err != nil {
		return "", nil, fmt.Errorf("looking at checkout %s: %w", dir, err)
	}
	for _, ref := range strings.Fields(out) {
		ref = strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/remotes/origin/")
		if ref != "HEAD" {
			branches = append(branches, ref)
		}
	}
	slices.Sort(branches)
	remote, err = git(ctx, dir, "config", "--get", "remote.origin.url")
	var ge *gitError
	if err != nil && !errors.As(err, &ge) {
		return "", nil, fmt.Errorf("looking at checkout %s: %w", dir, err)
	}
	return Redact(strings.TrimSpace(remote)), slices.Compact(branches), nil
}
