package repodata

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// maxWindow bounds the memory that a compressed file can make its reader take. It is what zstd and
// xz use at their highest levels.
const maxWindow = 128 << 20

// Decompress reads r decompressed. What it is compressed with is told by its first bytes: gzip, xz,
// zstd, bzip2, or nothing of these, and then it is given as it is. What has the header of a zchunk
// file is refused: the plain variants stand beside it.
func Decompress(r io.Reader) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	magic, err := in.Peek(6)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
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
		z, err := xz.NewReader(in)
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

// wrapped names the compression in errors.
type wrapped struct {
	io.ReadCloser
	kind string
}

func (w wrapped) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("decompressing %s: %w", w.kind, err)
	}
	return n, err
}
