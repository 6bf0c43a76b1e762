package xz

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
)

// CorruptError is a stream that is not what it should be; its text says which part.
type CorruptError struct{ What string }

func (e *CorruptError) Error() string { return "xz: " + e.What + " is wrong" }

func corrupt(what string) error { return &CorruptError{what} }

// Reader reads what is in a .xz stream. Reset makes it ready for another one; it is not safe for
// concurrent use.
type Reader struct {
	in    *bufio.Reader
	taken int64 // bytes of in
	limit int
	err   error

	lzma    decoder
	inBlock bool
	check   hash.Hash // of the block; nil for none
	kind    byte      // of the stream's checks
	header  blockHeader
	began   int64 // where the block's data began
	size    int64 // what came out of the block
	blocks  []record
	crcs    *crc64.Table
}

// record is a block's sizes, which the index repeats.
type record struct{ unpadded, size int64 }

// maxBlocks bounds the index. xz makes a block of 3 MiB at least, and ones as small as a few bytes are
// only made by hand.
const maxBlocks = 1 << 20

// NewReader reads r, of which it may read more than the streams. A dictionary larger than limit, in
// bytes, is an error.
func NewReader(r io.Reader, limit int) (*Reader, error) {
	x := &Reader{in: bufio.NewReaderSize(nil, 64<<10), limit: limit, crcs: crc64.MakeTable(crc64.ECMA)}
	return x, x.Reset(r)
}

// Reset makes x read another stream, whose header is read at once.
func (x *Reader) Reset(r io.Reader) error {
	x.in.Reset(r)
	x.taken, x.inBlock = 0, false
	x.lzma.begin(0)
	x.err = x.streamHeader()
	return x.err
}

// Close ends the reading; the Reader can be used again after a Reset. It does not close the stream.
func (x *Reader) Close() error {
	x.in.Reset(nil)
	x.err = errors.New("xz: read after Close")
	return nil
}

// ReadByte and full count what is taken of the stream.
func (x *Reader) ReadByte() (byte, error) {
	b, err := x.in.ReadByte()
	if err == nil {
		x.taken++
	}
	return b, err
}

func (x *Reader) full(p []byte) error {
	n, err := io.ReadFull(x.in, p)
	x.taken += int64(n)
	return unexpected(err)
}

// Read reads what is in the stream. At its end the error is io.EOF.
func (x *Reader) Read(p []byte) (int, error) {
	d := &x.lzma
	for d.rd == d.w {
		if x.err != nil {
			return 0, x.err
		}
		x.err = x.step()
	}
	n := copy(p, d.buf[d.rd:d.w])
	d.rd += n
	return n, nil
}

// step decodes the next chunk, or what is between blocks.
func (x *Reader) step() error {
	if !x.inBlock {
		return x.block()
	}
	err := x.lzma.next(x, x.full)
	if errors.Is(err, io.EOF) {
		return x.blockEnd()
	}
	if err != nil {
		x.lzma.w = x.lzma.rd // what a broken chunk gave is not passed on
		return err
	}
	made := x.lzma.buf[x.lzma.rd:x.lzma.w]
	x.size += int64(len(made))
	if x.check != nil {
		x.check.Write(made)
	}
	return nil
}

var (
	headerMagic = []byte("\xfd7zXZ\x00")
	footerMagic = []byte("YZ")
)

// checkSizes are the bytes of a block's check, by its number (section 2.1.1.2).
var checkSizes = [16]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}

// streamHeader reads one (section 2.1.1).
func (x *Reader) streamHeader() error {
	var b [12]byte
	if err := x.full(b[:]); err != nil {
		return err
	}
	return x.stream(b[:])
}

func (x *Reader) stream(b []byte) error {
	if !bytes.Equal(b[:6], headerMagic) || b[6] != 0 || b[7] > 15 || crc32.ChecksumIEEE(b[6:8]) != binary.LittleEndian.Uint32(b[8:]) {
		return corrupt("the header")
	}
	x.kind = b[7]
	switch x.kind {
	case 0:
		x.check = nil
	case 1:
		x.check = crc32.NewIEEE()
	case 4:
		x.check = crc64.New(x.crcs)
	case 10:
		x.check = sha256.New()
	default:
		return fmt.Errorf("xz: checks of kind %d are not supported", x.kind)
	}
	x.blocks = x.blocks[:0]
	return nil
}

// blockHeader is what one says (section 3.1); sizes are -1 where it does not say them.
type blockHeader struct{ headerSize, packed, size int64 }

// block begins a block, or reads the index in its place.
func (x *Reader) block() error {
	first, err := x.ReadByte()
	if err != nil {
		return unexpected(err)
	}
	if first == 0 {
		return x.index()
	}
	b := make([]byte, 4*(int(first)+1))
	b[0] = first
	if err := x.full(b[1:]); err != nil {
		return err
	}
	end := len(b) - 4
	if crc32.ChecksumIEEE(b[:end]) != binary.LittleEndian.Uint32(b[end:]) || b[1]&0x3c != 0 {
		return corrupt("a block's header")
	}
	if b[1]&3 != 0 {
		return errors.New("xz: filters besides LZMA2 are not supported")
	}
	x.header = blockHeader{int64(len(b)), -1, -1}
	rest := b[2:end]
	for _, field := range []struct {
		flag byte
		to   *int64
	}{{0x40, &x.header.packed}, {0x80, &x.header.size}} {
		if b[1]&field.flag != 0 {
			if *field.to, rest, err = number(rest); err != nil {
				return err
			}
		}
	}
	return x.filter(rest)
}

