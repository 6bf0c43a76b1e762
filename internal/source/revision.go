package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/slipway-build/slipway/internal/terminal"
)

// FetchError says that a repository could not be read.
type FetchError struct {
	URL string
	Err error
}

func (e *FetchError) Error() string {
	return fmt.Sprintf("fetching %s: %v (check the URL, the network and the credentials: git ls-remote %s should work)", e.URL, e.Err, e.URL)
}

func (e *FetchError) Unwrap() error { return e.Err }

// NoBranchError says that a repository lacks a branch, and which it has.
type NoBranchError struct {
	URL, Branch string
	Have        []string // sorted
}

func (e *NoBranchError) Error() string {
	have := "it has no branches"
	if n := len(e.Have); n > 0 {
		have = "it has " + strings.Join(e.Have[:min(n, 8)], ", ")
		if n > 8 {
			have += fmt.Sprintf(" and %d more", n-8)
		}
	}
	return fmt.Sprintf("%s has no branch %q: %s", e.URL, e.Branch, have)
}

// Branch gives the revision at which a branch stood when the mirror was last fetched. A missing
// branch is a *NoBranchError.
func (m *Mirror) Branch(ctx context.Context, branch string) (Revision, error) {
	r, name, ok := m.knownBranch(branch)
	if ok {
		return r, nil
	}
	r, err := m.Commit(ctx, "refs/heads/"+branch)
	if err == nil {
		r.Branch = branch
		if data, err := json.Marshal(r); err == nil && name != "" {
			m.keep(name, data)
		}
		return r, nil
	}
	have, listErr := git(ctx, m.dir, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/")
	if listErr != nil {
		return Revision{}, fmt.Errorf("reading mirror of %s: %w", m.URL(), listErr)
	}
	names := strings.Fields(have)
	for _, n := range names {
		if n == branch {
			return Revision{}, err
		}
	}
	return Revision{}, &NoBranchError{URL: m.URL(), Branch: branch, Have: names}
}

// Commit gives the revision that a commit id or a full ref name stands for.
func (m *Mirror) Commit(ctx context.Context, name string) (Revision, error) {
	out, err := git(ctx, m.dir, "log", "-1", "--format=%H%x00%T%x00%ct%x00%(describe:tags=true,abbrev=40,match=*[0-9]*)%x00%an%x00%s", "--end-of-options", name, "--")
	if err != nil {
		return Revision{}, fmt.Errorf("reading commit %s of %s: %w", name, m.URL(), err)
	}
	f := strings.SplitN(strings.TrimSuffix(out, "\n"), "\x00", 6)
	if len(f) != 6 {
		return Revision{}, fmt.Errorf("reading commit %s of %s: git answered %q", name, m.URL(), out)
	}
	sec, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil {
		return Revision{}, fmt.Errorf("reading commit %s of %s: %w", name, m.URL(), err)
	}
	r := Revision{URL: m.URL(), Commit: f[0], Tree: f[1], Time: time.Unix(sec, 0).UTC(), Author: printable(f[4]), Subject: printable(f[5])}
	if described(&r, f[3]) {
		return r, nil
	}
	return r, m.describe(ctx, &r)
}

// described takes what git log says of the newest tag: TAG, or TAG-N-gCOMMIT. Where that is not plain, as with a git before
// 2.36, or without a tag, git describe has to say it.
func described(r *Revision, said string) bool {
	if said == "" || strings.HasPrefix(said, "%") {
		return false
	}
	rest, more := strings.CutSuffix(said, "-g"+r.Commit)
	if !more {
		r.Tag = said
		return true
	}
	tag, n, ok := cutLast(rest, "-")
	ahead, err := strconv.Atoi(n)
	if !ok || err != nil {
		return false
	}
	r.Tag, r.Ahead = tag, ahead
	return true
}

// describe finds the newest tag with a digit in it, as setuptools-scm looks for versions.
func (m *Mirror) describe(ctx context.Context, r *Revision) error {
	out, err := git(ctx, m.dir, "describe", "--tags", "--long", "--match=*[0-9]*", r.Commit)
	var ge *gitError
	switch {
	case errors.As(err, &ge): // no tag leads here
		out, err = git(ctx, m.dir, "rev-list", "--count", r.Commit, "--")
		if err != nil {
			return fmt.Errorf("counting commits of %s: %w", m.URL(), err)
		}
		r.Ahead, err = strconv.Atoi(strings.TrimSpace(out))
		return err
	case err != nil:
		return err
	}
	out = strings.TrimSpace(out) // TAG-N-gHASH
	rest, _, _ := cutLast(out, "-g")
	tag, n, ok := cutLast(rest, "-")
	if !ok {
		return fmt.Errorf("describing %s: git answered %q", r.Commit, out)
	}
	r.Tag = tag
	r.Ahead, err = strconv.Atoi(n)
	return err
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// printable keeps out of terminals what a stranger's text could do to them: control characters, and
// the marks that turn the direction of writing.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if terminal.Obeys(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
