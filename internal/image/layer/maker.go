package layer

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/cache"
)

// Maker makes layers and keeps them in a cache. It is safe for concurrent use; each call works on
// one processor.
type Maker struct {
	Cache       *cache.Dir
	Compression Compression
	// Level of the compression; zero leaves the choice to the maker.
	Level int
	// Sink, where set, makes a receiver of the entries of each layer of packages that is not in the
	// cache.
	Sink func() (Sink, error)
	// Unpacked, where set, finds the folder to which the layer with this diff id was unpacked, if it
	// was. Fragments that are in it need no decompression for another layer.
	Unpacked func(diffID string) (root string, ok bool)
}

// Sink receives the entries of a layer while the layer is made.
type Sink interface {
	// Add receives an entry, and of a regular file the content, which it must read to its end.
	Add(h *tar.Header, content io.Reader) error
	// Link receives a regular file that lies below the open folder dir, with all that h says.
	Link(h *tar.Header, dir int, name string) error
	// Finish ends the layer, whose tar stream has the sha256 diffID, in hex. broken is the error that
	// ended it early, if any; what was received is then of no use. It is called once.
	Finish(ctx context.Context, diffID string, broken error) error
}

// The cache holds a layer as a folder with the blob and its description, and for every fragment in
// a layer a pointer to its place there, so that no compressed byte is stored twice.
const (
	layerKind    = "layer"
	fragmentKind = "fragment"
	blobName     = "blob"
	infoName     = "layer.json"
	marksName    = "marks.json"
	pointerName  = "fragment.json"
)

// layerFormat is part of every layer's key.
const layerFormat = "layer/3"

// info describes a stored layer.
type info struct {
	Digest  string `json:"digest"`
	DiffID  string `json:"diffID"`
	Size    int64  `json:"size"`
	TarSize int64  `json:"tarSize"`
}

// pointer says where a fragment's compressed bytes are, their CRC-32C, and whether its entries come in
// the order of the package's header.
type pointer struct {
	Layer   string `json:"layer"`
	Offset  int64  `json:"offset"`
	Size    int64  `json:"size"`
	Sum     uint32 `json:"sum"`
	Ordered bool   `json:"inOrder,omitempty"`
}

// Packages makes the layer of these packages of the tree: of each in the given order the folders that
// its files need and that are not there yet, then its fragment. Fragments that are in the cache are not
// compressed again.
func (m *Maker) Packages(ctx context.Context, t *Tree, packages []int) (Blob, error) {
	l := packing{Maker: m, parts: make([]part, len(packages))}
	keys := []string{layerFormat, string(m.Compression), strconv.Itoa(m.Level)}
	there := map[string]bool{}
	for i, n := range packages {
		p := &l.parts[i]
		p.Fragment = t.Fragment(n)
		key := []string{p.key}
		for _, d := range t.Parents(p.paths()...) {
			if !there[d.Path] {
				there[d.Path] = true
				p.dirs = append(p.dirs, d)
				key = append(key, fmt.Sprintf("%s\x00%o %d %d", d.Path, d.Mode, d.UID, d.GID))
			}
		}
		p.whole = cache.Key(key...)
		keys = append(keys, p.whole)
	}
	l.key = cache.Key(keys...)
	for {
		blob, err := l.make(ctx)
		damaged, ok := errors.AsType[*damagedError](err)
		if !ok || ctx.Err() != nil || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
			return blob, err
		}
		// It is forgotten, so each of them comes up once.
		if err := m.Cache.Remove(fragmentKind, damaged.key); err != nil {
			return Blob{}, err
		}
	}
}

// Files makes a layer of entries that write adds. The caller gives the key: the hash of all that
// decides what write adds.
func (m *Maker) Files(ctx context.Context, key string, write func(*Archive) error) (Blob, error) {
	key = cache.Key(layerFormat, string(m.Compression), strconv.Itoa(m.Level), "files", key)
	return m.make(ctx, key, nil, func(s *stream) error {
		return s.piece(func(w io.Writer) error {
			a := newArchive(w, nil)
			if err := write(a); err != nil {
				return err
			}
			return a.tw.Flush()
		})
	})
}

