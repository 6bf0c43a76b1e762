// Package source keeps mirrors of git repositories and reads commits from them.
//
// In goes a repository's URL or path; out come revisions (a branch's commit, with what identifies
// it) and trees: the files of a commit as an fs.FS, read from the object store without a checkout.
// A mirror is a bare repository in the cache folder, fetched incrementally; all git work is done by
// the git program, which brings the user's credentials, protocols and proxies with it.
//
// Nothing of a repository is ever run: hooks are off, and so are transports that run commands.
// Mirrors are safe for concurrent use, also by several processes; a fetch that was killed leaves a
// mirror that the next fetch repairs.
package source

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/cache"
)

// Store is a folder of mirrors.
type Store struct{ dir string }

// Open uses dir, made when first needed.
func Open(dir string) *Store { return &Store{dir: dir} }

// Mirror is a repository's copy on this machine.
type Mirror struct {
	url   string // as git is given it
	dir   string
	store *Store // for the mirrors of submodules
}

// Revision is a repository at a commit.
type Revision struct {
	URL     string    // without credentials
	Branch  string    // the branch it was found by
	Commit  string    // full id
	Tree    string    // id of its tree: equal trees have equal content
	Time    time.Time // committer's time, UTC
	Author  string
	Subject string
	Tag     string // newest tag with a digit that it descends from, "" where there is none
	Ahead   int    // commits since Tag, or since the beginning
}

// Short is the commit as it is shown to people.
func (r Revision) Short() string { return r.Commit[:min(7, len(r.Commit))] }

// Mirror names the mirror of a repository. A path that exists is made absolute first; nothing is
// fetched yet.
func (s *Store) Mirror(repository string) (*Mirror, error) {
	if err := checkURL(repository); err != nil {
		return nil, err
	}
	if st, err := os.Stat(repository); err == nil && st.IsDir() {
		if repository, err = filepath.Abs(repository); err != nil {
			return nil, fmt.Errorf("finding repository: %w", err)
		}
	}
	return &Mirror{url: repository, dir: filepath.Join(s.dir, cache.Key(repository)[:32]), store: s}, nil
}

// checkURL refuses what git would take for an option or for a command to run.
func checkURL(u string) error {
	scheme, _, helper := strings.Cut(u, "::")
	if u == "" || u[0] == '-' || strings.ContainsAny(u, "\x00\n") || helper && !strings.ContainsAny(scheme, "/[") {
		return fmt.Errorf("%q is not a repository's URL or path", Redact(u))
	}
	return nil
}

// URL is the repository's address without credentials.
func (m *Mirror) URL() string { return Redact(m.url) }

// Redact takes the credentials out of a repository's address: user and password, of which either may
// be a token. ssh's user is no secret and stays. What is no URL stays as it is.
func Redact(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	u, err := url.Parse(address)
	switch {
	case err != nil: // as with a bare % or / in the password
		return scheme + "://" + rest[strings.LastIndex(rest, "@")+1:]
	case u.User == nil:
		return address
	case strings.HasSuffix(u.Scheme, "ssh"):
		u.User = url.User(u.User.Username())
	default:
		u.User = nil
	}
	return u.String()
}

// Fetch brings branches and tags up to date with the remote. Branches that the remote no longer has
// are dropped.
func (m *Mirror) Fetch(ctx context.Context) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	// git makes this folder last.
	if _, err := os.Stat(filepath.Join(m.dir, "objects", "info")); err != nil {
		if _, err := git(ctx, "", "init", "--quiet", "--bare", m.dir); err != nil {
			return fmt.Errorf("making mirror of %s: %w", m.URL(), err)
		}
	}
	m.removeStaleLocks()
	if m.upToDate() {
		return nil
	}
	_, err = git(ctx, m.dir, "fetch", "--quiet", "--prune", "--no-write-fetch-head", "--no-auto-gc", "--force", "--end-of-options", m.url,
		"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
	if err != nil {
		return &FetchError{URL: m.URL(), Err: err}
	}
	return nil
}

// lock keeps other fetches of the same mirror waiting. The kernel lets go of it when we die.
func (m *Mirror) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(m.dir), 0o755); err != nil {
		return nil, fmt.Errorf("making mirror: %w", err)
	}
	f, err := os.OpenFile(m.dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking mirror: %w", err)
	}
	for unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("waiting for another fetch of %s: %w", m.URL(), context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
	return func() { f.Close() }, nil
}

// removeStaleLocks clears what a killed git left: we hold the mirror's own lock, so no git that
// could own these lives.
func (m *Mirror) removeStaleLocks() {
	for _, pattern := range []string{"*.lock", "packed-refs.new", "objects/pack/tmp_*"} {
		files, _ := filepath.Glob(filepath.Join(m.dir, pattern))
		for _, f := range files {
			_ = os.Remove(f)
		}
	}
	// The name of a ref never ends in .lock (git-check-ref-format(1)).
	_ = filepath.WalkDir(filepath.Join(m.dir, "refs"), func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && strings.HasSuffix(p, ".lock") {
			_ = os.Remove(p)
		}
		return nil
	})
}
