package image_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	if dir := os.Getenv(childVariable); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
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
	packages, err := lockFiles(paths)
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

func lockFiles(paths []string) ([]image.BasePackage, error) {
	var list []lock.Package
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		p, err := rpm.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		list = append(list, lock.Package{
			NEVRA: p.NEVRA(), SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data)),
			Source: p.SourceRPM(), Roots: []string{"web"},
		})
	}
	lock.Plan(list, 0)
	out := make([]image.BasePackage, len(list))
	for i := range list {
		out[i] = image.BasePackage{Package: list[i], Path: paths[i]}
	}
	return out, nil
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
