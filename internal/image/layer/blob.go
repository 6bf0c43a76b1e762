package layer

import (
	"io"
	"os"
)

// Blob is a compressed layer in a file.
type Blob struct {
	// Path of the file.
	Path string
	// Digest is the sha256 of the file, in hex.
	Digest string
	// DiffID is the sha256 of the tar stream in it, in hex.
	DiffID string
	// Size of the file in bytes.
	Size int64
	// TarSize is the length of the tar stream in bytes.
	TarSize     int64
	Compression Compression
}

// Open reads the tar stream.
func (b Blob) Open() (io.ReadCloser, error) {
	f, err := os.Open(b.Path)
	if err != nil {
		return nil, err
	}
	r, err := Reader(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return readCloser{r, f}, nil
}

// readCloser reads the tar stream and closes both it and the file.
type readCloser struct {
	io.ReadCloser
	file *os.File
}

func (r readCloser) Close() error {
	err := r.ReadCloser.Close()
	if e := r.file.Close(); err == nil {
		err = e
	}
	return err
}
