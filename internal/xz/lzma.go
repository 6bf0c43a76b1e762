package xz

// prob is the probability of a zero bit, of 2048 (LZMA specification, "Range Decoder").
type prob uint16

const (
	probBits  = 11
	probInit  = 1 << (probBits - 1)
	moveBits  = 5
	topValue  = 1 << 24
	states    = 12
	maxPos    = 1 << 4 // of pb = 4
	minMatch  = 2
	lowLens   = 8
	midLens   = 8
	alignBits = 4
	litSize   = 0x300
)

// lengths is the code of match lengths.
type lengths struct {
	choice, choice2 prob
	low             [maxPos][lowLens]prob
	mid             [maxPos][midLens]prob
	high            [256]prob
}

// model is what LZMA remembers beside its dictionary.
type model struct {
	isMatch, isRep0Long           [256]prob // by state and position
	isRep, isRep0, isRep1, isRep2 [states]prob
	slot                          [4][64]prob
	special                       [128]prob
	align                         [1 << alignBits]prob
	length, repLength             lengths
	literal                       [litSize << 4]prob

	state                  uint32
	rep0, rep1, rep2, rep3 uint32
	lc, lp, pb             uint32
}

// reset is a state reset (LZMA2's control byte).
func (m *model) reset() {
	fill := func(p []prob) {
		for i := range p {
			p[i] = probInit
		}
	}
	fill(m.isMatch[:])
	fill(m.isRep0Long[:])
	for _, p := range []*[states]prob{&m.isRep, &m.isRep0, &m.isRep1, &m.isRep2} {
		fill(p[:])
	}
	for i := range m.slot {
		fill(m.slot[i][:])
	}
	fill(m.special[:])
	fill(m.align[:])
	for _, l := range []*lengths{&m.length, &m.repLength} {
		l.choice, l.choice2 = probInit, probInit
		for i := range l.low {
			fill(l.low[i][:])
			fill(l.mid[i][:])
		}
		fill(l.high[:])
	}
	fill(m.literal[:litSize<<(m.lc+m.lp)])
	m.state, m.rep0, m.rep1, m.rep2, m.rep3 = 0, 0, 0, 0, 0
}

// rangeDecoder decodes bits. in has padding behind its end, so that one symbol can be decoded before
// anybody looks whether there was enough.
type rangeDecoder struct {
	in        []byte
	pos       int
	rng, code uint32
}

func (r *rangeDecoder) bit(p *prob) uint32 {
	v := uint32(*p)
	bound := (r.rng >> probBits) * v
	var b uint32
	if r.code < bound {
		r.rng = bound
		*p = prob(v + (1<<probBits-v)>>moveBits)
	} else {
		r.rng -= bound
		r.code -= bound
		*p = prob(v - v>>moveBits)
		b = 1
	}
	if r.rng < topValue {
		r.rng <<= 8
		r.code = r.code<<8 | uint32(r.in[r.pos])
		r.pos++
	}
	return b
}

// tree decodes a number of so many bits, the highest first.
func (r *rangeDecoder) tree(p []prob, bits uint) uint32 {
	m := uint32(1)
	for range bits {
		m = m<<1 | r.bit(&p[m])
	}
	return m - 1<<bits
}

// reverse decodes one, the lowest first.
func (r *rangeDecoder) reverse(p []prob, bits uint32) uint32 {
	m, v := uint32(1), uint32(0)
	for i := range bits {
		b := r.bit(&p[m])
		m = m<<1 | b
		v |= b << i
	}
	return v
}

// direct decodes bits without a model.
func (r *rangeDecoder) direct(bits uint32) uint32 {
	v := uint32(0)
	for range bits {
		r.rng >>= 1
		r.code -= r.rng
		mask := 0 - r.code>>31
		r.code += r.rng & mask
		v = v<<1 + mask + 1
		if r.rng < topValue {
			r.rng <<= 8
			r.code = r.code<<8 | uint32(r.in[r.pos])
			r.pos++
		}
	}
	return v
}

func (r *rangeDecoder) matchLength(l *lengths, posState uint32) uint32 {
	if r.bit(&l.choice) == 0 {
		return minMatch + r.tree(l.low[posState][:], 3)
	}
	if r.bit(&l.choice2) == 0 {
		return minMatch + lowLens + r.tree(l.mid[posState][:], 3)
	}
	return minMatch + lowLens + midLens + r.tree(l.high[:], 8)
}

// distance decodes how far back a match is, less one.
func (r *rangeDecoder) distance(m *model, length uint32) uint32 {
	slot := r.tree(m.slot[min(length-minMatch, 3)][:], 6)
	if slot < 4 {
		return slot
	}
	bits := slot>>1 - 1
	d := (2 | slot&1) << bits
	if slot < 14 {
		return d + r.reverse(m.special[d-slot:], bits)
	}
	return d + r.direct(bits-alignBits)<<alignBits + r.reverse(m.align[:], alignBits)
}

