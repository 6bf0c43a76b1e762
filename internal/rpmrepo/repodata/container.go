package repodata

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"unsafe"
)

// An index file is a container of sections:
//
//	magic     8 bytes, kind and version of the format
//	lengths   one little-endian uint64 for each section
//	sections  one after another
//	checksum  CRC-32C of all that precedes, little-endian
//
// All numbers in sections are little-endian uint32.
const (
	packagesMagic = "slipkg\x00\x01"
	filesMagic    = "slifil\x00\x01"
)

// FormatVersion changes when the content of an index changes. It belongs into the key under which
// an index is kept, so that programs of different versions can share a cache.
const FormatVersion = "1"

// ErrDamaged is wrapped by the errors of opening an index that is not whole.
var ErrDamaged = errors.New("the index is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func writeContainer(w io.Writer, magic string, sections [][]byte) error {
	sum := crc32.New(castagnoli)
	out := io.MultiWriter(w, sum)
	head := []byte(magic)
	for _, s := range sections {
		head = binary.LittleEndian.AppendUint64(head, uint64(len(s)))
	}
	if _, err := out.Write(head); err != nil {
		return err
	}
	for _, s := range sections {
		if _, err := out.Write(s); err != nil {
			return err
		}
	}
	_, err := w.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
	return err
}

// openContainer gives the sections, which share memory with data.
func openContainer(data []byte, magic string, count int) ([][]byte, error) {
	head := len(magic) + 8*count
	if len(data) < head+4 || string(data[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: it is no index of this format", ErrDamaged)
	}
	body, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	}
	sections := make([][]byte, count)
	rest := body[head:]
	for i := range sections {
		n := binary.LittleEndian.Uint64(body[len(magic)+8*i:])
		if n > uint64(len(rest)) {
			return nil, fmt.Errorf("%w: a section is cut off", ErrDamaged)
		}
		sections[i], rest = rest[:n:n], rest[n:]
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%w: something follows the last section", ErrDamaged)
	}
	return sections, nil
}

// column is a section of numbers, read where it lies.
type column []byte

func (c column) len() int            { return len(c) / 4 }
func (c column) at(i int) uint32     { return binary.LittleEndian.Uint32(c[4*i:]) }
func (c column) from(i int) column   { return c[4*i:] }
func (c column) put(i int, n uint32) { binary.LittleEndian.PutUint32(c[4*i:], n) }

func encode(numbers []uint32) column {
	out := make([]byte, 4*len(numbers))
	for i, n := range numbers {
		binary.LittleEndian.PutUint32(out[4*i:], n)
	}
	return out
}

// int64 reads a large number, which takes two places.
func (c column) int64(i int) int64 { return int64(uint64(c.at(i)) | uint64(c.at(i+1))<<32) }

// below checks that each number of the column is less than limit.
func (c column) below(limit int) bool {
	if len(c)%4 != 0 {
		return false
	}
	for ; len(c) > 0; c = c[4:] {
		if uint64(binary.LittleEndian.Uint32(c)) >= uint64(limit) {
			return false
		}
	}
	return true
}

// ascending checks that the column holds offsets: from 0 up to last, never descending.
func (c column) ascending(last int) bool {
	if len(c)%4 != 0 || len(c) == 0 || c.at(0) != 0 || int64(c.at(c.len()-1)) != int64(last) {
		return false
	}
	previous := uint32(0)
	for ; len(c) > 0; c = c[4:] {
		n := binary.LittleEndian.Uint32(c)
		if n < previous {
			return false
		}
		previous = n
	}
	return true
}

// texts are the strings of an index, by number; number 0 is the empty string. See interner.
type texts struct {
	ends column
	text string
}

// newTexts makes a string of bytes that nobody changes, so that no name has to be copied.
func newTexts(ends, text []byte) texts {
	return texts{ends, unsafe.String(unsafe.SliceData(text), len(text))}
}

func (t texts) valid() bool { return t.ends.ascending(len(t.text)) }

func (t texts) len() int { return t.ends.len() }

func (t texts) string(id uint32) string {
	if id == 0 {
		return ""
	}
	return t.text[t.ends.at(int(id)-1):t.ends.at(int(id))]
}
