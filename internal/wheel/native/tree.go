package native

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Bounds of a tree.
const (
	maxFiles    = 200_000
	maxTextFile = 4 << 20 // bytes of a file of configuration
)

// tree is an index of a project's files. Links to files are files.
type tree struct {
	fs    fs.FS
	files []string        // sorted
	exec  map[string]bool // of files
	dirs  map[string]bool // "" among them
}

func openTree(from fs.FS) (*tree, error) {
	t := &tree{fs: from, exec: map[string]bool{}, dirs: map[string]bool{"": true}}
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case len(t.files) >= maxFiles:
			return unsupported("it has more than %d files", maxFiles)
		case d.IsDir():
			t.dirs[name] = true
			return nil
		}
		info, err := d.Info()
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			if info, err = fs.Stat(from, name); err != nil {
				return unsupported("%s is a link that leads nowhere", name)
			}
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return unsupported("%s is a link to a folder", name)
		}
		t.files = append(t.files, name)
		t.exec[name] = info.Mode()&0o111 != 0
		return nil
	})
	var reason *UnsupportedError
	if err != nil && !errors.As(err, &reason) {
		err = fmt.Errorf("reading the project's files: %w", err)
	}
	slices.Sort(t.files)
	return t, err
}

func (t *tree) has(name string) bool {
	_, ok := t.exec[name]
	return ok
}

func (t *tree) read(name string) ([]byte, error) {
	if !t.has(name) {
		return nil, unsupported("it has no file %s", name)
	}
	content, err := fs.ReadFile(t.fs, name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return content, nil
}

// text reads a file of text.
func (t *tree) text(name string) (string, error) {
	content, err := t.read(name)
	if err != nil {
		return "", err
	}
	if len(content) > maxTextFile {
		return "", unsupported("%s is larger than %d MiB", name, maxTextFile>>20)
	}
	s, err := text(content)
	if err != nil {
		return "", unsupported("%s: %v", name, err)
	}
	return s, nil
}

// file makes a file of a wheel of one of the tree.
func (t *tree) file(as, from string, exec bool) (File, error) {
	content, err := t.read(from)
	return File{Name: as, Exec: exec, Content: content}, err
}

// below lists the files in a folder and those below it.
func (t *tree) below(dir string) []string {
	if dir == "" {
		return t.files
	}
	var found []string
	for _, f := range t.files {
		if strings.HasPrefix(f, dir+"/") {
			found = append(found, f)
		}
	}
	return found
}

// folders lists the names of a folder's folders, sorted.
func (t *tree) folders(dir string) []string {
	var found []string
	for d := range t.dirs {
		if d != "" && parent(d) == dir {
			found = append(found, path.Base(d))
		}
	}
	slices.Sort(found)
	return found
}

// parent is the folder of a path, "" at the top.
func parent(name string) string {
	dir := path.Dir(name)
	if dir == "." {
		return ""
	}
	return dir
}

// inside cleans a path that configuration names; ok is false where it leaves the project.
func inside(name string) (string, bool) {
	if name == "" || name[0] == '/' {
		return "", false
	}
	clean := path.Clean(name)
	if clean == "." {
		return "", true
	}
	return clean, fs.ValidPath(clean)
}
