package sandbox_test

import (
	"testing"

	"github.com/slipway-build/slipway/internal/sandbox"
	"github.com/slipway-build/slipway/internal/sandbox/sandboxtest"
)

// What a sandbox costs beside its command: here, a small program that ends at
// once.
func BenchmarkRun(b *testing.B) {
	s := sandbox.Spec{Lower: []string{sandboxtest.Root(b)}, Args: []string{"/bin/helper", "exit", "0"}}
	for _, limits := range []struct {
		name string
		sandbox.Limits
	}{{"free", sandbox.Limits{}}, {"limited", sandbox.Limits{Memory: 1 << 30, Processes: 100}}} {
		b.Run(limits.name, func(b *testing.B) {
			s.Limits = limits.Limits
			for b.Loop() {
				if _, err := sandbox.Run(b.Context(), s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
