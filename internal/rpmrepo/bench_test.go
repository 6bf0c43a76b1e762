package rpmrepo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// stream9 gives the repositories of CentOS Stream 9.
func stream9(b *testing.B) (configs []rpmrepo.Config) {
	b.Helper()
	dir := os.Getenv("SLIPWAY_TESTDATA_CS9")
	if dir == "" {
		b.Skip("SLIPWAY_TESTDATA_CS9 does not name the folder of CentOS Stream 9's metadata")
	}
	for _, name := range []string{"baseos", "appstream"} {
		configs = append(configs, rpmrepo.DefaultConfig(name, filepath.Join(dir, name)))
	}
	return configs
}

// From XML: checksums, decompression, parsing, writing the index and opening it.
func BenchmarkLoadCold(b *testing.B) {
	configs := stream9(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		c := client(b)
		b.StartTimer()
		for _, config := range configs {
			load(b, c, config)
		}
	}
}

// From the index.
func BenchmarkLoadWarm(b *testing.B) {
	configs := stream9(b)
	c := client(b)
	for _, config := range configs {
		load(b, c, config)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, config := range configs {
			load(b, c, config)
		}
	}
}

func BenchmarkFilePackages(b *testing.B) {
	r := load(b, client(b), stream9(b)[0])
	b.ReportAllocs()
	for b.Loop() {
		if found, err := r.FilePackages(b.Context(), "/usr/share/doc/bash"); err != nil || len(found) != 1 {
			b.Fatal(found, err)
		}
	}
}
