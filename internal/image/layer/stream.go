package layer

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// stream writes a blob as a row of pieces, each compressed for itself, and hashes both the blob and
// the tar stream in it on the way.
type stream struct {
	compressors    [2]compressor // of programs, and of text where that is another one
	out            io.Writer     // the blob: file, hash, counter
	tar            io.Writer     // the tar stream: hash, counter
	digest, diffID hash.Hash
	size, tarSize  counter
	sum            hash.Hash32 // of the blob since the last fragment began
	queue          *queue
	sink           Sink // receives the entries of packages' layers, where there is one
	marks          []mark
}

// mark notes where the stream is: before a part with that hash, or behind the last one.
func (s *stream) mark(part string) (err error) {
	m := mark{Size: s.size.n, TarSize: s.tarSize.n, Part: part}
	if m.Digest, err = marshal(s.digest); err != nil {
		return err
	}
	m.DiffID, err = marshal(s.diffID)
	s.marks = append(s.marks, m)
	return err
}

// marshal gives what a hash remembers; unmarshal makes it remember that.
func marshal(h hash.Hash) ([]byte, error) {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errors.New("the hash cannot be interrupted")
	}
	return m.MarshalBinary()
}

func unmarshal(h hash.Hash, state []byte) error {
	m, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return errors.New("the hash cannot be interrupted")
	}
	return m.UnmarshalBinary(state)
}

// counter counts what is written to it.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// cancelled makes a writer fail once the context has ended.
type cancelled struct {
	ctx context.Context
	w   io.Writer
}

func (c cancelled) Write(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}

func newStream(ctx context.Context, file io.Writer, c Compression, level int) (*stream, error) {
	s := &stream{digest: sha256.New(), diffID: sha256.New()}
	for i := range s.compressors {
		var err error
		if s.compressors[i], err = c.compressor(level, i == 1); err != nil {
			return nil, err
		}
		if c == Zstd || level != 0 {
			s.compressors[1] = s.compressors[0]
			break
		}
	}
	s.sum = crc32.New(crc32.MakeTable(crc32.Castagnoli))
	s.out = io.MultiWriter(file, s.digest, &s.size, s.sum)
	s.tar = cancelled{ctx, io.MultiWriter(s.diffID, &s.tarSize)}
	s.queue = newQueue()
	return s, nil
}

// pass gives what write writes to a writer that works beside it.
func (s *stream) pass(to io.Writer, write func(w io.Writer) error) error {
	s.queue.start(func(block []byte) error {
		_, err := to.Write(block)
		return err
	})
	err := write(s.queue)
	if late := s.queue.end(); err == nil {
		err = late
	}
	return err
}

// fill writes a whole blob, and its entries to a sink as well.
func (s *stream) fill(ctx context.Context, open func() (Sink, error), write func(*stream) error) error {
	if open == nil {
		if err := write(s); err != nil {
			return err
		}
		return s.end()
	}
	var err error
	if s.sink, err = open(); err != nil {
		return err
	}
	if err = write(s); err == nil {
		err = s.end()
	}
	if finish := s.sink.Finish(ctx, s.info().DiffID, err); err == nil {
		return finish
	}
	return err
}

// piece adds what write writes, as one member or frame.
func (s *stream) piece(write func(w io.Writer) error) error { return s.pieceOf(false, write) }

// pieceOf is piece for a text, or for what is none.
func (s *stream) pieceOf(text bool, write func(w io.Writer) error) error {
	z := s.compressors[0]
	if text {
		z = s.compressors[1]
	}
	z.Reset(s.out)
	if err := s.pass(io.MultiWriter(s.tar, z), write); err != nil {
		return err
	}
	return z.Close()
}

// copy adds size bytes that are compressed already, decompressing them for the diff id.
func (s *stream) copy(r io.Reader, size int64) error {
	before := s.size.n
	z, err := Reader(io.TeeReader(r, s.out))
	if err != nil {
		return err
	}
	defer z.Close()
	err = s.pass(s.tar, func(w io.Writer) error {
		if s.sink != nil {
			if err := s.entries(io.TeeReader(z, w)); err != nil {
				return err
			}
		}
		_, err := io.Copy(w, z)
		return err
	})
	if err != nil {
		return err
	}
	if got := s.size.n - before; got != size {
		return fmt.Errorf("it has %d bytes and should have %d", got, size)
	}
	return nil
}

// known adds what is compressed already, with that checksum, and whose part of the tar stream write
// writes.
func (s *stream) known(packed io.Reader, sum uint32, write func(w io.Writer) error) error {
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(s.out, packed)
		copied <- err
	}()
	err := s.pass(s.tar, write)
	if failed := <-copied; err == nil {
		err = failed
	}
	if err == nil && s.sum.Sum32() != sum {
		err = errors.New("its compressed bytes are not what they were")
	}
	return err
}

// entries gives the sink what a part of a tar stream holds.
func (s *stream) entries(part io.Reader) error {
	for tr := tar.NewReader(part); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.sink.Add(h, tr); err != nil {
			return err
		}
	}
}

// end adds the end of the archive: two blocks of zeros.
func (s *stream) end() error {
	return s.piece(func(w io.Writer) error {
		_, err := w.Write(make([]byte, 1024))
		return err
	})
}

func (s *stream) info() info {
	return info{
		Digest:  hex.EncodeToString(s.digest.Sum(nil)),
		DiffID:  hex.EncodeToString(s.diffID.Sum(nil)),
		Size:    s.size.n,
		TarSize: s.tarSize.n,
	}
}
