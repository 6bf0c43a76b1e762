package inflate_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	klauspost "github.com/klauspost/compress/gzip"

	"github.com/slipway-build/slipway/internal/inflate"
)

// samples are contents of different kinds.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 300_000)
	words := []string{"the ", "quick ", "brown ", "fox", "\n", "jumps over ", "0123456789", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
	var text, mixed, few strings.Builder
	for i := range random {
		random[i] = byte(r.Uint32())
		text.WriteString(words[r.IntN(len(words))])
		few.WriteByte("ab"[r.IntN(2)])
		if r.IntN(3) == 0 {
			mixed.WriteByte(byte(r.Uint32()))
		} else {
			mixed.WriteString(words[r.IntN(len(words))])
		}
	}
	var skewed bytes.Buffer // a code with long and short words
	for range 400_000 {
		n := 0
		for n < 200 && r.IntN(2) == 0 {
			n++
		}
		skewed.WriteByte(byte(n * 7))
	}
	return map[string][]byte{
		"empty": nil, "one": {'x'}, "random": random, "text": []byte(text.String()), "mixed": []byte(mixed.String()),
		"few": []byte(few.String()), "zeros": make([]byte, 3<<20), "skewed": skewed.Bytes(),
	}
}

func packed(t testing.TB, level int, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Name, w.Comment, w.Extra = "name", "comment", []byte("extra")
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSamples(t *testing.T) {
	z, err := inflate.NewReader(bytes.NewReader(packed(t, 6, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range samples() {
		for _, level := range []int{gzip.HuffmanOnly, 0, 1, 6, 9} {
			stream := packed(t, level, content)
			for how, r := range map[string]io.Reader{
				"whole": bytes.NewReader(stream), "halves": iotest.HalfReader(bytes.NewReader(stream)), "bytes": iotest.OneByteReader(bytes.NewReader(stream)),
				"with its end": iotest.DataErrReader(bytes.NewReader(stream)),
			} {
				if err := z.Reset(r); err != nil {
					t.Fatalf("%s at %d, %s: %v", name, level, how, err)
				}
				got, err := io.ReadAll(struct{ io.Reader }{z})
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("%s at %d, %s: %d bytes of %d, %v", name, level, how, len(got), len(content), err)
				}
			}
		}
	}
}

// TestMembers reads a row of members, as layers are made of.
func TestMembers(t *testing.T) {
	var stream, want bytes.Buffer
	for range 3 {
		for _, content := range samples() {
			stream.Write(packed(t, 1, content))
			want.Write(content)
		}
	}
	z, err := inflate.NewReader(&stream)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if n, err := z.WriteTo(&got); err != nil || n != int64(want.Len()) || !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes of %d, %v", n, want.Len(), err)
	}
}

func TestBroken(t *testing.T) {
	content := samples()["mixed"][:2000]
	stream := packed(t, 6, content)
	for n := range stream {
		if _, err := all(stream[:n]); err == nil || errors.Is(err, io.EOF) && n > 0 {
			t.Errorf("%d bytes of %d: %v", n, len(stream), err)
		}
	}
	for i := range stream {
		changed := bytes.Clone(stream)
		changed[i] ^= 0x10
		got, err := all(changed)
		if want, wantErr := standard(changed); (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Errorf("byte %d changed: %d bytes, %v; the standard library: %d bytes, %v", i, len(got), err, len(want), wantErr)
		}
	}
	broken := errors.New("broken")
	if _, err := read(io.MultiReader(bytes.NewReader(stream[:500]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func read(r io.Reader) ([]byte, error) {
	z, err := inflate.NewReader(r)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(struct{ io.Reader }{z})
}

func all(stream []byte) ([]byte, error) { return read(bytes.NewReader(stream)) }

func standard(stream []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(stream))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// FuzzReader holds what is read against what the standard library reads.
func FuzzReader(f *testing.F) {
	for _, content := range samples() {
		for _, level := range []int{gzip.HuffmanOnly, 0, 1, 9} {
			f.Add(packed(f, level, content[:min(len(content), 5000)]))
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := all(stream)
		want, wantErr := standard(stream)
		if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) && err == nil {
			t.Fatalf("%d bytes, %v; the standard library: %d bytes, %v", len(got), err, len(want), wantErr)
		}
		if err != nil && !bytes.HasPrefix(want, got) && !bytes.HasPrefix(got, want) {
			t.Fatalf("before %v came other bytes than before the standard library's %v", err, wantErr)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	for _, name := range []string{"text", "mixed", "skewed"} {
		content := samples()[name]
		stream := packed(b, 6, content)
		b.Run(name+"/ours", func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			z, _ := inflate.NewReader(bytes.NewReader(stream))
			for b.Loop() {
				if err := z.Reset(bytes.NewReader(stream)); err != nil {
					b.Fatal(err)
				}
				if _, err := z.WriteTo(io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/klauspost", func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			z, _ := klauspost.NewReader(bytes.NewReader(stream))
			for b.Loop() {
				if err := z.Reset(bytes.NewReader(stream)); err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, z); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
