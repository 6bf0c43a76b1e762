package inspect

import (
	"archive/tar"
	"cmp"
	"slices"
)

// Change says what became of a part or a file.
type Change string

// The changes.
const (
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed"
)

// PartChange is a package that two images have differently.
type PartChange struct {
	Change Change `json:"change"`
	Kind   Kind   `json:"kind"`
	Name   string `json:"name"`
	Arch   string `json:"arch,omitempty"`
	From   string `json:"from,omitempty"` // versions
	To     string `json:"to,omitempty"`
	Bytes  int64  `json:"bytes"` // by which it grew
}

// FileChange is a file that two images have differently.
type FileChange struct {
	Change Change `json:"change"`
	Path   string `json:"path"`
	// What changed of a file that both have: "type", "mode", "owner", "link", "attributes", "content".
	What []string `json:"what,omitempty"`
	From int64    `json:"from"` // bytes
	To   int64    `json:"to"`
}

// Difference is what tells two images apart.
type Difference struct {
	Parts []PartChange `json:"parts"`
	Files []FileChange `json:"files"`
	// Shared counts the layers that both have, and their compressed bytes: what a machine with the
	// first image need not pull for the second. Pull is what it must.
	Shared      int   `json:"sharedLayers"`
	SharedBytes int64 `json:"sharedBytes"`
	Pull        int64 `json:"pullBytes"`
}

// Diff tells what changes from a to b.
func Diff(a, b *Content) Difference {
	d := Difference{Parts: diffParts(a.Parts, b.Parts), Files: diffFiles(a.files, b.files)}
	have := map[string]bool{}
	for _, l := range a.Layers {
		have[l.Digest] = true
	}
	for _, l := range b.Layers {
		if have[l.Digest] {
			d.Shared++
			d.SharedBytes += l.Size
		} else {
			d.Pull += l.Size
		}
	}
	return d
}

// partKey is by what parts of two images are taken for the same.
type partKey struct {
	kind       Kind
	name, arch string
}

func diffParts(a, b []Part) []PartChange {
	group := func(list []Part) map[partKey][]Part {
		m := map[partKey][]Part{}
		for _, p := range list {
			if p.Kind != Rest {
				k := partKey{p.Kind, p.Name, p.Arch}
				m[k] = append(m[k], p)
			}
		}
		return m
	}
	from, to := group(a), group(b)
	changes := []PartChange{}
	for k, olds := range from {
		changes = append(changes, pair(k, olds, to[k])...)
	}
	for k, news := range to {
		if _, ok := from[k]; !ok {
			changes = append(changes, pair(k, nil, news)...)
		}
	}
	slices.SortFunc(changes, func(x, y PartChange) int {
		return cmp.Or(slices.Index(kinds, x.Kind)-slices.Index(kinds, y.Kind), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Arch, y.Arch), cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To))
	})
	return changes
}

// pair matches the versions of one part: those that both have are no change, and where each has one
// more it is one change.
func pair(k partKey, olds, news []Part) []PartChange {
	gone, come := without(olds, news), without(news, olds)
	var list []PartChange
	for i := range max(len(gone), len(come)) {
		c := PartChange{Change: Changed, Kind: k.kind, Name: k.name, Arch: k.arch}
		if i < len(gone) {
			c.From, c.Bytes = gone[i].Version, -gone[i].Size
		} else {
			c.Change = Added
		}
		if i < len(come) {
			c.To = come[i].Version
			c.Bytes += come[i].Size
		} else {
			c.Change = Removed
		}
		list = append(list, c)
	}
	return list
}

// without is the parts of a list whose version none of the others has.
func without(list, others []Part) []Part {
	return slices.DeleteFunc(slices.Clone(list), func(p Part) bool {
		return slices.ContainsFunc(others, func(o Part) bool { return o.Version == p.Version })
	})
}

// diffFiles walks two lists in the order of their paths.
func diffFiles(a, b []File) []FileChange {
	changes := []FileChange{}
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Path < b[0].Path:
			changes = append(changes, FileChange{Change: Removed, Path: a[0].Path, From: a[0].Size})
			a = a[1:]
		case len(a) == 0 || b[0].Path < a[0].Path:
			changes = append(changes, FileChange{Change: Added, Path: b[0].Path, To: b[0].Size})
			b = b[1:]
		default:
			if !a[0].same(b[0]) {
				changes = append(changes, FileChange{Change: Changed, Path: a[0].Path, What: what(a[0], b[0]), From: a[0].Size, To: b[0].Size})
			}
			a, b = a[1:], b[1:]
		}
	}
	return changes
}

func what(a, b File) []string {
	var list []string
	for _, aspect := range []struct {
		name    string
		changed bool
	}{
		{"type", a.Type != b.Type},
		{"mode", a.Mode != b.Mode && a.Type != tar.TypeSymlink},
		{"owner", a.UID != b.UID || a.GID != b.GID},
		{"link", a.Link != b.Link},
		{"attributes", a.Attributes != b.Attributes},
		{"content", a.SHA256 != b.SHA256},
	} {
		if aspect.changed {
			list = append(list, aspect.name)
		}
	}
	return list
}
