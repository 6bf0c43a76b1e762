package xz

import (
	"encoding/binary"
	"errors"
	"io"
)

const (
	maxChunk = 2 << 20  // bytes that a chunk may decompress to
	maxRaw   = 64 << 10 // compressed bytes of one
	padding  = 128      // more than one symbol can take
)

// decoder decodes LZMA2 into a dictionary.
type decoder struct {
	model model
	limit int    // size of the dictionary
	buf   []byte // its end, and what was not read yet
	start int    // of the dictionary in buf
	rd, w int
	seen  uint32 // position of buf[0] since the last dictionary reset, modulo 2^32
	raw   [maxRaw + padding]byte
	fresh bool // there was no chunk: it must reset the dictionary
	reset bool // the model may be used: there was a reset of it
	props bool // and its parameters are known
}

func (d *decoder) begin(dictionary int) {
	d.limit, d.start, d.rd, d.w, d.seen = dictionary, 0, 0, 0, 0
	d.fresh, d.reset, d.props = true, false, false
}

// room makes room for n bytes behind w, all before it having been read.
func (d *decoder) room(n int) {
	if d.w+n <= len(d.buf) {
		return
	}
	// As long as there is less than a full dictionary the buffer grows with what comes out.
	if most := d.limit + max(d.limit/2, maxChunk); len(d.buf) < most && d.w-d.start+n > len(d.buf)/2 {
		grown := make([]byte, min(most, max(2*len(d.buf), d.w+n, 64<<10)))
		if d.w+n <= len(grown) {
			copy(grown, d.buf[:d.w])
			d.buf = grown
			return
		}
		d.slide(grown)
		return
	}
	d.slide(d.buf)
}

// slide moves what may be referred to to the front of a buffer.
func (d *decoder) slide(to []byte) {
	keep := min(d.w-d.start, d.limit)
	from := d.w - keep
	copy(to, d.buf[from:d.w])
	d.seen += uint32(from)
	d.buf, d.start, d.rd, d.w = to, 0, keep, keep
}

// next decodes a chunk; io.EOF is the end of the LZMA2 data.
func (d *decoder) next(r io.ByteReader, full func([]byte) error) error {
	control, err := r.ReadByte()
	if err != nil {
		return unexpected(err)
	}
	if control == 0 {
		return io.EOF
	}
	if control == 1 || control >= 0xe0 {
		d.seen, d.start = -uint32(d.w), d.w
		d.fresh = false
		d.reset = false
	}
	if d.fresh || control > 2 && control < 0x80 {
		return corrupt("a chunk's control byte")
	}
	head := d.raw[:2]
	if control >= 0x80 {
		head = d.raw[:4]
	}
	if err := full(head); err != nil {
		return err
	}
	size := int(binary.BigEndian.Uint16(head)) + 1
	if control < 0x80 {
		d.room(size)
		err := full(d.buf[d.w : d.w+size])
		d.w += size
		return err
	}
	size += int(control&0x1f) << 16
	packed := int(binary.BigEndian.Uint16(head[2:])) + 1
	if control >= 0xc0 {
		var p [1]byte
		if err := full(p[:]); err != nil {
			return err
		}
		if err := d.parameters(p[0]); err != nil {
			return err
		}
	}
	if control >= 0xa0 {
		if !d.props {
			return corrupt("a chunk's control byte")
		}
		d.model.reset()
		d.reset = true
	}
	if !d.reset || packed < 5 {
		return corrupt("a chunk's control byte")
	}
	if err := full(d.raw[:packed]); err != nil {
		return err
	}
	clear(d.raw[packed : packed+padding])
	d.room(size)
	err = d.model.decode(d.buf, max(d.start, d.w-d.limit), d.w, d.w+size, d.seen, d.raw[:], packed)
	d.w += size
	return err
}

func (d *decoder) parameters(b byte) error {
	n := uint32(b)
	m := &d.model
	m.pb, m.lp, m.lc = n/45, n/9%5, n%9
	if n >= 225 || m.lc+m.lp > 4 {
		return corrupt("a chunk's parameters")
	}
	d.props = true
	return nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
