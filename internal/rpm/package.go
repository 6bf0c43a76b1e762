package rpm

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Package is an opened package file. Its embedded header answers what the
// package is called, needs, holds and runs. Safe for concurrent reading until
// it is closed.
type Package struct {
	*Header           // the main header
	Signature *Header // the signature header

	// HeaderStart and HeaderEnd are the offsets of the main header in the
	// file, magic included: a repository's header-range. The compressed
	// payload is everything behind HeaderEnd.
	HeaderStart, HeaderEnd int64
	Size                   int64 // of the file, in bytes

	r      io.ReaderAt
	closer io.Closer
}

// The lead is an obsolete fixed block; only its magic is checked.
const (
	leadMagic = "\xed\xab\xee\xdb"
	leadLen   = 96
)

// Open opens a package file and reads its headers. Close it after use.
func Open(path string) (*Package, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening package: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("opening package: %w", err)
	}
	p, err := Read(f, info.Size())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("reading package %s: %w", path, err)
	}
	p.closer = f
	return p, nil
}

// Read reads the headers of a package of that many bytes. What r returns must
// not change while the package is in use.
func Read(r io.ReaderAt, size int64) (*Package, error) {
	lead := make([]byte, leadLen)
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), lead); err != nil {
		return nil, partError("lead", err)
	}
	if string(lead[:len(leadMagic)]) != leadMagic {
		return nil, malformed("lead", "this is not an RPM package")
	}
	if major := lead[4]; major != 3 && major != 4 {
		return nil, malformed("lead", "package format %d is not supported (3 and 4 are)", major)
	}
	p := &Package{r: r, Size: size}
	var err error
	var end int64
	if p.Signature, end, err = readHeader(r, leadLen, size, "signature header"); err != nil {
		return nil, err
	}
	p.HeaderStart = (end + 7) &^ 7
	if p.Header, p.HeaderEnd, err = readHeader(r, p.HeaderStart, size, "header"); err != nil {
		return nil, err
	}
	return p, p.check()
}

// Close closes the file that Open opened.
func (p *Package) Close() error {
	if p.closer == nil {
		return nil
	}
	return p.closer.Close()
}

// HeaderRange gives HeaderStart and HeaderEnd.
func (p *Package) HeaderRange() (start, end int64) { return p.HeaderStart, p.HeaderEnd }

// RawPayload reads the payload as stored: compressed, and unchecked.
func (p *Package) RawPayload() *io.SectionReader {
	return io.NewSectionReader(p.r, p.HeaderEnd, p.Size-p.HeaderEnd)
}

// readHeader reads the header at start; end is the offset behind it. Memory is
// bounded by the bytes that are there.
func readHeader(r io.ReaderAt, start, size int64, part string) (h *Header, end int64, err error) {
	prefix := make([]byte, len(headerMagic)+headerPrefix)
	if _, err := io.ReadFull(io.NewSectionReader(r, start, size-start), prefix); err != nil {
		return nil, 0, partError(part, err)
	}
	if string(prefix[:len(headerMagic)]) != headerMagic {
		return nil, 0, malformed(part, "it does not start with a header's magic")
	}
	count, length, err := headerCounts(prefix[len(headerMagic):], part)
	if err != nil {
		return nil, 0, err
	}
	total := int64(headerPrefix + count*indexEntryLen + length)
	start += int64(len(headerMagic))
	if total > size-start {
		return nil, 0, malformed(part, "it claims %d bytes where the file has %d left", total, size-start)
	}
	blob := make([]byte, total)
	if _, err := io.ReadFull(io.NewSectionReader(r, start, total), blob); err != nil {
		return nil, 0, partError(part, err)
	}
	h, err = parseHeader(blob, part)
	return h, start + total, err
}

func partError(part string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return malformed(part, "the file ends within it")
	}
	return fmt.Errorf("reading the %s: %w", part, err)
}

// check refuses a package without an identity, or with one that can't be used
// as part of a file name.
func (p *Package) check() error {
	if p.Signature.region != TagHeaderSignatures && p.Signature.region != 0 {
		return malformed("signature header", "its region has tag %d", p.Signature.region)
	}
	if p.region != TagHeaderImmutable || !p.whole {
		return malformed("header", "its immutable region does not cover it all")
	}
	n := p.NEVRA()
	for _, part := range []string{n.Name, n.EVR.Version, n.EVR.Release, n.Arch} {
		if part == "" {
			return malformed("header", "name, version, release or architecture is missing")
		}
		if len(part) > maxComponent || !printable(part) {
			return malformed("header", "%.80q can't be part of a package's name", part)
		}
	}
	if v := n.EVR.Version + n.EVR.Release + n.Arch; containsAny(v, "-:") {
		return malformed("header", "version, release or architecture of %.300q hold a separator", n.String())
	}
	return nil
}
