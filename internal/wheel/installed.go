package wheel

import (
	"context"
	_ "embed" // the probe
	"encoding/json"
	"fmt"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

//go:embed installed.py
var installedProbe string

// Installed is what the Python of a root finds.
type Installed struct {
	Python string // its full version
	Dists  []Dist // in the order in which they count; without an owner
}

// ProbeInstalled asks the Python of root which distributions it finds. The answer is cached by root.Key and root.Python.
func ProbeInstalled(ctx context.Context, root Root, c *cache.Dir) (Installed, error) {
	i, err := probed(ctx, root, c, "installed", installedProbe, parseInstalled)
	if err != nil {
		return Installed{}, fmt.Errorf("asking %s which distributions it finds: %w", root.python(), err)
	}
	return i, nil
}

// parseInstalled reads what the probe printed. The image answers, so what it says is checked where it is used.
func parseInstalled(data []byte) (Installed, error) {
	var i Installed
	if err := json.Unmarshal(data, &i); err != nil {
		return Installed{}, fmt.Errorf("reading a Python's distributions: %w", err)
	}
	if _, err := pymeta.ParseVersion(i.Python); err != nil {
		return Installed{}, fmt.Errorf("reading a Python's distributions: %w", err)
	}
	return i, nil
}
