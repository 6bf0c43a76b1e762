package repodata

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/slipway-build/slipway/internal/inflate"
	"github.com/slipway-build/slipway/internal/xz"
)

// maxWindow bounds the memory that a compressed file can make its reader take. It is what zstd and
// xz use at their highest levels.
const maxWindow = 128 << 20

// Decompress reads r decompressed. What it is compressed with is told by its first bytes: gzip, xz,
// zstd, bzip2, or nothing of these, and then it is given as it is. What has the header of a zchunk
// file is refused: the plain variants stand beside it.
func Decompress(r io.Reader) (io.ReadCloser, error) {
	in, magic, err := begun(r)
	if err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := inflate.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("decompressing gzip: %w", err)
		}
		return wrapped{z, "gzip"}, nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(2))
		if err != nil {
			return nil, fmt.Errorf("decompressing zstd: %w", err)
		}
		return wrapped{z.IOReadCloser(), "zstd"}, nil
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		if window := xzWindow(magic); window > maxWindow {
			return nil, fmt.Errorf("decompressing xz: it wants a window of %d bytes", window)
		}
		z, err := xz.NewReader(in, maxWindow)
		if err != nil {
			return nil, fmt.Errorf("decompressing xz: %w", err)
		}
		return wrapped{io.NopCloser(z), "xz"}, nil
	case bytes.HasPrefix(magic, []byte("BZh")):
		return wrapped{io.NopCloser(bzip2.NewReader(in)), "bzip2"}, nil
	case bytes.HasPrefix(magic, []byte("\x00ZCK1")):
		return nil, errors.New("the file is in zchunk format")
	}
	return io.NopCloser(in), nil
}

// begun gives a reader of bytes and how it begins. What is in memory stays there: decompressors are
// quicker then.
func begun(r io.Reader) (in byteReader, magic []byte, err error) {
	if whole, ok := r.(*bytes.Reader); ok {
		magic = make([]byte, xzHeaders)
		n, err := whole.Read(magic)
		if n > 0 {
			_, err = whole.Seek(int64(-n), io.SeekCurrent)
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return whole, magic[:n], err
	}
	buffered := bufio.NewReaderSize(r, 64<<10)
	magic, err = buffered.Peek(xzHeaders)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return buffered, magic, err
}

type byteReader interface {
	io.Reader
	io.ByteReader
}

// xzHeaders is enough for the headers of an xz stream and of its first block.
const xzHeaders = 12 + 1024

// xzWindow reads the size of the window that the first block of an xz file wants (The .xz File
// Format, sections 3.1 and 5.3.1); 0 if it cannot be told, which the real reader will complain of.
func xzWindow(b []byte) int64 {
	const streamHeader, hasCompressedSize, hasSize, lzma2 = 12, 0x40, 0x80, 0x21
	if len(b) < streamHeader+2 {
		return 0
	}
	flags, b := b[streamHeader+1], b[streamHeader+2:]
	for _, present := range []byte{hasCompressedSize, hasSize} {
		if flags&present != 0 {
			_, n := binary.Uvarint(b)
			b = b[max(n, 0):]
		}
	}
	if len(b) < 3 || b[0] != lzma2 || b[2] > 40 {
		return 0
	}
	if b[2] == 40 {
		return 1<<32 - 1
	}
	return int64(2|b[2]&1) << (b[2]/2 + 11)
}

// wrapped names the compression in errors.
type wrapped struct {
	io.ReadCloser
	kind string
}

func (w wrapped) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("decompressing %s: %w", w.kind, err)
	}
	return n, err
}
