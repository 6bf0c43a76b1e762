package rpmrepo

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestReadAhead(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 200_000)
	bad := errors.New("bad")
	for name, test := range map[string]struct {
		r    io.Reader
		want []byte
		err  error
	}{
		"empty":  {bytes.NewReader(nil), nil, nil},
		"short":  {bytes.NewReader(data[:7]), data[:7], nil},
		"exact":  {bytes.NewReader(data[:2*aheadChunkSize]), data[:2*aheadChunkSize], nil},
		"long":   {bytes.NewReader(data), data, nil},
		"halves": {iotest.HalfReader(bytes.NewReader(data)), data, nil},
		"with":   {iotest.DataErrReader(bytes.NewReader(data)), data, nil},
		"error":  {io.MultiReader(bytes.NewReader(data), iotest.ErrReader(bad)), data, bad},
	} {
		a := readAhead(test.r, 0)
		got, err := io.ReadAll(a)
		if !bytes.Equal(got, test.want) || !errors.Is(err, test.err) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		end := test.err
		if end == nil {
			end = io.EOF
		}
		if n, again := a.Read(make([]byte, 1)); n > 0 || !errors.Is(again, end) {
			t.Errorf("%s: then %d bytes, %v", name, n, again)
		}
		a.close()
	}
}

// One who stops early leaves nobody reading.
func TestReadAheadStops(t *testing.T) {
	endless := &counting{}
	a := readAhead(endless, 0)
	if _, err := io.ReadFull(a, make([]byte, 3*aheadChunkSize)); err != nil {
		t.Fatal(err)
	}
	a.close()
	if n := endless.n; n > (3+aheadChunks+1)*aheadChunkSize {
		t.Errorf("%d bytes were read", n)
	}
	readAhead(endless, 0).close()
}

type counting struct{ n int }

func (c *counting) Read(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}
