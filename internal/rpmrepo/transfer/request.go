package transfer

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strconv"
)

// Request is one file that is to be had.
type Request struct {
	// What it is, for a person: "repomd.xml of fedora".
	What string
	// Places where the very same file is, best first: http, https and file URLs, paths, or what BlobPlace
	// made.
	Places []string
	// Size in bytes; 0 if not known. Limit is the most that is accepted when it is not; 0 means 16 MiB.
	Size, Limit int64
	// NewHash and Sum are the checksum that is expected; none if NewHash is nil. HashName is its name
	// in errors.
	NewHash  func() hash.Hash
	HashName string
	// Sum is lowercase hex.
	Sum string
	// Head looks at the first bytes (up to 512, fewer only if the file is shorter) and says what is
	// wrong with them, as what follows "it gives …"; empty for nothing. An HTML page is noticed
	// without it.
	Head func(first []byte) string
	// Check looks at what arrived, when size and checksum are right; an error leaves this place for
	// the next. Nil means that there is nothing more to look at.
	Check func(place string) error
	// Checked says that Check proves the content, as a checksum would.
	Checked bool
	// Fresh asks caches on the way for the newest version.
	Fresh bool
	// Progress is told how many bytes arrived, and a negative number when they are thrown away.
	Progress func(n int64)
}

const defaultLimit = 16 << 20

func (r *Request) limit() int64 {
	switch {
	case r.Size > 0:
		return r.Size
	case r.Limit > 0:
		return r.Limit
	}
	return defaultLimit
}

// Target receives a file. *os.File is one; Buffer is one in memory.
type Target interface {
	io.WriteSeeker
	Truncate(size int64) error
}

// Buffer is a Target in memory.
type Buffer struct{ bytes.Buffer }

// Truncate drops all but the first size bytes.
func (b *Buffer) Truncate(size int64) error {
	b.Buffer.Truncate(int(size))
	return nil
}

// Seek does nothing: a Buffer is written to at its end. It is what a transfer asks for.
func (b *Buffer) Seek(offset int64, _ int) (int64, error) { return offset, nil }

// receipt is what arrived of a file so far.
type receipt struct {
	request *Request
	target  Target
	hash    hash.Hash
	size    int64
	// from is the place that the last bytes came from, tag what it calls this version of the file;
	// pieced says that the file was put together from several answers, which may not belong together.
	from, tag string
	pieced    bool
	head      []byte
}

func newReceipt(r *Request, target Target) *receipt {
	in := &receipt{request: r, target: target}
	if r.NewHash != nil {
		in.hash = r.NewHash()
	}
	return in
}

// restart throws away what arrived.
func (in *receipt) restart() error {
	if in.request.Progress != nil {
		in.request.Progress(-in.size)
	}
	if in.hash != nil {
		in.hash.Reset()
	}
	in.size, in.from, in.tag, in.pieced, in.head = 0, "", "", false, nil
	if err := in.target.Truncate(0); err != nil {
		return err
	}
	_, err := in.target.Seek(0, io.SeekStart)
	return err
}

const headSize = 512

// write takes bytes in that came from place.
func (in *receipt) write(place string, b []byte) error {
	if need := headSize - len(in.head); need > 0 {
		in.head = append(in.head, b[:min(need, len(b))]...)
		if len(in.head) == headSize {
			if err := in.checkHead(place); err != nil {
				return err
			}
		}
	}
	if in.size+int64(len(b)) > in.request.limit() {
		if in.request.Size > 0 {
			return &ChecksumError{URL: Redact(place), Kind: "size", Want: strconv.FormatInt(in.request.Size, 10), Got: "larger"}
		}
		return &TooLargeError{URL: Redact(place), Limit: in.request.limit()}
	}
	if _, err := in.target.Write(b); err != nil {
		return &localError{fmt.Errorf("storing %s: %w", in.request.What, err)}
	}
	if in.hash != nil {
		in.hash.Write(b)
	}
	in.size += int64(len(b))
	in.from = place
	if in.request.Progress != nil {
		in.request.Progress(int64(len(b)))
	}
	return nil
}

func (in *receipt) checkHead(place string) error {
	got := ""
	if isHTML(in.head) {
		got = "an HTML page instead of the file (is a login or an error page in the way?)"
	} else if in.request.Head != nil {
		got = in.request.Head(in.head)
	}
	if got != "" {
		return &ContentError{URL: Redact(place), Got: got}
	}
	return nil
}

func isHTML(head []byte) bool {
	head = bytes.ToLower(bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n"))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// complete checks the file as a whole.
func (in *receipt) complete(place string) error {
	if len(in.head) < headSize {
		if err := in.checkHead(place); err != nil {
			return err
		}
	}
	want := in.request
	if want.Size > in.size {
		return &ChecksumError{Redact(place), "size", strconv.FormatInt(want.Size, 10), strconv.FormatInt(in.size, 10)}
	}
	if in.hash != nil {
		if got := hex.EncodeToString(in.hash.Sum(nil)); got != want.Sum {
			return &ChecksumError{Redact(place), want.HashName, want.Sum, got}
		}
	}
	if want.Check != nil {
		if err := want.Check(place); err != nil {
			return &checkError{err}
		}
	}
	return nil
}
