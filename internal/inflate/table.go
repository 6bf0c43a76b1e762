package inflate

import "math/bits"

// A table decodes a Huffman code by looking up the next bits of the stream. An entry's low byte is how
// many bits it takes, its second byte says what it is, and its upper half is a value:
//
//	literal    the byte
//	length     the base of a match's length or distance, with the number of extra bits in the third
//	end        of the block
//	further    the place of a second table, for codes that are longer than the first one's index; the
//	           second byte has the number of bits that index it
//	0          no code
//
// Entries of second tables take the bits of the first one, too.
type entry uint32

const (
	kindMask    = 0xf000
	kindLiteral = 0x1000
	kindLength  = 0x2000
	kindEnd     = 0x3000
	kindFurther = 0x4000

	litBits    = 11
	distBits   = 9
	clBits     = 7
	maxCode    = 15
	maxLits    = 288
	maxDists   = 32
	litEntries = 1<<litBits + 1<<litBits // twice what a complete code can need, see build
)

// take is how many bits of the code an entry takes.
func (e entry) take() uint { return uint(e & 0xff) }

// extra is the number of extra bits behind the code, or of bits that index a second table.
func (e entry) extra() uint { return uint(e>>8) & 0xf }

func (e entry) value() int { return int(e >> 16) }

// build fills a table for the code in which symbol i has lengths[i] bits, 0 for none (RFC 1951, section
// 3.2.2). symbols are the entries without their bits. It says whether such a code exists; one that does
// not use all its bits exists only if it has one symbol, or none.
func build(table []entry, index uint, lengths []uint8, symbols []entry) ([]entry, bool) {
	var count [maxCode + 1]int
	longest := uint(0)
	for _, n := range lengths {
		count[n]++
		longest = max(longest, uint(n))
	}
	table = table[:1<<index]
	clear(table)
	if longest == 0 {
		return table, true
	}
	var next [maxCode + 1]uint
	code := uint(0)
	for n := uint(1); n <= longest; n++ {
		code <<= 1
		next[n] = code
		code += uint(count[n])
	}
	if code != 1<<longest && !(code == 1 && longest == 1) {
		return nil, false
	}
	for symbol, n8 := range lengths {
		n := uint(n8)
		if n == 0 {
			continue
		}
		at := uint(bits.Reverse16(uint16(next[n])) >> (16 - n))
		next[n]++
		if n <= index {
			for i := at; i < 1<<index; i += 1 << n {
				table[i] = symbols[symbol] | entry(n)
			}
			continue
		}
		first := &table[at&(1<<index-1)]
		if *first == 0 { // as large as the longest of the codes that begin so may need
			width := longest - index
			*first = entry(len(table))<<16 | kindFurther | entry(width)<<8 | entry(index)
			for range 1 << width {
				table = append(table, 0)
			}
			first = &table[at&(1<<index-1)]
		}
		start, width := first.value(), first.extra()
		for i := at >> index; i < 1<<width; i += 1 << (n - index) {
			table[start+int(i)] = symbols[symbol] | entry(n)
		}
	}
	return table, true
}

var lengthBase = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
var lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
var distBase = [30]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
var distExtra = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}

// litSymbols are the entries of the literal and length code; the last two symbols mean nothing.
var litSymbols = func() (s [maxLits]entry) {
	for i := range 256 {
		s[i] = entry(i)<<16 | kindLiteral
	}
	s[256] = kindEnd
	for i := range lengthBase {
		s[257+i] = entry(lengthBase[i])<<16 | kindLength | entry(lengthExtra[i])<<8
	}
	return s
}()

// distSymbols are those of the distance code, whose last two symbols mean nothing.
var distSymbols = func() (s [maxDists]entry) {
	for i := range distBase {
		s[i] = entry(distBase[i])<<16 | kindLength | entry(distExtra[i])<<8
	}
	return s
}()

// clSymbols are those of the code of code lengths.
var clSymbols = func() (s [19]entry) {
	for i := range s {
		s[i] = entry(i)<<16 | kindLiteral
	}
	return s
}()
