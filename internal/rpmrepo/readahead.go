package rpmrepo

import "io"

// ahead reads from another goroutine, so that decompressing and parsing go on side by side.
type ahead struct {
	full  chan chunk // never blocks: it has room for every buffer there is
	empty chan []byte
	stop  chan struct{}
	now   chunk
	rest  []byte // of now, not yet given
	size  int64  // what r is said to hold, 0 if that is not known
}

// chunk is what was read into a buffer, and the error that ended it.
type chunk struct {
	data []byte
	err  error
}

const (
	aheadChunks    = 4
	aheadChunkSize = 256 << 10
)

// readAhead starts to read r, of which size is said to be the length. close must be called, and ends
// it.
func readAhead(r io.Reader, size int64) *ahead {
	a := &ahead{
		size: size,
		full: make(chan chunk, aheadChunks), empty: make(chan []byte, aheadChunks), stop: make(chan struct{}),
	}
	for range aheadChunks {
		a.empty <- make([]byte, aheadChunkSize)
	}
	go a.run(r)
	return a
}

// Size is how much there is to read, if that was said.
func (a *ahead) Size() int64 { return a.size }

func (a *ahead) run(r io.Reader) {
	defer close(a.full)
	for {
		select {
		case <-a.stop:
			return
		case buf := <-a.empty:
			c := fill(r, buf)
			a.full <- c
			if c.err != nil {
				return
			}
		}
	}
}

// fill reads until the buffer is full or something ends it.
func fill(r io.Reader, buf []byte) chunk {
	n := 0
	for n < len(buf) {
		m, err := r.Read(buf[n:])
		n += m
		if err != nil {
			return chunk{buf[:n], err}
		}
	}
	return chunk{buf, nil}
}

// Read gives what was read, in order, and then the error that ended it, again and again.
func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.now.err != nil {
			return 0, a.now.err
		}
		if a.now.data != nil {
			a.empty <- a.now.data
		}
		a.now = <-a.full
		a.rest = a.now.data
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// close ends the reading and waits for the end.
func (a *ahead) close() {
	close(a.stop)
	for range a.full {
	}
}
