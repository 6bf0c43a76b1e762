package rpmwrite

import (
	"fmt"
	"io"
	"strconv"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// newCompressor compresses what is written to it, by the name that a package's
// PAYLOADCOMPRESSOR has. The same bytes in give the same bytes out.
func newCompressor(w io.Writer, name string, level int) (io.WriteCloser, error) {
	switch name {
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1),
			zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(orDefault(level, zstdLevel))))
	case "gzip":
		return gzip.NewWriterLevel(w, orDefault(level, gzipLevel))
	case "xz":
		return xz.WriterConfig{CheckSum: xz.CRC32, DictCap: 1 << 20}.NewWriter(w)
	case "lzma":
		return lzma.WriterConfig{DictCap: 1 << 20, EOSMarker: true}.NewWriter(w)
	case "none":
		return nopCloser{w}, nil
	}
	return nil, fmt.Errorf("compression %q is not known: zstd, gzip, xz, lzma and none are", name)
}

const (
	zstdLevel = 3
	gzipLevel = 6
	xzLevel   = 2
)

// payloadFlags is the level, as PAYLOADFLAGS records it.
func payloadFlags(name string, level int) string {
	switch name {
	case "zstd":
		return strconv.Itoa(orDefault(level, zstdLevel))
	case "gzip":
		return strconv.Itoa(orDefault(level, gzipLevel))
	case "xz", "lzma":
		return strconv.Itoa(xzLevel)
	}
	return ""
}

func orDefault(level, usual int) int {
	if level == 0 {
		return usual
	}
	return level
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
