package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What was asked of a commit once is kept in a folder beside the mirror, so that a project that has not changed takes no
// process of git. What is kept follows from the commit's id and from the tags, and is only ever missing, never wrong.

// Bounds of what is kept beside a mirror.
const (
	maxKept     = 4 << 20 // bytes of one tree
	maxKeptHave = 64      // entries, the newest
)

// keep stores data under a name. It is no loss where that fails.
func (m *Mirror) keep(name string, data []byte) {
	dir := m.dir + ".known"
	if os.MkdirAll(dir, 0o700) != nil {
		return
	}
	f, err := os.CreateTemp(dir, "tmp-")
	if err != nil {
		return
	}
	sum := sha256.Sum256(data)
	_, err = f.Write(append(sum[:], data...))
	if closeErr := f.Close(); err != nil || closeErr != nil || os.Rename(f.Name(), filepath.Join(dir, name)) != nil {
		_ = os.Remove(f.Name())
	}
	prune(dir)
}

// prune removes the oldest entries where there are too many.
func prune(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) <= maxKeptHave {
		return
	}
	age := func(e os.DirEntry) int64 {
		info, err := e.Info()
		if err != nil {
			return 0
		}
		return info.ModTime().UnixNano()
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return int(age(a)/1e6 - age(b)/1e6) })
	for _, e := range entries[:len(entries)-maxKeptHave/2] {
		_ = os.Remove(filepath.Join(dir, e.Name()))
	}
}

// kept finds what was stored under a name, whole.
func (m *Mirror) kept(name string) ([]byte, bool) {
	data, err := os.ReadFile(filepath.Join(m.dir+".known", name))
	if err != nil || len(data) < sha256.Size {
		return nil, false
	}
	sum := sha256.Sum256(data[sha256.Size:])
	return data[sha256.Size:], bytes.Equal(sum[:], data[:sha256.Size])
}

// knownBranch finds the revision of a branch that was asked for before, at the same tags. name is what to keep it under, ""
// where the mirror's refs cannot be read.
func (m *Mirror) knownBranch(branch string) (r Revision, name string, ok bool) {
	refs, readable := readRefs(m.dir)
	id := refs["refs/heads/"+branch]
	if !readable || id == "" {
		return r, "", false
	}
	tags := sha256.New()
	for _, ref := range slices.Sorted(maps.Keys(refs)) {
		if strings.HasPrefix(ref, "refs/tags/") {
			tags.Write([]byte(ref + " " + refs[ref] + "\n"))
		}
	}
	name = "revision-" + id + "-" + hex.EncodeToString(tags.Sum(nil)[:8])
	data, ok := m.kept(name)
	if !ok || json.Unmarshal(data, &r) != nil || r.Commit != id {
		return Revision{}, name, false
	}
	r.URL, r.Branch = m.URL(), branch
	return r, name, true
}

// keptTree is a whole tree as it is kept.
type keptTree struct {
	List  string            // what git ls-tree says
	Blobs map[string][]byte // by id
}

func (m *Mirror) knownTree(id string) (t keptTree, ok bool) {
	data, ok := m.kept("tree-" + id)
	return t, ok && gob.NewDecoder(bytes.NewReader(data)).Decode(&t) == nil
}

// keepTree keeps a tree that is loaded whole.
func (m *Mirror) keepTree(id string, t keptTree) {
	size := len(t.List)
	for _, blob := range t.Blobs {
		size += len(blob)
	}
	var b bytes.Buffer
	if size <= maxKept && gob.NewEncoder(&b).Encode(t) == nil {
		m.keep("tree-"+id, b.Bytes())
	}
}
