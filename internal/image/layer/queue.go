package layer

import "sync/atomic"

// A queue passes what is written to it on to another goroutine, in blocks: who makes a layer's bytes and
// who compresses them work at the same time. Memory is bounded by its blocks.
type queue struct {
	free, full chan []byte
	block      []byte
	done       chan struct{}
	err        atomic.Pointer[error]
}

const (
	queueBlocks = 4
	queueBlock  = 128 << 10
)

func newQueue() *queue {
	q := &queue{free: make(chan []byte, queueBlocks)}
	for range queueBlocks {
		q.free <- make([]byte, 0, queueBlock)
	}
	return q
}

// start begins to pass blocks on to a writer. Before the next start, end must be called.
func (q *queue) start(write func(block []byte) error) {
	q.full, q.done = make(chan []byte, queueBlocks), make(chan struct{})
	q.err.Store(nil)
	q.block = <-q.free
	go func() {
		defer close(q.done)
		for block := range q.full {
			if q.err.Load() == nil {
				if err := write(block); err != nil {
					q.err.Store(&err)
				}
			}
			q.free <- block[:0]
		}
	}()
}

// Write takes a copy of p. An error of the writer is that of this write or of a later one, or end's.
func (q *queue) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		k := copy(q.block[len(q.block):cap(q.block)], p)
		q.block, p = q.block[:len(q.block)+k], p[k:]
		if len(q.block) < cap(q.block) {
			break
		}
		if err := q.err.Load(); err != nil {
			return 0, *err
		}
		q.full <- q.block
		q.block = <-q.free
	}
	return n, nil
}

// end waits until the writer has all.
func (q *queue) end() error {
	q.full <- q.block
	close(q.full)
	<-q.done
	if err := q.err.Load(); err != nil {
		return *err
	}
	return nil
}
