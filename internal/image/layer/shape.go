package layer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
)

// Shape is what has to be known of a root filesystem to put further files into it.
type Shape struct {
	// Directories are those whose mode is not 0755 or whose owner is not root, sorted by path.
	Directories []Directory
	// Links are the symbolic links that lead to a folder.
	Links Links
}

// Shape of the tree.
func (t *Tree) Shape() Shape {
	s := Shape{Links: Links{}}
	for _, p := range slices.Sorted(maps.Keys(t.dirs)) {
		if d := t.dirs[p]; !d.usual() {
			s.Directories = append(s.Directories, d)
		}
	}
	folders := map[string]bool{}
	for p := range t.dirs {
		for ; !folders[p]; p = path.Dir(p) {
			folders[p] = true
		}
	}
	for link, target := range t.links {
		if at, err := t.links.follow(link); err == nil && folders[at] {
			s.Links[link] = target
		}
	}
	return s
}

func (d Directory) usual() bool { return d.Mode == 0o755 && d.UID == 0 && d.GID == 0 }

// Add lays a layer over the shape. The layer is read as a whole.
func (s *Shape) Add(b Blob) error {
	r, err := b.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	dirs := map[string]Directory{}
	for _, d := range s.Directories {
		dirs[d.Path] = d
	}
	s.Links = maps.Clone(s.Links)
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading layer: %w", err)
		}
		name := path.Clean("/" + h.Name)
		delete(dirs, name)
		delete(s.Links, name)
		switch h.Typeflag {
		case tar.TypeDir:
			if d := (Directory{name, uint32(h.Mode), h.Uid, h.Gid}); !d.usual() {
				dirs[name] = d
			}
		case tar.TypeSymlink:
			s.Links[name] = h.Linkname
		}
	}
	s.Directories = nil
	for _, p := range slices.Sorted(maps.Keys(dirs)) {
		s.Directories = append(s.Directories, dirs[p])
	}
	return nil
}

// Resolve gives the place of a file: its folders' links are followed, it itself is not.
func (s *Shape) Resolve(name string) (string, error) { return s.Links.resolve(name) }

// ResolveFolder gives the place of a folder, which may itself be a link to one.
func (s *Shape) ResolveFolder(name string) (string, error) { return s.Links.follow(name) }

// Directory gives what is known of a folder, or what one has that nothing is known of.
func (s *Shape) Directory(name string) Directory {
	i, ok := slices.BinarySearchFunc(s.Directories, name, func(d Directory, name string) int {
		if d.Path < name {
			return -1
		}
		if d.Path > name {
			return 1
		}
		return 0
	})
	if ok {
		return s.Directories[i]
	}
	return Directory{Path: name, Mode: 0o755}
}