// decode fills the dictionary buffer from w up to end with what in holds, of which n bytes are no
// padding. start is the first byte of buf that may be referred to, and seen what position the first of
// buf has in the stream.
func (m *model) decode(buf []byte, start, w, end int, seen uint32, in []byte, n int) error {
	r := rangeDecoder{in: in, pos: 5, rng: 0xffffffff, code: uint32(in[1])<<24 | uint32(in[2])<<16 | uint32(in[3])<<8 | uint32(in[4])}
	if in[0] != 0 {
		return corrupt("a chunk's first byte")
	}
	posMask, litMask, lc := uint32(1)<<m.pb-1, uint32(1)<<m.lp-1, m.lc
	for w < end {
		if r.pos > n {
			return corrupt("a chunk's size")
		}
		position := seen + uint32(w)
		posState := position & posMask
		p := &m.isMatch[(m.state<<4+posState)&255]
		if v := uint32(*p); r.code < (r.rng>>probBits)*v {
			rng, code, pos := (r.rng>>probBits)*v, r.code, r.pos
			*p = prob(v + (1<<probBits-v)>>moveBits)
			if rng < topValue {
				rng <<= 8
				code = code<<8 | uint32(in[pos])
				pos++
			}
			previous := uint32(0)
			if w > start {
				previous = uint32(buf[w-1])
			}
			context := ((position&litMask)<<lc + previous>>(8-lc)) * litSize
			probs := (*[litSize]prob)(m.literal[context:])
			symbol := uint32(1)
			if m.state >= 7 {
				if int(m.rep0) >= w-start {
					return corrupt("a distance")
				}
				match := uint32(buf[w-1-int(m.rep0)])
				for offset := uint32(0x100); symbol < 0x100; {
					match <<= 1
					bit := match & offset
					q := &probs[offset+bit+symbol]
					v := uint32(*q)
					bound := (rng >> probBits) * v
					if code < bound {
						rng = bound
						*q = prob(v + (1<<probBits-v)>>moveBits)
						symbol <<= 1
						offset &^= bit
					} else {
						rng -= bound
						code -= bound
						*q = prob(v - v>>moveBits)
						symbol = symbol<<1 | 1
						offset &= bit
					}
					if rng < topValue {
						rng <<= 8
						code = code<<8 | uint32(in[pos])
						pos++
					}
				}
			} else {
				for symbol < 0x100 {
					q := &probs[symbol]
					v := uint32(*q)
					bound := (rng >> probBits) * v
					if code < bound {
						rng = bound
						*q = prob(v + (1<<probBits-v)>>moveBits)
						symbol <<= 1
					} else {
						rng -= bound
						code -= bound
						*q = prob(v - v>>moveBits)
						symbol = symbol<<1 | 1
					}
					if rng < topValue {
						rng <<= 8
						code = code<<8 | uint32(in[pos])
						pos++
					}
				}
			}
			buf[w] = byte(symbol)
			w++
			r.rng, r.code, r.pos = rng, code, pos
			switch {
			case m.state < 4:
				m.state = 0
			case m.state < 10:
				m.state -= 3
			default:
				m.state -= 6
			}
			continue
		}
		length := m.match(&r, posState)
		distance := int(m.rep0) + 1
		if distance > w-start || int(length) > end-w {
			return corrupt("a match")
		}
		from, stop := w-distance, w+int(length)
		if distance >= int(length) {
			copy(buf[w:stop], buf[from:])
		} else {
			for ; w < stop; w, from = w+1, from+1 {
				buf[w] = buf[from]
			}
		}
		w = stop
	}
	if r.pos != n || r.code != 0 {
		return corrupt("a chunk's end")
	}
	return nil
}

// match decodes all but the first bit of a match: rep0 is its distance, less one.
func (m *model) match(r *rangeDecoder, posState uint32) (length uint32) {
	state := m.state
	r.bit(&m.isMatch[(state<<4+posState)&255]) // a one, as was seen
	literal := state < 7
	next := func(afterLiteral, afterMatch uint32) {
		if m.state = afterMatch; literal {
			m.state = afterLiteral
		}
	}
	if r.bit(&m.isRep[state]) == 0 {
		m.rep3, m.rep2, m.rep1 = m.rep2, m.rep1, m.rep0
		length = r.matchLength(&m.length, posState)
		m.rep0 = r.distance(m, length)
		next(7, 10)
		return length
	}
	if r.bit(&m.isRep0[state]) == 0 {
		if r.bit(&m.isRep0Long[(state<<4+posState)&255]) == 0 {
			next(9, 11)
			return 1
		}
	} else {
		d := m.rep1
		if r.bit(&m.isRep1[state]) == 1 {
			if d = m.rep2; r.bit(&m.isRep2[state]) == 1 {
				d, m.rep3 = m.rep3, m.rep2
			}
			m.rep2 = m.rep1
		}
		m.rep1, m.rep0 = m.rep0, d
	}
	length = r.matchLength(&m.repLength, posState)
	next(8, 11)
	return length
}
