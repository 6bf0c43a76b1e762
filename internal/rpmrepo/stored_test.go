package rpmrepo

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestStored(t *testing.T) {
	words := stored[[]string]{"words 1", func(r io.Reader) ([]string, error) {
		data, err := io.ReadAll(r)
		return strings.Fields(string(data)), err
	}}
	var b bytes.Buffer
	if _, err := words.write(&b, strings.NewReader("a lute and a viol")); err != nil {
		t.Fatal(err)
	}
	got, err := words.open(b.Bytes())
	if err != nil || !slices.Equal(got, []string{"a", "lute", "and", "a", "viol"}) {
		t.Errorf("got %q, %v", got, err)
	}
	for i := range b.Len() {
		damaged := bytes.Clone(b.Bytes())
		damaged[i] ^= 4
		if _, err := words.open(damaged); err == nil {
			t.Errorf("byte %d changed, and nobody saw it", i)
		}
		if _, err := words.open(b.Bytes()[:i]); err == nil {
			t.Errorf("%d bytes are enough", i)
		}
	}
	newer := words
	newer.format = "words 2"
	if _, err := newer.open(b.Bytes()); err == nil {
		t.Error("another format is read")
	}
}
