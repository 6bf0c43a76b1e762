package source

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// upToDate tells whether the remote is a repository on this machine whose branches and tags are the mirror's. Both are
// read as the files that they are, which takes no process; in doubt it is not up to date, and git looks.
func (m *Mirror) upToDate() bool {
	if !filepath.IsAbs(m.url) {
		return false
	}
	remote := m.url
	if st, err := os.Stat(filepath.Join(remote, ".git")); err == nil && st.IsDir() {
		remote = filepath.Join(remote, ".git")
	}
	theirs, ok := readRefs(remote)
	if !ok {
		return false
	}
	ours, ok := readRefs(m.dir)
	return ok && maps.Equal(ours, theirs)
}

// maxRefs bounds what is read of a repository's refs, in bytes of packed-refs and in files.
const maxRefs = 4 << 20

// readRefs reads the branches and tags of a repository that keeps them in files (gitrepository-layout(5)). ok is false where
// it may keep them in another way, or something is being written.
func readRefs(dir string) (refs map[string]string, ok bool) {
	for _, other := range []string{"commondir", "reftable", "shallow", "packed-refs.lock"} {
		if _, err := os.Lstat(filepath.Join(dir, other)); !errors.Is(err, fs.ErrNotExist) {
			return nil, false
		}
	}
	if st, err := os.Stat(filepath.Join(dir, "objects")); err != nil || !st.IsDir() {
		return nil, false
	}
	refs = map[string]string{}
	packed := filepath.Join(dir, "packed-refs")
	if st, err := os.Stat(packed); err == nil && st.Size() > maxRefs {
		return nil, false
	}
	data, err := os.ReadFile(packed)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	for line := range strings.Lines(string(data)) {
		id, name, found := strings.Cut(strings.TrimSpace(line), " ")
		if found && isID(id) && (strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/tags/")) {
			refs[name] = id
		}
	}
	count := 0
	for _, kind := range []string{"heads", "tags"} {
		err := filepath.WalkDir(filepath.Join(dir, "refs", kind), func(p string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			if count++; count > maxRefs/64 || !e.Type().IsRegular() {
				return fs.ErrInvalid
			}
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			id := strings.TrimSpace(string(data))
			if !isID(id) || strings.HasSuffix(p, ".lock") { // a symbolic one, or one that is being written
				return fs.ErrInvalid
			}
			name, err := filepath.Rel(dir, p)
			refs[filepath.ToSlash(name)] = id
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, false
		}
	}
	return refs, true
}

// isID tells whether a word is an object's id.
func isID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}
