package source

import (
	"context"
	"fmt"
	"os"
)

// Checkout makes dir a repository with the files of a commit, and with that commit's history, for what
// reads .git itself. It refers to nothing outside of dir; dir must not exist, or be empty. Hooks and
// filters do not run.
func (m *Mirror) Checkout(ctx context.Context, r Revision, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("checking out %s: %w", m.URL(), err)
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--template=", "--initial-branch=slipway"},
		{"fetch", "--quiet", "--tags", "--no-write-fetch-head", "--", m.dir, "+refs/heads/*:refs/remotes/origin/*"},
		{"checkout", "--quiet", "--detach", r.Commit, "--"},
	} {
		if _, err := git(ctx, dir, args...); err != nil {
			return fmt.Errorf("checking out %s of %s: %w", r.Short(), m.URL(), err)
		}
	}
	return nil
}
