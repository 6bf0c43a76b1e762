package resolve_test

import (
	"context"
	"testing"

	"github.com/slipway-build/slipway/internal/resolve"
)

// BenchmarkCS9 resolves an ordinary request on CentOS Stream 9, the repositories being loaded.
func BenchmarkCS9(b *testing.B) {
	loaded, _ := cs9(b)
	var memory resolve.Memory
	for _, q := range []question{
		{"one", []string{"bash"}},
		{"three", []string{"python3-requests", "nginx", "git"}},
		{"large", []string{"httpd", "php", "mariadb-server", "java-11-openjdk"}},
	} {
		b.Run(q.kind, func(b *testing.B) {
			p := problemOf(b, loaded, q)
			p.Memory = &memory
			b.ReportAllocs()
			start := processorTime(b)
			for b.Loop() {
				if _, err := resolve.Resolve(context.Background(), p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(processorTime(b)-start)/float64(b.N), "cpu-ns/op")
		})
	}
}
