package inflate

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// CorruptError is a stream that is not what it should be; its text says which part.
type CorruptError struct{ What string }

func (e *CorruptError) Error() string { return "gzip: " + e.What + " is wrong" }

func corrupt(what string) error { return &CorruptError{what} }

const (
	window = 32 << 10
	// slack is room behind the output for one more match, and what is copied too much with it.
	slack      = 258 + 16
	outputSize = window + 256<<10 + slack
	inputSize  = 64 << 10
)

// What comes next in the stream.
const (
	betweenBlocks = iota
	inBlock
	inStored
	betweenMembers
)

// Reader reads what is in a gzip stream. Reset makes it ready; it is not safe for concurrent use.
type Reader struct {
	r     io.Reader
	err   error
	state int
	final bool // the block is its member's last

	input [inputSize]byte
	in    []byte // what of it was read, and padding behind the stream's end
	pos   int
	end   int // of the stream, where ended
	ended bool
	bits  uint64
	nbits uint

	out    [outputSize]byte
	start  int // of what the member has in out since it was moved last
	have   int // bytes of the member before start, as far back as it may refer to
	rd, w  int
	stored int // bytes of a stored block to come

	sum  uint32
	size uint32

	lits, dists, codes []entry
	lengths            [maxLits + maxDists]uint8
}

// NewReader reads the members of r, which it may read further than to the end of the last one.
func NewReader(r io.Reader) (*Reader, error) {
	z := &Reader{lits: make([]entry, 0, litEntries), dists: make([]entry, 0, 1<<distBits+1<<distBits), codes: make([]entry, 0, 1<<clBits)}
	return z, z.Reset(r)
}

// Reset makes z read another stream, whose first header is read at once.
func (z *Reader) Reset(r io.Reader) error {
	z.r, z.err = r, nil
	z.in, z.pos, z.end, z.ended, z.bits, z.nbits = z.input[:0], 0, 0, false, 0, 0
	z.rd, z.w, z.start, z.have = 0, 0, 0, 0
	z.state = betweenMembers
	z.err = z.header()
	return z.err
}

// Close ends the reading; the Reader can be used again after a Reset. It does not close the stream.
func (z *Reader) Close() error {
	z.r, z.err = nil, errors.New("gzip: read after Close")
	return nil
}

// Read reads what is in the stream. At its end the error is io.EOF.
func (z *Reader) Read(p []byte) (int, error) {
	for z.rd == z.w {
		if z.err != nil {
			return 0, z.err
		}
		z.more()
	}
	n := copy(p, z.out[z.rd:z.w])
	z.rd += n
	return n, nil
}

// WriteTo writes what is left of the stream.
func (z *Reader) WriteTo(w io.Writer) (total int64, err error) {
	for {
		for z.rd == z.w {
			if errors.Is(z.err, io.EOF) {
				return total, nil
			}
			if z.err != nil {
				return total, z.err
			}
			z.more()
		}
		n, err := w.Write(z.out[z.rd:z.w])
		z.rd += n
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
}

// more decodes some of the stream, all output having been taken.
func (z *Reader) more() {
	if z.w > outputSize-slack-window {
		z.have = min(z.have+z.w-z.start, window)
		copy(z.out[:z.have], z.out[z.w-z.have:z.w])
		z.rd, z.w, z.start = z.have, z.have, z.have
	}
	before := z.w
	z.err = z.step()
	made := z.out[before:z.w]
	z.sum = crc32.Update(z.sum, crc32.IEEETable, made)
	z.size += uint32(len(made))
	if z.err == nil && z.state == betweenBlocks && z.final {
		z.err = z.trailer()
	}
}

func (z *Reader) step() error {
	switch z.state {
	case betweenMembers:
		return z.header()
	case betweenBlocks:
		return z.begin()
	case inStored:
		return z.copyStored()
	}
	return z.block()
}

// copyStored copies from a stored block (RFC 1951, section 3.2.4).
func (z *Reader) copyStored() error {
	for z.stored > 0 && z.w < outputSize-slack {
		if z.nbits >= 8 {
			z.out[z.w] = byte(z.get(8))
			z.w++
			z.stored--
			continue
		}
		z.bits, z.nbits = 0, 0
		if err := z.fill(); err != nil {
			return err
		}
		there := len(z.in) - z.pos
		if z.ended {
			there = z.end - z.pos
		}
		if there <= 0 {
			return io.ErrUnexpectedEOF
		}
		n := copy(z.out[z.w:min(z.w+z.stored, outputSize-slack)], z.in[z.pos:z.pos+there])
		z.pos += n
		z.w += n
		z.stored -= n
	}
	if z.stored == 0 {
		z.state = betweenBlocks
	}
	return nil
}

// octets reads whole bytes of the stream.
func (z *Reader) octets(p []byte) error {
	for i := range p {
		if err := z.need(8); err != nil {
			return err
		}
		p[i] = byte(z.get(8))
	}
	return nil
}

// trailer checks a member's end (RFC 1952, section 2.3.1).
func (z *Reader) trailer() error {
	z.get(z.nbits & 7)
	var b [8]byte
	if err := z.octets(b[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(b[:]) != z.sum || binary.LittleEndian.Uint32(b[4:]) != z.size {
		return corrupt("the checksum")
	}
	z.state = betweenMembers
	return nil
}

// The flags of a member's header.
const (
	flagHeaderSum = 1 << 1
	flagExtra     = 1 << 2
	flagName      = 1 << 3
	flagComment   = 1 << 4
)

// header reads a member's header (RFC 1952, section 2.3); io.EOF where there is no further one.
func (z *Reader) header() error {
	var b [10]byte
	err := z.octets(b[:1])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	if err != nil {
		return err
	}
	if err := z.octets(b[1:]); err != nil {
		return err
	}
	if b[0] != 0x1f || b[1] != 0x8b || b[2] != 8 {
		return corrupt("the header")
	}
	sum := crc32.ChecksumIEEE(b[:])
	if err := z.fields(b[3], sum); err != nil {
		return err
	}
	z.final, z.state = false, betweenBlocks
	z.sum, z.size = 0, 0
	z.have, z.start = 0, z.w
	return nil
}

// fields passes what a header may have besides. sum is the checksum of what came before.
func (z *Reader) fields(flags byte, sum uint32) error {
	read := func(p []byte) error {
		err := z.octets(p)
		sum = crc32.Update(sum, crc32.IEEETable, p)
		return err
	}
	var b [2]byte
	if flags&flagExtra != 0 {
		if err := read(b[:]); err != nil {
			return err
		}
		if err := read(make([]byte, binary.LittleEndian.Uint16(b[:]))); err != nil {
			return err
		}
	}
	for _, text := range []byte{flagName, flagComment} {
		for n := 0; flags&text != 0; n++ {
			if n > maxText {
				return corrupt("the header's text")
			}
			if err := read(b[:1]); err != nil {
				return err
			}
			if b[0] == 0 {
				break
			}
		}
	}
	if flags&flagHeaderSum != 0 {
		want := uint16(sum)
		if err := z.octets(b[:]); err != nil {
			return err
		}
		if binary.LittleEndian.Uint16(b[:]) != want {
			return corrupt("the header's checksum")
		}
	}
	return nil
}

// maxText is how long a name or comment in a header may be.
const maxText = 512
