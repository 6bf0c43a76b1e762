package rpm

import (
	"errors"
	"io"
)

// Payload reads the files of a package, one after the other, in the order in
// which the package holds them. Not safe for concurrent use.
type Payload struct{}

// Payload opens the package's payload. Close it after use.
//
// Everything is held against the header while it is read: each member must be
// one of the header's files, occur once and have the size the header says, and
// a regular file's digest is checked when its content has been read to the end.
func (p *Package) Payload() (*Payload, error) { return nil, errors.ErrUnsupported }

// Next moves to the next file that the payload holds: its index in Files, and
// its content (a regular file's bytes; nothing for other types, whose link
// target and so on are in Files). Content that is not read is skipped, and its
// digest still checked. At the end the error is io.EOF.
//
// Of a set of hard links only the last to come has the content, as rpm writes
// it; the ones before are empty whatever their File.Size says.
func (p *Payload) Next() (index int, content io.Reader, err error) {
	return 0, nil, errors.ErrUnsupported
}

// Close frees the decompressor. The package stays open.
func (p *Payload) Close() error { return nil }
