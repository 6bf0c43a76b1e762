package rpm

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"strings"
)

// Payload reads the files of a package, one after the other, in the order in
// which the package holds them. Not safe for concurrent use.
type Payload struct {
	files   []File
	stream  io.Closer
	archive *cpioReader
	byPath  map[string]int // made when the order is not the header's
	seen    []bool
	left    []int // by first index of a set of hard links: members to come
	next    int   // the index that is likely to come
	current *member
	err     error // once something failed, it stays failed
}

// Payload opens the package's payload. Close it after use. Who reads many
// packages uses PayloadWith.
//
// Everything is held against the header while it is read: each member must be
// one of the header's files, occur once and have the size and the type that the
// header says, none may be missing, and a regular file's digest is checked when
// its content has been read to the end. So there is never more output than the
// header announces.
func (p *Package) Payload() (*Payload, error) { return p.PayloadWith(new(Decompressors)) }

// PayloadWith is Payload with decompressors that other payloads use, too.
func (p *Package) PayloadWith(d *Decompressors) (*Payload, error) {
	files, err := p.Files()
	if err != nil {
		return nil, err
	}
	if format := p.String(TagPayloadFormat); format != "cpio" && format != "" {
		return nil, malformed("payload", "format %.40q is not supported", format)
	}
	stream, err := d.open(p.RawPayload(), p.String(TagPayloadCompressor))
	if err != nil {
		return nil, payloadError(err)
	}
	pl := &Payload{
		files: files, stream: stream, archive: &cpioReader{r: bufio.NewReaderSize(stream, 1<<16)},
		seen: make([]bool, len(files)), left: make([]int, len(files)),
	}
	for i := range files {
		pl.left[pl.set(i)]++
	}
	return pl, nil
}

// set is the index that stands for all hard links of file i.
func (pl *Payload) set(i int) int {
	if links := pl.files[i].HardLinks; len(links) > 0 {
		return links[0]
	}
	return i
}

// Next moves to the next file that the payload holds: its index in Files, and
// its content (a regular file's bytes; nothing for other types, whose link
// target and so on are in Files). Content that is not read is skipped, and its
// digest still checked. At the end the error is io.EOF.
//
// Of a set of hard links only the last to come has the content, as rpm writes
// it; the ones before are empty whatever their File.Size says.
func (pl *Payload) Next() (index int, content io.Reader, err error) {
	if pl.err == nil {
		pl.err = pl.advance()
	}
	if pl.err != nil {
		return 0, nil, pl.err
	}
	m := pl.current
	if !m.file.IsRegular() {
		return m.index, bytes.NewReader(nil), nil
	}
	return m.index, m, nil
}

// Close gives the decompressor back; nothing can be read any more. The package
// stays open. Closing twice does no harm.
func (pl *Payload) Close() error {
	if pl.stream == nil {
		return nil
	}
	stream := pl.stream
	pl.stream, pl.current, pl.err = nil, nil, fs.ErrClosed
	pl.archive.r.Reset(closedReader{})
	return stream.Close()
}

// closedReader is what is left of a payload that was closed.
type closedReader struct{}

func (closedReader) Read([]byte) (int, error) { return 0, fs.ErrClosed }

func (pl *Payload) advance() error {
	if pl.current != nil {
		if _, err := io.Copy(io.Discard, pl.current); err != nil {
			return err
		}
		pl.current = nil
	}
	head, err := pl.archive.next()
	if errors.Is(err, io.EOF) {
		return pl.complete()
	}
	if err != nil {
		return err
	}
	i, err := pl.find(head)
	if err != nil {
		return err
	}
	return pl.start(i, head)
}

// find tells which file a member is.
func (pl *Payload) find(head cpioMember) (int, error) {
	if head.index >= 0 {
		if head.index >= len(pl.files) {
			return 0, malformed("payload", "it holds file %d of %d", head.index, len(pl.files))
		}
		return head.index, nil
	}
	path := "/" + strings.TrimPrefix(strings.TrimPrefix(head.name, "."), "/")
	for pl.next < len(pl.files) && pl.files[pl.next].IsGhost() {
		pl.next++
	}
	if pl.next < len(pl.files) && pl.files[pl.next].Path == path {
		return pl.next, nil
	}
	if pl.byPath == nil {
		pl.byPath = make(map[string]int, len(pl.files))
		for i := range pl.files {
			pl.byPath[pl.files[i].Path] = i
		}
	}
	i, ok := pl.byPath[path]
	if !ok {
		return 0, malformed("payload", "it holds %.200q, which the header does not list", head.name)
	}
	return i, nil
}

// start checks a member against its file and makes it the current one.
func (pl *Payload) start(i int, head cpioMember) error {
	f := &pl.files[i]
	switch {
	case pl.seen[i]:
		return malformed("payload", "it holds %s twice", f.Path)
	case f.IsGhost():
		return malformed("payload", "it holds %s, which the header lists as a ghost", f.Path)
	}
	set := pl.set(i)
	pl.seen[i] = true
	pl.left[set]--
	pl.next = i + 1
	size := int64(0)
	switch {
	case f.IsLink():
		size = int64(len(f.Link))
	case f.IsRegular() && pl.left[set] == 0:
		size = f.Size
	}
	if head.index < 0 {
		if head.mode&ModeTypeMask != f.Type() {
			return malformed("payload", "%s has type %o where the header says %o", f.Path, head.mode&ModeTypeMask, f.Type())
		}
		if head.size != size {
			return malformed("payload", "%s has %d bytes where the header says %d", f.Path, head.size, size)
		}
	}
	m := &member{r: pl.archive, index: i, file: f, left: size}
	pl.current = m
	if f.IsLink() {
		return m.checkLink()
	}
	if f.IsRegular() && pl.left[set] == 0 && f.Digest != "" {
		if m.sum = newDigest(f.DigestAlgo); m.sum == nil {
			return malformed("header", "the digests of its files are of kind %d, which is not known", f.DigestAlgo)
		}
	}
	return nil
}

// complete says at the archive's end whether all files were there.
func (pl *Payload) complete() error {
	for i := range pl.files {
		if f := &pl.files[i]; !pl.seen[i] && !f.IsGhost() {
			return malformed("payload", "it lacks %s", f.Path)
		}
	}
	return io.EOF
}

// member reads the content of one file, and checks its digest at the end.
type member struct {
	r     io.Reader
	index int
	file  *File
	left  int64
	sum   hash.Hash // nil: nothing to check, or checked
	err   error
}

func (m *member) Read(b []byte) (int, error) {
	if m.err == nil && m.left == 0 {
		m.err = m.finish()
	}
	if m.err != nil {
		return 0, m.err
	}
	if int64(len(b)) > m.left {
		b = b[:m.left]
	}
	n, err := m.r.Read(b)
	m.left -= int64(n)
	if m.sum != nil {
		m.sum.Write(b[:n])
	}
	if err != nil {
		m.err = payloadError(err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, m.err
}

func (m *member) finish() error {
	if m.sum != nil {
		if got := hex.EncodeToString(m.sum.Sum(nil)); !strings.EqualFold(got, m.file.Digest) {
			return &DigestError{Of: m.file.Path, Want: m.file.Digest, Got: got}
		}
	}
	return io.EOF
}

// checkLink reads a link's target, which must be the header's.
func (m *member) checkLink() error {
	target, err := io.ReadAll(m)
	if err != nil {
		return err
	}
	if string(target) != m.file.Link {
		return malformed("payload", "%s links to %.200q where the header says %.200q", m.file.Path, target, m.file.Link)
	}
	return nil
}
