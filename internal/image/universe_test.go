package image_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

// universe gives the packages of the folder that SLIPWAY_UNIVERSE names, as a lock would.
func universe(t testing.TB) []image.BasePackage {
	t.Helper()
	dir := os.Getenv("SLIPWAY_UNIVERSE")
	if dir == "" {
		t.Skip("SLIPWAY_UNIVERSE does not name a folder with RPMs (go run ./cmd/universe makes one)")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "Packages", "*.rpm"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s/Packages holds no RPMs: %v", dir, err)
	}
	return locked(t, paths)
}

// locked makes a lock of RPM files.
func locked(t testing.TB, paths []string) []image.BasePackage {
	t.Helper()
	var list []lock.Package
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		h := sha256.New()
		n, err := io.Copy(h, f)
		if err != nil {
			t.Fatal(err)
		}
		p, err := rpm.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		list = append(list, lock.Package{
			NEVRA: p.NEVRA(), SHA256: hex.EncodeToString(h.Sum(nil)), Size: n,
			Source: p.SourceRPM(), Roots: []string{"web"},
		})
	}
	lock.Plan(list, 0)
	out := make([]image.BasePackage, len(list))
	for i := range list {
		out[i] = image.BasePackage{Package: list[i], Path: paths[i]}
	}
	return out
}

func builder(t testing.TB) *image.Builder {
	t.Helper()
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &image.Builder{Cache: c, Log: slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

func TestUniverse(t *testing.T) {
	packages := universe(t)
	b := builder(t)
	start := time.Now()
	img, err := b.Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64"})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("base: %v", time.Since(start))
	var total int64
	for _, l := range img.BlobLayers() {
		n, _ := l.Size()
		total += n
	}
	d, _ := img.Digest()
	t.Logf("%d layers, %d bytes, %s", len(img.BlobLayers()), total, d)
	start = time.Now()
	if _, err := b.Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64"}); err != nil {
		t.Fatal(err)
	}
	t.Logf("again: %v", time.Since(start))
	if out := os.Getenv("SLIPWAY_TEST_LAYOUT"); out != "" {
		if err := image.WriteLayout(out, "base", img); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkUniverse makes the base image of the universe from RPM files alone.
func BenchmarkUniverse(b *testing.B) {
	packages := universe(b)
	spec := image.BaseSpec{Packages: packages, Arch: "x86_64"}
	for b.Loop() {
		builder := builder(b)
		builder.Log = nil
		if _, err := builder.Base(b.Context(), spec); err != nil {
			b.Fatal(err)
		}
	}
}
