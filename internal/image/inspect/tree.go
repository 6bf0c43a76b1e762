package inspect

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// What an image may hold before it is taken for an attack.
const (
	maxFiles   = 5_000_000
	maxPath    = 4096
	maxMemory  = 256 << 20 // of files that are kept to be read
	maxOneFile = 8 << 20
	maxRPMDB   = 2 << 30
)

// File is a file, folder or link as a container of the image sees it.
type File struct {
	Path string `json:"path"` // absolute
	// Type is tar's: '0' a file, '1' a hard link, '2' a symbolic link, '5' a folder.
	Type byte `json:"type"`
	// Mode are the permissions, with set-user-id and the like.
	Mode     int64  `json:"mode"`
	UID, GID int    `json:"-"`
	Size     int64  `json:"size"`
	Link     string `json:"link,omitempty"`
	// SHA256 of a regular file's content, in hex.
	SHA256 string `json:"sha256,omitempty"`
	// Attributes are the extended ones, "name=value", sorted.
	Attributes string `json:"attributes,omitempty"`
	// Layer is the index of the layer that has it.
	Layer int `json:"layer"`
}

// same tells whether two files are the same to a program that meets them. Times are not looked at.
func (f File) same(g File) bool {
	f.Layer, g.Layer = 0, 0
	return f == g
}

// tree is the files of an image while its layers are laid on each other.
type tree struct {
	files    map[string]File
	children map[string]map[string]bool // folder -> names in it
	kept     map[string][]byte          // content of files that are to be read
	memory   int
	dir      string // where the database goes
	database string // the path of its copy
}

func newTree(dir string) *tree {
	return &tree{files: map[string]File{}, children: map[string]map[string]bool{}, kept: map[string][]byte{}, dir: dir}
}

const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// lay puts a layer on the tree (OCI image specification, "Image Layer Filesystem Changeset") and counts
// what is in it.
func (t *tree) lay(ctx context.Context, index int, r io.Reader) (files int, unpacked int64, err error) {
	var removed []string
	for tr := tar.NewReader(r); ; {
		if err := context.Cause(ctx); err != nil {
			return 0, 0, err
		}
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return 0, 0, err
		}
		if len(h.Name) > maxPath {
			return 0, 0, fmt.Errorf("a path of %d bytes is longer than the %d allowed", len(h.Name), maxPath)
		}
		name := path.Clean("/" + h.Name)
		dir, base := path.Split(name)
		dir = path.Clean(dir)
		switch {
		case base == opaque:
			for child := range t.children[dir] {
				if p := path.Join(dir, child); t.files[p].Layer < index {
					removed = append(removed, p)
				}
			}
		case strings.HasPrefix(base, whiteout):
			if p := path.Join(dir, strings.TrimPrefix(base, whiteout)); t.files[p].Layer < index {
				removed = append(removed, p)
			}
		}
		if strings.HasPrefix(base, whiteout) {
			for _, p := range removed {
				t.remove(p)
			}
			removed = removed[:0]
			continue
		}
		f, err := t.read(name, h, tr)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", name, err)
		}
		f.Layer = index
		if err := t.add(f); err != nil {
			return 0, 0, err
		}
		files++
		unpacked += f.Size
	}
	return files, unpacked, nil
}

func (t *tree) add(f File) error {
	if old, ok := t.files[f.Path]; ok && (old.Type == tar.TypeDir) != (f.Type == tar.TypeDir) {
		t.remove(f.Path)
	}
	if len(t.files) >= maxFiles {
		return fmt.Errorf("the image has more than %d files", maxFiles)
	}
	t.files[f.Path] = f
	dir, base := path.Split(f.Path)
	dir = path.Clean(dir)
	if t.children[dir] == nil {
		t.children[dir] = map[string]bool{}
	}
	t.children[dir][base] = true
	return nil
}

// remove takes a file away, or a folder with all that is in it.
func (t *tree) remove(name string) {
	pending := []string{name}
	for len(pending) > 0 {
		p := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		for child := range t.children[p] {
			pending = append(pending, path.Join(p, child))
		}
		delete(t.children, p)
		delete(t.files, p)
		t.memory -= len(t.kept[p])
		delete(t.kept, p)
		dir, base := path.Split(p)
		delete(t.children[path.Clean(dir)], base)
	}
}

// read takes one entry of a layer.
func (t *tree) read(name string, h *tar.Header, r io.Reader) (File, error) {
	f := File{Path: name, Type: h.Typeflag, Mode: h.Mode & 0o7777, UID: h.Uid, GID: h.Gid, Link: h.Linkname, Attributes: attributes(h)}
	if h.Typeflag != tar.TypeReg {
		return f, nil
	}
	sum := sha256.New()
	var err error
	switch {
	case isDatabase(name):
		f.Size, err = t.keepDatabase(sum, r)
	case isMetadata(name) && h.Size <= maxOneFile:
		f.Size, err = t.keep(name, h.Size, sum, r)
	default:
		f.Size, err = io.Copy(sum, r)
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return f, err
}

func (t *tree) keep(name string, size int64, sum hash.Hash, r io.Reader) (int64, error) {
	t.memory += int(size) - len(t.kept[name])
	if t.memory > maxMemory {
		return 0, fmt.Errorf("the metadata of Python projects is larger than the %d bytes allowed", maxMemory)
	}
	data, err := io.ReadAll(io.TeeReader(io.LimitReader(r, size), sum))
	t.kept[name] = data
	return int64(len(data)), err
}

// keepDatabase copies the RPM database, which only a file can be read as.
func (t *tree) keepDatabase(sum hash.Hash, r io.Reader) (int64, error) {
	t.database = filepath.Join(t.dir, "rpmdb.sqlite")
	w, err := os.Create(t.database)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(r, maxRPMDB+1))
	if err := errors.Join(err, w.Close()); err != nil {
		return n, err
	}
	if n > maxRPMDB {
		return n, fmt.Errorf("it is larger than the %d bytes allowed", maxRPMDB)
	}
	return n, nil
}

// attributes are the extended attributes of an entry.
func attributes(h *tar.Header) string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(h.PAXRecords)) {
		if name, ok := strings.CutPrefix(key, "SCHILY.xattr."); ok {
			list = append(list, name+"="+hex.EncodeToString([]byte(h.PAXRecords[key])))
		}
	}
	return strings.Join(list, " ")
}
