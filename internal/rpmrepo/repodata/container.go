package repodata

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
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
	packagesMagic = "slipkg\x00\x02"
	filesMagic    = "slifil\x00\x02"
)

// FormatVersion changes when the content of an index changes. It belongs into the key under which
// an index is kept, so that programs of different versions can share a cache.
const FormatVersion = "2"

// ErrDamaged is wrapped by the errors of opening an index that is not whole.
var ErrDamaged = errors.New("the index is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// section is what becomes a section: bytes, or else numbers.
type section struct {
	bytes   []byte
	numbers []uint32
}

// littleEndian says whether numbers lie in memory as they do in an index.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// data gives the section as it is written. It shares memory with the section where it can.
func (s section) data() []byte {
	switch {
	case len(s.numbers) == 0:
		return s.bytes
	case littleEndian:
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s.numbers))), 4*len(s.numbers))
	}
	out := make([]byte, 0, 4*len(s.numbers))
	for _, n := range s.numbers {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return out
}

// dataOf gives what openContainer gives of the sections when they are written.
func dataOf(sections []section) [][]byte {
	out := make([][]byte, len(sections))
	for i, s := range sections {
		out[i] = s.data()
	}
	return out
}

const pieceSize = 256 << 10

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
		// In pieces that are still at hand when the next reads them.
		for ; len(s) > 0; s = s[min(len(s), pieceSize):] {
			if _, err := out.Write(s[:min(len(s), pieceSize)]); err != nil {
				return err
			}
		}
	}
	_, err := w.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
	return err
}

// openContainer gives the sections, which share memory with data, once use has looked at them. The
// checksum is taken meanwhile, so use must expect anything in them.
func openContainer(data []byte, magic string, count int, use func(sections [][]byte) bool) error {
	sum := make(chan uint32, 1)
	go func() { sum <- crc32.Checksum(data[:max(len(data)-4, 0)], castagnoli) }()
	sections, err := sectionsOf(data, magic, count)
	whole := err == nil && use(sections)
	switch got := <-sum; {
	case err != nil:
		return err
	case got != binary.LittleEndian.Uint32(data[len(data)-4:]):
		return fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	case !whole:
		return fmt.Errorf("%w: a reference in it leads nowhere", ErrDamaged)
	}
	return nil
}

// sectionsOf cuts an index into its sections.
func sectionsOf(data []byte, magic string, count int) ([][]byte, error) {
	head := len(magic) + 8*count
	if len(data) < head+4 || string(data[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: it is no index of this format", ErrDamaged)
	}
	body := data[:len(data)-4]
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

func (c column) len() int          { return len(c) / 4 }
func (c column) at(i int) uint32   { return binary.LittleEndian.Uint32(c[4*i:]) }
func (c column) from(i int) column { return c[4*i:] }

// int64 reads a large number, which takes two places.
func (c column) int64(i int) int64 { return int64(uint64(c.at(i)) | uint64(c.at(i+1))<<32) }

// below checks that each number of the column is less than limit.
func (c column) below(limit int) bool {
	if len(c)%4 != 0 || len(c) > 0 && limit <= 0 {
		return false
	}
	// The difference of one that is too large is negative: its highest bit stays. Two at a time.
	highest, over := uint64(limit)-1, uint64(0)
	for ; len(c) >= 8; c = c[8:] {
		two := binary.LittleEndian.Uint64(c)
		over |= (highest - two&math.MaxUint32) | (highest - two>>32)
	}
	if len(c) > 0 {
		over |= highest - uint64(c.at(0))
	}
	return over>>63 == 0
}

// hasZero says whether one of the numbers is 0.
func (c column) hasZero() bool {
	for ; len(c) > 0; c = c[4:] {
		if binary.LittleEndian.Uint32(c) == 0 {
			return true
		}
	}
	return false
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
	seed seed
}

// newTexts makes a string of bytes that nobody changes, so that no name has to be copied. The sections
// are the seed of hashes, the ends and the text, as textSections gives them.
func newTexts(sections [][]byte) texts {
	t := texts{ends: sections[1], text: unsafe.String(unsafe.SliceData(sections[2]), len(sections[2]))}
	if len(sections[0]) == 8 {
		t.seed = seed(binary.LittleEndian.Uint64(sections[0]))
	}
	return t
}

// valid checks that every string lies within the text. There always is a seed, which is odd.
func (t *texts) valid() bool { return t.seed != 0 && t.ends.ascending(len(t.text)) }

// textSections are the sections of the strings.
func textSections(t *interner, seed seed) (seeds, ends, text section) {
	return section{bytes: binary.LittleEndian.AppendUint64(nil, uint64(seed))}, section{numbers: t.ends}, section{bytes: t.text}
}

func (t *texts) len() int { return t.ends.len() }

func (t *texts) string(id uint32) string {
	if id == 0 {
		return ""
	}
	return t.text[t.ends.at(int(id)-1):t.ends.at(int(id))]
}
