package rpm

import (
	"bufio"
	"compress/bzip2"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"

	"github.com/slipway-build/slipway/internal/inflate"
	"github.com/slipway-build/slipway/internal/xz"
)

// maxWindow bounds what a decompressor may remember of its output, in bytes.
// zstd -19 needs 8 MiB, xz -9 needs 64 MiB, zstd's long mode 128 MiB.
const maxWindow = 128 << 20

// Decompressors keeps decompressors for the next payload: a zstd one has
// megabytes of memory, which takes longer to make than a small package to read.
// The zero value is ready. Safe for concurrent use.
type Decompressors struct {
	zstd, gzip, xz sync.Pool
}

// open undoes the compression that a header names. Memory is bounded, output is
// not: the reader behind it stops where the header's sizes end. Closing what it
// returns, once, gives the decompressor back.
func (d *Decompressors) open(r *io.SectionReader, name string) (io.ReadCloser, error) {
	switch name {
	case "":
		// A package that names no compression has gzip, or none at all.
		if startsWithBytes(r, "\x1f\x8b") {
			return d.openGzip(r)
		}
		return io.NopCloser(r), nil
	case "gzip":
		return d.openGzip(r)
	case "zstd":
		return d.openZstd(r)
	case "xz":
		return d.openXZ(r)
	case "lzma":
		return readCloser(lzma.ReaderConfig{DictCap: maxWindow}.NewReader(buffered(r)))
	case "bzip2":
		return io.NopCloser(bzip2.NewReader(buffered(r))), nil
	}
	return nil, malformed("payload", "compression %.40q is not known", name)
}

// buffered is for the decompressors that ask for a byte or a few at a time: unbuffered, each would
// be a system call.
func buffered(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 64<<10) }

func (d *Decompressors) openGzip(r io.Reader) (io.ReadCloser, error) {
	kept, ok := d.gzip.Get().(*inflate.Reader)
	if !ok {
		fresh, err := inflate.NewReader(r)
		return &gzipReader{fresh, d}, err
	}
	return &gzipReader{kept, d}, kept.Reset(r)
}

// gzipReader gives its reader back when it is closed.
type gzipReader struct {
	*inflate.Reader
	owner *Decompressors
}

func (g *gzipReader) Close() error {
	err := g.Reader.Close()
	g.owner.gzip.Put(g.Reader)
	return err
}

func (d *Decompressors) openXZ(r io.Reader) (io.ReadCloser, error) {
	kept, ok := d.xz.Get().(*xz.Reader)
	if !ok {
		fresh, err := xz.NewReader(r, maxWindow)
		return &xzReader{fresh, d}, err
	}
	return &xzReader{kept, d}, kept.Reset(r)
}

// xzReader gives its reader back when it is closed.
type xzReader struct {
	*xz.Reader
	owner *Decompressors
}

func (x *xzReader) Close() error {
	err := x.Reader.Close()
	x.owner.xz.Put(x.Reader)
	return err
}

func (d *Decompressors) openZstd(r io.Reader) (io.ReadCloser, error) {
	if kept, ok := d.zstd.Get().(*zstd.Decoder); ok {
		if err := kept.Reset(r); err != nil {
			return nil, err
		}
		return &zstdReader{kept, d}, nil
	}
	fresh, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return &zstdReader{fresh, d}, nil
}

// zstdReader gives its decoder back when it is closed.
type zstdReader struct {
	*zstd.Decoder
	owner *Decompressors
}

// Close shadows the decoder's own, after which it could not be used again.
func (z *zstdReader) Close() error {
	if err := z.Reset(nil); err != nil {
		return err
	}
	z.owner.zstd.Put(z.Decoder)
	return nil
}

func readCloser[R io.Reader](r R, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, err
	}
	return io.NopCloser(r), nil
}

func startsWithBytes(r io.ReaderAt, prefix string) bool {
	b := make([]byte, len(prefix))
	_, err := r.ReadAt(b, 0)
	return err == nil && string(b) == prefix
}
