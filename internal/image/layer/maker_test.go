package layer_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/rpm"
)

func maker(t *testing.T, c layer.Compression) *layer.Maker {
	t.Helper()
	d, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return &layer.Maker{Cache: d, Compression: c}
}

func TestFiles(t *testing.T) {
	for _, c := range []layer.Compression{layer.Gzip, layer.Zstd} {
		m := maker(t, c)
		write := func(a *layer.Archive) error {
			return a.Add(layer.Entry{Path: "/f", Mode: rpm.ModeRegular | 0o644, Size: 5}, strings.NewReader("hello"))
		}
		blob, err := m.Files(t.Context(), "k", write)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(blob.Path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := blob.Open()
		if err != nil {
			t.Fatal(err)
		}
		tarBytes, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		if sum(data) != blob.Digest || int64(len(data)) != blob.Size || sum(tarBytes) != blob.DiffID || int64(len(tarBytes)) != blob.TarSize {
			t.Errorf("%s: %+v describes other bytes", c, blob)
		}
		if blob.TarSize != 512+512+1024 {
			t.Errorf("%s: the stream has %d bytes", c, blob.TarSize)
		}
		again, err := m.Files(t.Context(), "k", func(*layer.Archive) error { return errors.New("made again") })
		if err != nil || again != blob {
			t.Errorf("%s: second call: %+v, %v", c, again, err)
		}
	}
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

func TestEntriesRefused(t *testing.T) {
	m := maker(t, layer.Gzip)
	for name, e := range map[string]layer.Entry{
		"relative":  {Path: "f", Mode: rpm.ModeRegular},
		"climbing":  {Path: "/a/../f", Mode: rpm.ModeRegular},
		"device":    {Path: "/d", Mode: rpm.ModeChar | 0o666},
		"socket":    {Path: "/s", Mode: rpm.ModeSocket | 0o666},
		"long":      {Path: "/" + strings.Repeat("x", 2<<20), Mode: rpm.ModeRegular},
		"too short": {Path: "/f", Mode: rpm.ModeRegular, Size: 10},
		"too long":  {Path: "/f", Mode: rpm.ModeRegular, Size: 2},
	} {
		_, err := m.Files(t.Context(), name, func(a *layer.Archive) error { return a.Add(e, strings.NewReader("hello")) })
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := maker(t, layer.Gzip)
	_, err := m.Files(ctx, "k", func(a *layer.Archive) error {
		cancel()
		return a.Add(layer.Entry{Path: "/f", Mode: rpm.ModeRegular, Size: 1 << 30}, zeros{})
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestCompressionCheck(t *testing.T) {
	for _, c := range []struct {
		c     layer.Compression
		level int
		ok    bool
	}{
		{layer.Gzip, 0, true}, {layer.Gzip, 9, true}, {layer.Gzip, 10, false}, {layer.Zstd, 4, true}, {layer.Zstd, 5, false}, {"xz", 0, false}, {layer.Gzip, -1, false},
	} {
		if err := c.c.Check(c.level); (err == nil) != c.ok {
			t.Errorf("%s %d: %v", c.c, c.level, err)
		}
	}
}

func TestReader(t *testing.T) {
	for _, text := range []string{"", "x", "plain text"} {
		r, err := layer.Reader(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != text {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if r, err := layer.Reader(bytes.NewReader([]byte{0x28, 0xb5, 0x2f, 0xfd, 0})); err == nil {
		if _, err := io.ReadAll(r); err == nil {
			t.Error("a broken frame is read")
		}
	}
}
