package wheel

import (
	"context"

	"github.com/slipway-build/slipway/internal/cache"
)

// ProbeScheme asks the Python of root where pip, run by root in the image, would put things. The answer is cached by
// root.Key and root.Python.
func ProbeScheme(ctx context.Context, root Root, c *cache.Dir) (Scheme, error) { panic("body follows") }
