package repodata

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func cs9(t testing.TB, pattern string) [][]byte {
	dir := os.Getenv("SLIPWAY_TESTDATA_CS9")
	if dir == "" {
		t.Skip("SLIPWAY_TESTDATA_CS9 does not name the folder of CentOS Stream 9's metadata")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*", "repodata", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s in %s", pattern, dir)
	}
	var all [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}

func BenchmarkPrimaryCold(b *testing.B) {
	files := cs9(b, "*-primary.xml.gz")
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range files {
			r, err := Decompress(bytes.NewReader(f))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := WritePrimaryIndex(io.Discard, r); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkPrimaryWarm(b *testing.B) {
	var indexes [][]byte
	for _, f := range cs9(b, "*-primary.xml.gz") {
		r, err := Decompress(bytes.NewReader(f))
		if err != nil {
			b.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := WritePrimaryIndex(&out, r); err != nil {
			b.Fatal(err)
		}
		indexes = append(indexes, out.Bytes())
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, data := range indexes {
			x, err := OpenIndex(data)
			if err != nil {
				b.Fatal(err)
			}
			if len(x.Named("bash")) > 100 {
				b.Fatal("bash")
			}
		}
	}
}