// filter reads the flags of the one filter that there is, and begins the block.
func (x *Reader) filter(b []byte) error {
	const lzma2 = 0x21
	if len(b) < 3 {
		return corrupt("a block's header")
	}
	if b[0] != lzma2 {
		return errors.New("xz: filters besides LZMA2 are not supported")
	}
	bits := b[2]
	if b[1] != 1 || bits > 40 || len(bytes.Trim(b[3:], "\x00")) > 0 {
		return corrupt("a block's filter")
	}
	size := uint64(1<<32 - 1)
	if bits < 40 {
		size = (2 | uint64(bits&1)) << (bits/2 + 11)
	}
	if size > uint64(x.limit) {
		return fmt.Errorf("xz: the stream wants a dictionary of %d bytes, and %d are allowed", size, x.limit)
	}
	x.lzma.begin(int(size))
	x.inBlock, x.began, x.size = true, x.taken, 0
	if x.check != nil {
		x.check.Reset()
	}
	return nil
}

// blockEnd checks what comes behind a block's data (sections 3.3 and 3.4).
func (x *Reader) blockEnd() error {
	packed := x.taken - x.began
	if x.header.packed >= 0 && x.header.packed != packed || x.header.size >= 0 && x.header.size != x.size {
		return corrupt("the size of a block")
	}
	var b [64]byte
	if err := x.zeros(packed); err != nil {
		return err
	}
	check := b[:checkSizes[x.kind]]
	if err := x.full(check); err != nil {
		return err
	}
	if x.check != nil {
		sum := x.check.Sum(nil)
		if len(sum) <= 8 { // CRCs are little-endian
			for i, j := 0, len(sum)-1; i < j; i, j = i+1, j-1 {
				sum[i], sum[j] = sum[j], sum[i]
			}
		}
		if !bytes.Equal(sum, check) {
			return corrupt("the checksum")
		}
	}
	if len(x.blocks) == maxBlocks {
		return fmt.Errorf("xz: the stream has more than %d blocks", maxBlocks)
	}
	x.blocks = append(x.blocks, record{x.header.headerSize + packed + int64(len(check)), x.size})
	x.inBlock = false
	return nil
}

// zeros reads the padding of something that has n bytes.
func (x *Reader) zeros(n int64) error {
	var b [3]byte
	pad := b[:-n&3]
	if err := x.full(pad); err != nil {
		return err
	}
	if len(bytes.Trim(pad, "\x00")) > 0 {
		return corrupt("padding")
	}
	return nil
}

// summed reads bytes and adds them to a checksum.
type summed struct {
	x   *Reader
	sum hash.Hash32
}

func (s summed) ReadByte() (byte, error) {
	b, err := s.x.ReadByte()
	s.sum.Write([]byte{b})
	return b, err
}

// index reads it (section 4), holds it against the blocks that came, and reads the stream's footer.
func (x *Reader) index() error {
	began := x.taken - 1
	in := summed{x, crc32.NewIEEE()}
	in.sum.Write([]byte{0})
	read := func() (int64, error) { return readNumber(in) }
	n, err := read()
	if err != nil {
		return err
	}
	if n != int64(len(x.blocks)) {
		return corrupt("the index")
	}
	for _, b := range x.blocks {
		unpadded, err := read()
		if err != nil {
			return err
		}
		size, err := read()
		if err != nil {
			return err
		}
		if (record{unpadded, size}) != b {
			return corrupt("the index")
		}
	}
	for (x.taken-began)&3 != 0 {
		if b, err := in.ReadByte(); err != nil {
			return unexpected(err)
		} else if b != 0 {
			return corrupt("the index")
		}
	}
	var sum [4]byte
	want := in.sum.Sum32()
	if err := x.full(sum[:]); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(sum[:]) != want {
		return corrupt("the index's checksum")
	}
	return x.footer(x.taken - began)
}

// footer reads a stream's footer (section 2.1.2), behind an index of that size.
func (x *Reader) footer(index int64) error {
	var b [12]byte
	if err := x.full(b[:]); err != nil {
		return err
	}
	switch {
	case crc32.ChecksumIEEE(b[4:10]) != binary.LittleEndian.Uint32(b[:]), !bytes.Equal(b[10:], footerMagic),
		(int64(binary.LittleEndian.Uint32(b[4:]))+1)*4 != index, b[8] != 0, b[9] != x.kind:
		return corrupt("the footer")
	}
	return x.further()
}

// further looks for another stream, behind padding of four zeros at a time (section 2.2).
func (x *Reader) further() error {
	var b [12]byte
	for {
		n, err := io.ReadFull(x.in, b[:4])
		x.taken += int64(n)
		if n == 0 && errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err != nil {
			return unexpected(err)
		}
		if !bytes.Equal(b[:4], []byte{0, 0, 0, 0}) {
			break
		}
	}
	if err := x.full(b[4:]); err != nil {
		return err
	}
	return x.stream(b[:])
}

// number takes one from the front of b (section 1.2).
func number(b []byte) (int64, []byte, error) {
	in := bytes.NewReader(b)
	n, err := readNumber(in)
	if err != nil {
		return 0, nil, corrupt("a number")
	}
	return n, b[len(b)-in.Len():], nil
}

func readNumber(r io.ByteReader) (int64, error) {
	n := int64(0)
	for shift := 0; shift < 63; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, unexpected(err)
		}
		n |= int64(b&0x7f) << shift
		if b&0x80 == 0 {
			if b == 0 && shift > 0 {
				break
			}
			return n, nil
		}
	}
	return 0, corrupt("a number")
}
