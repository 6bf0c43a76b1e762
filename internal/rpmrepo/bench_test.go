package rpmrepo_test

import "testing"

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
