package inflate

import (
	"encoding/binary"
	"errors"
	"io"
)

// The number of bits that a refill leaves at least.
const refilled = 56

// fill brings input to where at least 16 bytes can be read at pos: the stream's, or zeros behind its end.
func (z *Reader) fill() error {
	if len(z.in)-z.pos >= 16 || z.ended {
		return nil
	}
	rest := copy(z.input[:], z.in[z.pos:])
	z.pos = 0
	end := rest
	for end < len(z.input)-padding && !z.ended {
		n, err := z.r.Read(z.input[end : len(z.input)-padding])
		end += n
		if errors.Is(err, io.EOF) {
			z.ended = true
		} else if err != nil {
			z.in = z.input[:end]
			return err
		}
		if end-rest >= len(z.input)/2 {
			break
		}
	}
	z.end = end
	if z.ended {
		clear(z.input[end : end+padding])
		end += padding
	}
	z.in = z.input[:end]
	return nil
}

// padding is how many zeros stand behind the end of the stream. What decodes a symbol checks that it
// did not take them for input.
const padding = 64

// over says whether bits were taken that are behind the end of the stream.
func (z *Reader) over() bool { return z.ended && z.pos-int(z.nbits/8) > z.end }

// need brings at least n bits, 32 at most.
func (z *Reader) need(n uint) error {
	for z.nbits < n {
		if err := z.fill(); err != nil {
			return err
		}
		if z.ended && z.pos >= z.end {
			return io.ErrUnexpectedEOF
		}
		z.bits |= uint64(z.in[z.pos]) << z.nbits
		z.pos++
		z.nbits += 8
	}
	return nil
}

// get takes n bits that are there.
func (z *Reader) get(n uint) uint {
	v := uint(z.bits & (1<<n - 1))
	z.bits >>= n
	z.nbits -= n
	return v
}

// begin reads a block's head (RFC 1951, section 3.2.3).
func (z *Reader) begin() error {
	if err := z.need(3); err != nil {
		return err
	}
	z.final = z.get(1) == 1
	switch z.get(2) {
	case 0:
		z.get(z.nbits & 7)
		if err := z.need(32); err != nil {
			return err
		}
		n, inverse := z.get(16), z.get(16)
		if n != ^inverse&0xffff {
			return corrupt("the length of a stored block")
		}
		z.stored, z.state = int(n), inStored
	case 1:
		z.fixed()
		z.state = inBlock
	case 2:
		if err := z.dynamic(); err != nil {
			return err
		}
		z.state = inBlock
	default:
		return corrupt("the type of a block")
	}
	return nil
}

// fixed sets the codes of section 3.2.6.
func (z *Reader) fixed() {
	for i := range maxLits {
		switch {
		case i < 144:
			z.lengths[i] = 8
		case i < 256:
			z.lengths[i] = 9
		case i < 280:
			z.lengths[i] = 7
		default:
			z.lengths[i] = 8
		}
	}
	z.lits, _ = build(z.lits, litBits, z.lengths[:maxLits], litSymbols[:])
	for i := range maxDists {
		z.lengths[i] = 5
	}
	z.dists, _ = build(z.dists, distBits, z.lengths[:maxDists], distSymbols[:])
}

var clOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// dynamic reads the codes of a block (section 3.2.7).
func (z *Reader) dynamic() error {
	if err := z.need(14); err != nil {
		return err
	}
	lits, dists, n := int(z.get(5))+257, int(z.get(5))+1, int(z.get(4))+4
	if lits > 286 || dists > 30 {
		return corrupt("the number of codes")
	}
	var cl [19]uint8
	for i := range n {
		if err := z.need(3); err != nil {
			return err
		}
		cl[clOrder[i]] = uint8(z.get(3))
	}
	codes, ok := build(z.codes[:0], clBits, cl[:], clSymbols[:])
	if !ok {
		return corrupt("the code of code lengths")
	}
	lengths := z.lengths[:lits+dists]
	for i := 0; i < len(lengths); {
		symbol, err := z.symbol(codes)
		if err != nil {
			return err
		}
		if symbol < 16 {
			lengths[i] = uint8(symbol)
			i++
			continue
		}
		value, times, err := uint8(0), 0, error(nil)
		switch symbol {
		case 16:
			if i == 0 {
				return corrupt("the repetition of a code length")
			}
			value = lengths[i-1]
			times, err = z.repeat(2, 3)
		case 17:
			times, err = z.repeat(3, 3)
		default:
			times, err = z.repeat(7, 11)
		}
		if err != nil {
			return err
		}
		if times > len(lengths)-i {
			return corrupt("the number of code lengths")
		}
		for range times {
			lengths[i] = value
			i++
		}
	}
	if z.lits, ok = build(z.lits, litBits, lengths[:lits], litSymbols[:]); !ok {
		return corrupt("the code of literals and lengths")
	}
	if z.dists, ok = build(z.dists, distBits, lengths[lits:], distSymbols[:]); !ok {
		return corrupt("the code of distances")
	}
	return nil
}