// Entry of the folder in a layer.
func (d Directory) Entry() Entry {
	return Entry{Path: d.Path, Mode: 0o040000 | d.Mode, UID: d.UID, GID: d.GID, ModTime: DirectoryTime}
}

// make gives the layer with this key, made by write where it is not in the cache.
func (m *Maker) make(ctx context.Context, key string, sink func() (Sink, error), write func(*stream) error) (Blob, error) {
	if err := m.Compression.Check(m.Level); err != nil {
		return Blob{}, err
	}
	for range 2 {
		dir, hit, err := m.Cache.Tree(ctx, layerKind, key, func(dir string) error {
			return m.store(ctx, dir, sink, write)
		})
		if err != nil {
			return Blob{}, err
		}
		blob, err := m.load(dir)
		if err == nil {
			return blob, nil
		}
		if !hit {
			return Blob{}, err
		}
		// An entry that a crash of the machine damaged.
		if err := m.Cache.Remove(layerKind, key); err != nil {
			return Blob{}, err
		}
	}
	return Blob{}, errors.New("the cache's copy of a layer is damaged and cannot be replaced")
}

func (m *Maker) store(ctx context.Context, dir string, sink func() (Sink, error), write func(*stream) error) error {
	file, err := os.Create(filepath.Join(dir, blobName))
	if err != nil {
		return err
	}
	defer file.Close()
	s, err := newStream(ctx, file, m.Compression, m.Level)
	if err != nil {
		return err
	}
	if err := s.fill(ctx, sink, write); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, infoName), s.info()); err != nil {
		return err
	}
	if s.marks == nil {
		return nil
	}
	return writeJSON(filepath.Join(dir, marksName), s.marks)
}

func writeJSON(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

func readJSON(name string, v any) error {
	data, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return fmt.Errorf("reading cached layer: %w", err)
	}
	return nil
}

func (m *Maker) load(dir string) (Blob, error) {
	var i info
	if err := readJSON(filepath.Join(dir, infoName), &i); err != nil {
		return Blob{}, err
	}
	path := filepath.Join(dir, blobName)
	st, err := os.Stat(path)
	if err != nil {
		return Blob{}, fmt.Errorf("reading cached layer: %w", err)
	}
	if st.Size() != i.Size {
		return Blob{}, fmt.Errorf("reading cached layer: it has %d bytes and should have %d", st.Size(), i.Size)
	}
	return Blob{Path: path, Digest: i.Digest, DiffID: i.DiffID, Size: i.Size, TarSize: i.TarSize, Compression: m.Compression}, nil
}

// cacheKey of a fragment: of its content and of how it is compressed.
func (m *Maker) cacheKey(f *Fragment) string {
	return cache.Key(f.key, string(m.Compression), strconv.Itoa(m.Level))
}

// point records a fragment's place. The record is a folder with one file, as the cache waits for
// the disk with every file of its own and there may be hundreds; one that a crash damages is merely
// not found.
func (m *Maker) point(ctx context.Context, f *Fragment, at pointer) error {
	data, err := json.Marshal(at)
	if err != nil {
		return err
	}
	_, _, err = m.Cache.Tree(ctx, fragmentKind, m.cacheKey(f), func(dir string) error {
		return os.WriteFile(filepath.Join(dir, pointerName), data, 0o644)
	})
	return err
}

// damagedError is a fragment whose stored bytes, or unpacked files, are not what they were.
type damagedError struct {
	key string
	err error
}

func (e *damagedError) Error() string { return "reading cached fragment: " + e.err.Error() }
func (e *damagedError) Unwrap() error { return e.err }

// stored opens the blob that holds a fragment. A pointer that leads nowhere is removed, so that the
// fragment's next place is recorded.
func (m *Maker) stored(key string) (*os.File, pointer, bool) {
	var at pointer
	dir, ok := m.Cache.Path(fragmentKind, key)
	if !ok {
		return nil, at, false
	}
	data, err := os.ReadFile(filepath.Join(dir, pointerName))
	if err == nil && json.Unmarshal(data, &at) == nil && len(at.Layer) == len(key) {
		if in, ok := m.Cache.Path(layerKind, at.Layer); ok {
			if file, err := os.Open(filepath.Join(in, blobName)); err == nil {
				return file, at, true
			}
		}
	}
	_ = m.Cache.Remove(fragmentKind, key)
	return nil, at, false
}
