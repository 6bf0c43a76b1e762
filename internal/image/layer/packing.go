package layer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// packing is the making of a layer of packages.
type packing struct {
	*Maker
	key, head string
	dirs      []Directory
	fragments []*Fragment
	placed    []pointer
}

// parts describes a layer of packages: the hash of what comes before the fragments, and where each of
// them begins, and the last ends.
type parts struct {
	Head  string `json:"head"`
	Marks []mark `json:"marks"`
}

// mark is a place in a layer before a fragment, or behind the last: how long the blob and the tar
// stream are up to there, and what their hashes remember of that.
type mark struct {
	Fragment string `json:"fragment,omitempty"` // key of the fragment that follows
	Ordered  bool   `json:"inOrder,omitempty"`  // as of a pointer
	Sum      uint32 `json:"sum,omitempty"`      // as of a pointer
	Size     int64  `json:"size"`
	TarSize  int64  `json:"tarSize"`
	Digest   []byte `json:"digest"`
	DiffID   []byte `json:"diffID"`
}

func (p *packing) make(ctx context.Context) (Blob, error) {
	p.placed = nil
	blob, err := p.Maker.make(ctx, p.key, p.Sink, p.write)
	if err != nil {
		return Blob{}, err
	}
	for i, at := range p.placed {
		if err := p.point(ctx, p.fragments[i], at); err != nil {
			return Blob{}, err
		}
	}
	return blob, nil
}

func (p *packing) write(s *stream) error {
	p.placed, s.parts.Head = nil, p.head
	done, err := p.resume(s)
	if err != nil {
		return err
	}
	if done == 0 {
		err := s.piece(func(w io.Writer) error { return p.folders(newArchive(w, s.sink)) })
		if err != nil {
			return err
		}
	}
	for _, f := range p.fragments[done:] {
		if err := s.mark(f); err != nil {
			return err
		}
		start := s.size.n
		if err := p.fragment(s, f); err != nil {
			return err
		}
		m := &s.parts.Marks[len(s.parts.Marks)-1]
		m.Ordered, m.Sum = f.ordered, s.sum.Sum32()
		p.placed = append(p.placed, pointer{Layer: p.key, Offset: start, Size: s.size.n - start, Sum: m.Sum, Ordered: m.Ordered})
	}
	return s.mark(nil)
}

func (p *packing) folders(a *Archive) error {
	for _, d := range p.dirs {
		if err := a.Add(d.Entry(), nil); err != nil {
			return err
		}
	}
	return a.tw.Flush()
}

// resume begins a layer as another one begins, and says with how many fragments. The blob's bytes are
// hashed on the way, to find them as they were; the tar stream's need not be made.
func (p *packing) resume(s *stream) (done int, err error) {
	if len(p.fragments) == 0 {
		return 0, nil
	}
	file, at, ok := p.stored(p.cacheKey(p.fragments[0]))
	if !ok {
		return 0, nil
	}
	defer file.Close()
	in, _ := p.Cache.Path(layerKind, at.Layer)
	var known info
	var old parts
	if readJSON(filepath.Join(in, infoName), &known) != nil || readJSON(filepath.Join(in, partsName), &old) != nil || old.Head != p.head {
		return 0, nil // it does without
	}
	for done < len(p.fragments) && done < len(old.Marks)-1 && old.Marks[done].Fragment == p.fragments[done].key {
		done++
	}
	root := ""
	if s.sink != nil {
		if p.Unpacked == nil {
			return 0, nil
		}
		if root, ok = p.Unpacked(known.DiffID); !ok {
			return 0, nil
		}
	}
	if done == 0 {
		return 0, nil
	}
	return done, p.take(s, file, old.Marks[:done+1], root)
}

// take takes over what is before the last of marks.
func (p *packing) take(s *stream, file *os.File, marks []mark, root string) error {
	damaged := func(err error) error { return &damagedError{p.cacheKey(p.fragments[0]), err} }
	end := marks[len(marks)-1]
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(s.out, io.NewSectionReader(file, 0, end.Size))
		copied <- err
	}()
	err := p.link(s, root, len(marks)-1)
	if failed := <-copied; err == nil {
		err = failed
	}
	if err != nil {
		return damaged(err)
	}
	state, err := marshal(s.digest)
	if err != nil {
		return err
	}
	if !bytes.Equal(state, end.Digest) || s.size.n != end.Size {
		return damaged(errors.New("its bytes are not what they were"))
	}
	if err := unmarshal(s.diffID, end.DiffID); err != nil {
		return damaged(err)
	}
	s.tarSize.n = end.TarSize
	s.parts.Marks = append(s.parts.Marks, marks[:len(marks)-1]...)
	for i, m := range marks[:len(marks)-1] {
		p.placed = append(p.placed, pointer{Layer: p.key, Offset: m.Size, Size: marks[i+1].Size - m.Size, Sum: m.Sum, Ordered: m.Ordered})
	}
	return nil
}

// link gives the sink the folders and the first n fragments, as links to what was unpacked before.
func (p *packing) link(s *stream, root string, n int) error {
	if s.sink == nil {
		return nil
	}
	a := newArchive(io.Discard, s.sink)
	a.linkOnly = true
	if err := p.folders(a); err != nil {
		return err
	}
	for _, f := range p.fragments[:n] {
		if err := f.unpacked(a, root); err != nil {
			return err
		}
	}
	return nil
}

// fragment adds a package's part, copied where it is stored and made where it is not.
func (m *Maker) fragment(s *stream, f *Fragment) error {
	key := m.cacheKey(f)
	file, at, ok := m.stored(key)
	if !ok {
		return s.pieceOf(f.isText(), func(w io.Writer) error { return f.content(newArchive(w, s.sink)) })
	}
	defer file.Close()
	packed := io.NewSectionReader(file, at.Offset, at.Size)
	if root, ok := m.unpacked(at); ok {
		if err := s.known(packed, at.Sum, func(w io.Writer) error { return f.unpacked(newArchive(w, s.sink), root) }); err != nil {
			return &damagedError{key, err}
		}
		return nil
	}
	f.ordered = at.Ordered
	if err := s.copy(packed, at.Size); err != nil {
		return &damagedError{key, err}
	}
	return nil
}

// unpacked finds the folder that holds the files of a fragment.
func (m *Maker) unpacked(at pointer) (root string, ok bool) {
	if m.Unpacked == nil || !at.Ordered {
		return "", false
	}
	in, ok := m.Cache.Path(layerKind, at.Layer)
	if !ok {
		return "", false
	}
	var i info
	if err := readJSON(filepath.Join(in, infoName), &i); err != nil {
		return "", false
	}
	return m.Unpacked(i.DiffID)
}
