package layer

import (
	"bufio"
	"cmp"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/slipway-build/slipway/internal/inflate"
)

// Compression is the format of a layer's blob.
type Compression string

// The formats that the OCI image specification knows.
const (
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
)

// The levels that are used when none is asked for win from the packages to a running container:
// images are at most a tenth larger than what gzip -6 makes, in a fifth of the processor time, and
// smaller than what zstd -3 makes. For gzip, programs and libraries, which are half of an image and two thirds of the
// work, gain little from more effort; everything else does.
const (
	binaryGzip = 3
	textGzip   = 4
	usualZstd  = 2
)

// Check says whether the format and the level are known. The zero level leaves the choice to this
// package.
func (c Compression) Check(level int) error {
	switch {
	case c == Gzip && level >= 0 && level <= 9:
	case c == Zstd && level >= 0 && level <= 4:
	case c == Gzip:
		return fmt.Errorf("gzip level %d is not between 1 and 9", level)
	case c == Zstd:
		return fmt.Errorf("zstd level %d is not between 1 (fastest) and 4 (smallest)", level)
	default:
		return fmt.Errorf("unknown compression %q: use %q or %q", string(c), Gzip, Zstd)
	}
	return nil
}

// MediaType is the OCI media type of a layer in this format.
func (c Compression) MediaType() string {
	if c == Zstd {
		return "application/vnd.oci.image.layer.v1.tar+zstd"
	}
	return "application/vnd.oci.image.layer.v1.tar+gzip"
}

// compressor writes gzip members or zstd frames: one from Reset to Close.
type compressor interface {
	io.WriteCloser
	Reset(w io.Writer)
}

func (c Compression) compressor(level int, text bool) (compressor, error) {
	if err := c.Check(level); err != nil {
		return nil, err
	}
	if c == Zstd {
		return zstd.NewWriter(nil,
			zstd.WithEncoderLevel(zstd.EncoderLevel(cmp.Or(level, usualZstd))),
			zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(zstdWindow),
			zstd.WithZeroFrames(true))
	}
	if level == 0 && text {
		level = textGzip
	}
	return gzip.NewWriterLevel(io.Discard, cmp.Or(level, binaryGzip))
}

// zstdWindow is how far back a frame may refer, in bytes: encoders have memory for two of it, and
// whoever pulls the image needs as much.
const zstdWindow = 4 << 20

// maxWindow bounds the memory that a zstd frame from outside may ask for.
const maxWindow = 128 << 20

// Reader decompresses one stream, however many members or frames it is made of. The format is told
// by its first bytes; a stream in neither format is passed through as it is.
func Reader(r io.Reader) (io.ReadCloser, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	magic, err := br.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b:
		return inflate.NewReader(br)
	case len(magic) == 4 && (string(magic) == "\x28\xb5\x2f\xfd" || magic[0]&0xf0 == 0x50 && string(magic[1:]) == "\x2a\x4d\x18"):
		d, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return io.NopCloser(br), nil
}
