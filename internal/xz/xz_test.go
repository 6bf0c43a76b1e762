package xz_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"

	other "github.com/ulikunitz/xz"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/xz"
)

const limit = 128 << 20

// samples are contents of different kinds.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 60_000)
	words := []string{"the ", "quick ", "brown ", "fox", "\n", "jumps over ", "0123456789", strings.Repeat("a", 300)}
	var text, mixed strings.Builder
	table := make([]byte, 0, 100_000) // columns of numbers, which want other parameters
	for i := range random {
		random[i] = byte(r.Uint32())
		text.WriteString(words[r.IntN(len(words))])
		if r.IntN(3) == 0 {
			mixed.WriteByte(byte(r.Uint32()))
		} else {
			mixed.WriteString(words[r.IntN(len(words))])
		}
		if len(table) < 100_000 {
			table = append(table, byte(i), byte(i>>8), 0, byte(r.IntN(4)))
		}
	}
	large := bytes.Repeat(random, 40) // beyond small dictionaries
	return map[string][]byte{
		"empty": nil, "one": {'x'}, "random": random, "text": []byte(text.String()), "mixed": []byte(mixed.String()),
		"zeros": make([]byte, 3<<20), "table": table, "large": large,
	}
}

func packed(t testing.TB, content []byte, options ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "xz", append([]string{"--stdout"}, options...)...)
	cmd.Stdin = bytes.NewReader(content)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(x *xz.Reader, r io.Reader) ([]byte, error) {
	if err := x.Reset(r); err != nil {
		return nil, err
	}
	return io.ReadAll(x)
}

// TestAsPacked reads what xz has packed, in one way after the other with the same Reader.
func TestAsPacked(t *testing.T) {
	oracle.Need(t, "xz")
	all := samples()
	x, err := xz.NewReader(bytes.NewReader(packed(t, nil)), limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, options := range []string{
		"-6", "-0", "-9e", "--check=none", "--check=crc32", "--check=sha256", "--block-size=70000", "-T2 --block-size=100000",
		"--lzma2=preset=6,dict=4KiB", "--lzma2=preset=1,lc=0,lp=4,pb=0", "--lzma2=lc=4,lp=0,pb=4", "--lzma2=preset=3,lc=1,lp=2,pb=1,nice=273",
	} {
		var streams, contents bytes.Buffer
		for name, content := range all {
			stream := packed(t, content, strings.Fields(options)...)
			for how, r := range map[string]io.Reader{"whole": bytes.NewReader(stream), "halves": iotest.HalfReader(bytes.NewReader(stream))} {
				if got, err := read(x, r); err != nil || !bytes.Equal(got, content) {
					t.Errorf("%s with %s, %s: %d bytes of %d, %v", name, options, how, len(got), len(content), err)
				}
			}
			streams.Write(stream)
			streams.Write(make([]byte, 4*(len(content)%3)))
			contents.Write(content)
		}
		if got, err := read(x, &streams); err != nil || !bytes.Equal(got, contents.Bytes()) {
			t.Errorf("streams with %s: %d bytes of %d, %v", options, len(got), contents.Len(), err)
		}
	}
}

func library(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := other.WriterConfig{DictCap: 1 << 16, CheckSum: other.CRC32}.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBroken(t *testing.T) {
	stream := library(t, samples()["mixed"][:3000])
	x, err := xz.NewReader(bytes.NewReader(stream), limit)
	if err != nil {
		t.Fatal(err)
	}
	for n := range stream {
		if _, err := read(x, bytes.NewReader(stream[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes of %d: %v", n, len(stream), err)
		}
	}
	for i := range stream {
		changed := bytes.Clone(stream)
		changed[i] ^= 0x10
		if _, err := read(x, bytes.NewReader(changed)); err == nil {
			t.Errorf("byte %d was changed, and nobody noticed", i)
		}
	}
	for name, data := range map[string][]byte{
		"padding of two bytes": append(bytes.Clone(stream), 0, 0), "something behind it": append(bytes.Clone(stream), "some more text"...),
	} {
		if _, err := read(x, bytes.NewReader(data)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	broken := errors.New("broken")
	if _, err := read(x, io.MultiReader(bytes.NewReader(stream[:300]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestLimit(t *testing.T) {
	stream := library(t, []byte("text"))
	for _, c := range []struct {
		limit int
		fine  bool
	}{{1 << 16, true}, {1<<16 - 1, false}} {
		x, err := xz.NewReader(bytes.NewReader(stream), c.limit)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(x); (err == nil) != c.fine {
			t.Errorf("with a limit of %d: %v", c.limit, err)
		}
	}
}

// FuzzReader holds what is read against what another library reads, of streams that both take.
func FuzzReader(f *testing.F) {
	for _, content := range samples() {
		f.Add(library(f, content[:min(len(content), 3000)]))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		x, err := xz.NewReader(bytes.NewReader(stream), 1<<20)
		if err != nil {
			return
		}
		got, err := io.ReadAll(io.LimitReader(x, 1<<20))
		if err != nil {
			return
		}
		o, err := other.NewReader(bytes.NewReader(stream))
		if err != nil {
			return
		}
		want, err := io.ReadAll(io.LimitReader(o, 1<<20))
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, and %d by another library", len(got), len(want))
		}
	})
}

func BenchmarkReader(b *testing.B) {
	content := samples()["mixed"]
	stream := library(b, content)
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(content)))
		x, _ := xz.NewReader(bytes.NewReader(stream), limit)
		for b.Loop() {
			if err := x.Reset(bytes.NewReader(stream)); err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, x); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ulikunitz", func(b *testing.B) {
		b.SetBytes(int64(len(content)))
		for b.Loop() {
			x, err := other.NewReader(bytes.NewReader(stream))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, x); err != nil {
				b.Fatal(err)
			}
		}
	})
}