func (z *Reader) repeat(bits uint, least int) (int, error) {
	err := z.need(bits)
	if err != nil {
		return 0, err
	}
	return least + int(z.get(bits)), nil
}

// symbol decodes one of the code of code lengths.
func (z *Reader) symbol(codes []entry) (int, error) {
	for {
		e := codes[z.bits&(1<<clBits-1)]
		if e == 0 && z.nbits >= clBits {
			return 0, corrupt("a code length")
		}
		if e != 0 && e.take() <= z.nbits {
			z.get(e.take())
			return e.value(), nil
		}
		if err := z.need(z.nbits + 1); err != nil {
			return 0, err
		}
	}
}

// block decodes until the block ends, or the output is full.
func (z *Reader) block() error {
	const litMask, distMask = 1<<litBits - 1, 1<<distBits - 1
	var (
		lits, dists = z.lits, (*[1 << distBits]entry)(z.dists)
		first       = (*[1 << litBits]entry)(lits)
		bits, nbits = z.bits, z.nbits
		out, w      = z.out[:], z.w
	)
	for w <= len(out)-slack {
		if len(z.in)-z.pos < 16 {
			if err := z.fill(); err != nil {
				z.bits, z.nbits, z.w = bits, nbits, w
				return err
			}
			if z.pos-int(nbits/8) > z.end && z.ended {
				return io.ErrUnexpectedEOF
			}
		}
		in, pos := z.in, z.pos
		// As long as there is input for three symbols and a refill before each.
		for w <= len(out)-slack && len(in)-pos >= 16 {
			bits |= binary.LittleEndian.Uint64(in[pos:]) << (nbits & 63)
			pos += int((63 - nbits) >> 3)
			nbits |= refilled
			e := first[bits&litMask]
			if e&kindMask == kindLiteral {
				bits >>= e & 0xff
				nbits -= uint(e & 0xff)
				out[w] = byte(e >> 16)
				w++
				e = first[bits&litMask]
				if e&kindMask == kindLiteral {
					bits >>= e & 0xff
					nbits -= uint(e & 0xff)
					out[w] = byte(e >> 16)
					w++
					e = first[bits&litMask]
					if e&kindMask == kindLiteral {
						bits >>= e & 0xff
						nbits -= uint(e & 0xff)
						out[w] = byte(e >> 16)
						w++
						continue
					}
				}
				bits |= binary.LittleEndian.Uint64(in[pos:]) << (nbits & 63)
				pos += int((63 - nbits) >> 3)
				nbits |= refilled
			}
			if e&kindMask == kindFurther {
				e = lits[e.value()+int(bits>>litBits)&(1<<e.extra()-1)]
				if e&kindMask == kindLiteral {
					bits >>= e & 0xff
					nbits -= uint(e & 0xff)
					out[w] = byte(e >> 16)
					w++
					continue
				}
			}
			bits >>= e & 0xff
			nbits -= uint(e & 0xff)
			if e&kindMask != kindLength {
				z.pos, z.bits, z.nbits, z.w = pos, bits, nbits, w
				if e&kindMask != kindEnd {
					return corrupt("a code")
				}
				if z.over() {
					return io.ErrUnexpectedEOF
				}
				z.state = betweenBlocks
				return nil
			}
			length := e.value() + int(bits&(1<<e.extra()-1))
			bits >>= e.extra()
			nbits -= e.extra()

			e = dists[bits&distMask]
			if e&kindMask == kindFurther {
				e = z.dists[e.value()+int(bits>>distBits)&(1<<e.extra()-1)]
			}
			if e&kindMask != kindLength {
				return corrupt("a distance's code")
			}
			bits >>= e & 0xff
			nbits -= uint(e & 0xff)
			distance := e.value() + int(bits&(1<<e.extra()-1))
			bits >>= e.extra()
			nbits -= e.extra()
			if distance > z.have+w-z.start {
				return corrupt("a distance")
			}
			from, end := w-distance, w+length
			switch {
			case distance >= 8: // there is room for what is copied too much
				for {
					binary.LittleEndian.PutUint64(out[w:], binary.LittleEndian.Uint64(out[from:]))
					w, from = w+8, from+8
					if w >= end {
						break
					}
				}
			case distance == 1:
				all := uint64(out[from]) * 0x0101010101010101
				for ; w < end; w += 8 {
					binary.LittleEndian.PutUint64(out[w:], all)
				}
			default:
				for ; w < end; w, from = w+1, from+1 {
					out[w] = out[from]
				}
			}
			w = end
		}
		z.pos = pos
		if z.ended && z.pos-int(nbits/8) > z.end {
			return io.ErrUnexpectedEOF
		}
	}
	z.bits, z.nbits, z.w = bits, nbits, w
	return nil
}
