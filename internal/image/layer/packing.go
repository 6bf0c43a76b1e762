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
	key    string
	parts  []part
	placed []pointer
}

// part is what a layer has of one package: folders, and the fragment.
type part struct {
	*Fragment
	dirs  []Directory
	whole string // the hash of both
}

// mark is a place in a layer before a part, or behind the last: how long the blob and the tar stream
// are up to there, and what their hashes remember of that. Of the part that follows it has the hash,
// and what a pointer says of the fragment in it.
type mark struct {
	Size    int64  `json:"size"`
	TarSize int64  `json:"tarSize"`
	Digest  []byte `json:"digest"`
	DiffID  []byte `json:"diffID"`

	Part    string `json:"part,omitempty"`
	Offset  int64  `json:"offset,omitempty"`
	Sum     uint32 `json:"sum,omitempty"`
	Ordered bool   `json:"inOrder,omitempty"`
}

func (p *packing) make(ctx context.Context) (Blob, error) {
	p.placed = nil
	blob, err := p.Maker.make(ctx, p.key, p.Sink, p.write)
	if err != nil {
		return Blob{}, err
	}
	for i, at := range p.placed {
		if err := p.point(ctx, p.parts[i].Fragment, at); err != nil {
			return Blob{}, err
		}
	}
	return blob, nil
}

func (p *packing) write(s *stream) error {
	p.placed = nil
	done, err := p.resume(s)
	if err != nil {
		return err
	}
	for i := range p.parts[done:] {
		if err := p.part(s, &p.parts[done+i]); err != nil {
			return err
		}
	}
	return s.mark("")
}

func (p *packing) part(s *stream, of *part) error {
	if err := s.mark(of.whole); err != nil {
		return err
	}
	if len(of.dirs) > 0 {
		err := s.piece(func(w io.Writer) error { return of.folders(newArchive(w, s.sink)) })
		if err != nil {
			return err
		}
	}
	s.sum.Reset()
	start := s.size.n
	if err := p.fragment(s, of.Fragment); err != nil {
		return err
	}
	m := &s.marks[len(s.marks)-1]
	m.Offset, m.Sum, m.Ordered = start, s.sum.Sum32(), of.ordered
	p.placed = append(p.placed, m.pointer(p.key, s.size.n))
	return nil
}

// pointer to the fragment behind the mark, which ends there.
func (m *mark) pointer(layer string, end int64) pointer {
	return pointer{Layer: layer, Offset: m.Offset, Size: end - m.Offset, Sum: m.Sum, Ordered: m.Ordered}
}

func (p *part) folders(a *Archive) error {
	for _, d := range p.dirs {
		if err := a.Add(d.Entry(), nil); err != nil {
			return err
		}
	}
	return a.tw.Flush()
}

// resume begins a layer as another one begins, and says with how many parts. The blob's bytes are
// hashed on the way, to find them as they were; the tar stream's need not be made.
func (p *packing) resume(s *stream) (done int, err error) {
	if len(p.parts) == 0 {
		return 0, nil
	}
	file, at, ok := p.stored(p.cacheKey(p.parts[0].Fragment))
	if !ok {
		return 0, nil
	}
	defer file.Close()
	in, _ := p.Cache.Path(layerKind, at.Layer)
	var known info
	var marks []mark
	if readJSON(filepath.Join(in, infoName), &known) != nil || readJSON(filepath.Join(in, marksName), &marks) != nil {
		return 0, nil // it does without
	}
	for done < len(p.parts) && done < len(marks)-1 && marks[done].Part == p.parts[done].whole {
		done++
	}
	if done == 0 {
		return 0, nil
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
	return done, p.take(s, file, marks[:done+1], root)
}

// take takes over what is before the last of marks.
func (p *packing) take(s *stream, file *os.File, marks []mark, root string) error {
	damaged := func(err error) error { return &damagedError{p.cacheKey(p.parts[0].Fragment), err} }
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
	for i := range marks[:len(marks)-1] {
		s.marks = append(s.marks, marks[i])
		p.placed = append(p.placed, marks[i].pointer(p.key, marks[i+1].Size))
	}
	return nil
}

// link gives the sink the first n parts, as links to what was unpacked before.
func (p *packing) link(s *stream, root string, n int) error {
	if s.sink == nil {
		return nil
	}
	a := newArchive(io.Discard, s.sink)
	a.linkOnly = true
	for i := range p.parts[:n] {
		if err := p.parts[i].folders(a); err != nil {
			return err
		}
		if err := p.parts[i].unpacked(a, root); err != nil {
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
