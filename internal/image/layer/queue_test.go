package layer

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

func TestQueue(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	q := newQueue()
	for range 20 {
		var want, got bytes.Buffer
		q.start(func(block []byte) error {
			got.Write(block)
			return nil
		})
		for range r.IntN(30) {
			p := make([]byte, r.IntN(2*queueBlock))
			for i := range p {
				p[i] = byte(r.Uint32())
			}
			want.Write(p)
			if n, err := q.Write(p); n != len(p) || err != nil {
				t.Fatal(n, err)
			}
			clear(p) // it was copied
		}
		if err := q.end(); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("%d bytes came of %d, %v", got.Len(), want.Len(), err)
		}
	}
}

// TestQueueError has the writer fail: whoever writes on hears of it, at the end at the latest, and
// nobody waits for anybody.
func TestQueueError(t *testing.T) {
	broken := errors.New("broken")
	q := newQueue()
	for _, size := range []int{1, 100 * queueBlock} {
		q.start(func([]byte) error { return broken })
		_, err := q.Write(make([]byte, size))
		if size > 1 && !errors.Is(err, broken) {
			t.Errorf("%d bytes were taken: %v", size, err)
		}
		if err := q.end(); !errors.Is(err, broken) {
			t.Errorf("at the end: %v", err)
		}
	}
	q.start(func([]byte) error { return nil })
	if err := q.end(); err != nil {
		t.Errorf("the next one inherits %v", err)
	}
}
