package rpm

import (
	"bufio"
	"io"
	"strconv"
)

// cpioReader reads the archive inside a payload: "newc" members, and rpm's
// stripped ones that name a file by its index alone (rpm documentation,
// "Payload format").
type cpioReader struct {
	r *bufio.Reader
	n int64 // bytes read so far, for alignment
}

// cpioMember is the head of one member. index is -1 unless it is stripped; a
// stripped member has neither name nor size nor mode.
type cpioMember struct {
	index int
	name  string
	mode  uint32
	size  int64
}

const (
	newcMagic     = "070701"
	newcCRCMagic  = "070702"
	strippedMagic = "07070X"
	newcFields    = 13
	trailerName   = "TRAILER!!!"
)

func (c *cpioReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// next reads a member's head; at the trailer it returns io.EOF.
func (c *cpioReader) next() (cpioMember, error) {
	if err := c.align(); err != nil {
		return cpioMember{}, err
	}
	magic := make([]byte, len(newcMagic))
	if err := c.full(magic); err != nil {
		return cpioMember{}, err
	}
	switch string(magic) {
	case newcMagic, newcCRCMagic:
		return c.newc()
	case strippedMagic:
		return c.stripped()
	}
	return cpioMember{}, malformed("payload", "%q does not start a member of an archive", magic)
}

func (c *cpioReader) newc() (cpioMember, error) {
	fields := make([]byte, 8*newcFields)
	if err := c.full(fields); err != nil {
		return cpioMember{}, err
	}
	var values [newcFields]uint32
	for i := range values {
		n, err := hex32(fields[8*i : 8*i+8])
		if err != nil {
			return cpioMember{}, err
		}
		values[i] = n
	}
	length := values[11]
	if length < 2 || length > maxPath+3 { // "./" in front, NUL behind
		return cpioMember{}, malformed("payload", "a member's name is %d bytes long", length)
	}
	name := make([]byte, length)
	if err := c.full(name); err != nil {
		return cpioMember{}, err
	}
	if name[length-1] != 0 {
		return cpioMember{}, malformed("payload", "a member's name does not end")
	}
	m := cpioMember{index: -1, name: string(name[:length-1]), mode: values[1], size: int64(values[6])}
	if m.name == trailerName {
		return m, io.EOF
	}
	return m, c.align()
}

func (c *cpioReader) stripped() (cpioMember, error) {
	field := make([]byte, 8)
	if err := c.full(field); err != nil {
		return cpioMember{}, err
	}
	index, err := hex32(field)
	if err != nil {
		return cpioMember{}, err
	}
	return cpioMember{index: int(index)}, c.align()
}

func hex32(b []byte) (uint32, error) {
	n, err := strconv.ParseUint(string(b), 16, 32)
	if err != nil {
		return 0, malformed("payload", "%q is no number of an archive", b)
	}
	return uint32(n), nil
}

// align passes the padding behind a name or content.
func (c *cpioReader) align() error {
	var padding [3]byte
	return c.full(padding[:-c.n&3])
}

// full reads all of b, or says that the archive ends too early.
func (c *cpioReader) full(b []byte) error {
	_, err := io.ReadFull(c, b)
	return payloadError(err)
}

func payloadError(err error) error {
	if err == nil {
		return nil
	}
	return partError("payload", err)
}
