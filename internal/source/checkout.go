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

// Clone makes dir a repository with the files and the history of a branch, which it is on.
func (m *Mirror) Clone(ctx context.Context, branch, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cloning %s: %w", m.URL(), err)
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--template=", "--initial-branch=" + branch},
		{"fetch", "--quiet", "--tags", "--no-write-fetch-head", "--", m.dir, "+refs/heads/" + branch + ":refs/remotes/origin/" + branch},
		{"reset", "--quiet", "--hard", "refs/remotes/origin/" + branch},
	} {
		if _, err := git(ctx, dir, args...); err != nil {
			return fmt.Errorf("cloning %s: %w", m.URL(), err)
		}
	}
	return nil
}

// CommitAll commits what has changed in a repository that Clone made, as nobody in particular.
func CommitAll(ctx context.Context, dir, message string) error {
	_, err := git(ctx, dir, "-c", "user.name=Slipway", "-c", "user.email=slipway@localhost", "-c", "commit.gpgsign=false",
		"commit", "--quiet", "--all", "--message", message)
	if err != nil {
		return fmt.Errorf("committing in %s: %w", dir, err)
	}
	return nil
}
