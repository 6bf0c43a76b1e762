package rpmwrite

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
)

// payload is what is known of a payload once it is written.
type payload struct {
	digest, plainDigest string // hex SHA-256, compressed and not
	size, plainSize     int64
}

// countingHash passes bytes on, counted and hashed.
type countingHash struct {
	w   io.Writer
	n   int64
	sum hash.Hash
}

func newCountingHash(w io.Writer) *countingHash { return &countingHash{w: w, sum: sha256.New()} }

func (c *countingHash) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	c.sum.Write(b[:n])
	return n, err
}

func (c *countingHash) hex() string { return hexString(c.sum.Sum(nil)) }

// payloadOrder is the order of the archive: the header's, but hard links of one file stand together,
// since rpm takes the first content after a link for that link's.
func payloadOrder(files []*entry) []int {
	var order []int
	for i, e := range files {
		switch {
		case e.ghost():
		case len(e.links) == 0:
			order = append(order, i)
		case e.links[0] == i:
			order = append(order, e.links...)
		}
	}
	return order
}

// writePayload writes the compressed archive and fills in the files' digests.
func writePayload(w io.Writer, spec *Spec, files []*entry) (*payload, error) {
	stored := newCountingHash(w)
	if spec.Hostile.Payload != nil {
		w = io.Discard // the files are read all the same, for their digests
	} else {
		w = stored
	}
	compressor, err := newCompressor(w, spec.Compression, spec.Level)
	if err != nil {
		return nil, err
	}
	plain := newCountingHash(compressor)
	archive := &cpioWriter{w: plain, stripped: large(spec, files)}
	for _, i := range payloadOrder(files) {
		if err := writeMember(archive, spec, files, i); err != nil {
			return nil, fmt.Errorf("file %s: %w", files[i].Path, err)
		}
	}
	if err := archive.close(); err != nil {
		return nil, err
	}
	if err := compressor.Close(); err != nil {
		return nil, err
	}
	if spec.Hostile.Payload != nil {
		if _, err := stored.Write(spec.Hostile.Payload); err != nil {
			return nil, err
		}
	}
	return &payload{digest: stored.hex(), plainDigest: plain.hex(), size: stored.n, plainSize: plain.n}, nil
}

// writeMember writes the file at index i. Of hard links only the last carries
// the content.
func writeMember(archive *cpioWriter, spec *Spec, files []*entry, i int) error {
	e := files[i]
	if !e.regular() {
		return archive.member(i, e, int64(len(e.Link)), func(w io.Writer) error {
			_, err := io.WriteString(w, e.Link)
			return err
		})
	}
	if e.links[len(e.links)-1] != i {
		return archive.member(i, e, 0, nil)
	}
	sum := sha256.New()
	instead, hostile := spec.Hostile.Content[e.Path]
	size := e.Size
	if hostile {
		size = int64(len(instead))
	}
	err := archive.member(i, e, size, func(w io.Writer) error {
		if hostile {
			if _, err := w.Write(instead); err != nil {
				return err
			}
			w = io.Discard
		}
		return e.content.copyContent(io.MultiWriter(w, sum))
	})
	for _, link := range e.links {
		files[link].digest = hexString(sum.Sum(nil))
	}
	return err
}

// copyContent reads a file's content, which must be as long as promised.
func (e *entry) copyContent(w io.Writer) error {
	if e.Content == nil {
		if e.Size != 0 {
			return fmt.Errorf("it has a size of %d and no content", e.Size)
		}
		return nil
	}
	r, err := e.Content()
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(w, io.LimitReader(r, e.Size+1))
	if err == nil && n != e.Size {
		err = fmt.Errorf("its content is not %d bytes long", e.Size)
	}
	return err
}

// cpioWriter writes an archive in "newc" format, or in rpm's stripped one,
// where a member names the file's index and all else is in the header (rpm
// documentation, "Payload format").
type cpioWriter struct {
	w        io.Writer
	n        int64
	stripped bool
}

func (c *cpioWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

func (c *cpioWriter) align() error {
	_, err := c.Write(make([]byte, -c.n&3))
	return err
}

func (c *cpioWriter) member(i int, e *entry, size int64, content func(io.Writer) error) error {
	if c.stripped {
		if _, err := fmt.Fprintf(c, "07070X%08x", i); err != nil {
			return err
		}
	} else if err := c.head(e, len(e.links), size, "."+e.Path); err != nil {
		return err
	}
	if err := c.align(); err != nil {
		return err
	}
	if content != nil {
		if err := content(c); err != nil {
			return err
		}
	}
	return c.align()
}

func (c *cpioWriter) head(e *entry, links int, size int64, name string) error {
	_, err := fmt.Fprintf(c, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		e.inode, e.Mode, 0, 0, links, uint32(e.ModTime), uint32(size),
		0, 1, e.Rdev>>8&0xff, e.Rdev&0xff, len(name)+1, 0, name)
	return err
}

func (c *cpioWriter) close() error {
	if err := c.head(&entry{}, 1, 0, "TRAILER!!!"); err != nil {
		return err
	}
	return c.align()
}
