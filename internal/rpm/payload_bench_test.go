package rpm_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// BenchmarkPayload reads a payload of 1 MB, which is half text and half noise, in each compression.
func BenchmarkPayload(b *testing.B) {
	const size = 1 << 20
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(random.Uint32())
		if i/4096%2 == 0 {
			data[i] = "the quick brown fox"[int(data[i])%19]
		}
	}
	for _, compression := range []string{"none", "gzip", "zstd", "xz", "lzma"} {
		b.Run(compression, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "a.rpm")
			err := rpmwrite.WriteFile(file, rpmwrite.Spec{
				Name: "a", EVR: rpm.EVR{Version: "1", Release: "1"}, Arch: "noarch", Compression: compression,
				Files: []rpmwrite.File{rpmwrite.Text("/data", string(data))},
			})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(size)
			for b.Loop() {
				readPayload(b, file)
			}
		})
	}
}

func readPayload(b *testing.B, file string) {
	b.Helper()
	p, err := rpm.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	payload, err := p.Payload()
	if err != nil {
		b.Fatal(err)
	}
	defer payload.Close()
	for {
		_, content, err := payload.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			b.Fatal(err)
		}
	}
}
