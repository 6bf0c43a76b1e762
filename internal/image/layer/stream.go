package layer

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
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
	buffer         *bufio.Writer
	sink           Sink // receives the entries of packages' layers, where there is one
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
	s.out = io.MultiWriter(file, s.digest, &s.size)
	s.tar = cancelled{ctx, io.MultiWriter(s.diffID, &s.tarSize)}
	s.buffer = bufio.NewWriterSize(nil, 256<<10)
	return s, nil
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
	s.buffer.Reset(io.MultiWriter(s.tar, z))
	if err := write(s.buffer); err != nil {
		return err
	}
	if err := s.buffer.Flush(); err != nil {
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
	s.buffer.Reset(s.tar)
	if s.sink != nil {
		if err := s.entries(io.TeeReader(z, s.buffer)); err != nil {
			return err
		}
	}
	if _, err := io.Copy(s.buffer, z); err != nil {
		return err
	}
	if err := s.buffer.Flush(); err != nil {
		return err
	}
	if got := s.size.n - before; got != size {
		return fmt.Errorf("it has %d bytes and should have %d", got, size)
	}
	return nil
}

// known adds what is compressed already, and whose part of the tar stream write writes.
func (s *stream) known(packed io.Reader, write func(w io.Writer) error) error {
	if _, err := io.Copy(s.out, packed); err != nil {
		return err
	}
	s.buffer.Reset(s.tar)
	if err := write(s.buffer); err != nil {
		return err
	}
	return s.buffer.Flush()
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
