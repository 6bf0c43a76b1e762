package native

import (
	_ "embed" // the probe
	"encoding/json"
	"fmt"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// Probe is a program for the build root's Python; [ParseEnvironment] reads what it prints.
//
//go:embed environment.py
var Probe string

// ParseEnvironment reads what [Probe] printed.
func ParseEnvironment(data []byte) (Environment, error) {
	var e struct {
		Python, Machine string
		Dists           map[string]string
		Plugins         map[string][]string
		WheelCommand    string `json:"wheel_command"`
		Sorts           bool   `json:"sorts_requirements"`
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return Environment{}, fmt.Errorf("reading what a Python has installed: %w", err)
	}
	if _, err := pymeta.ParseVersion(e.Python); err != nil {
		return Environment{}, fmt.Errorf("reading what a Python has installed: %w", err)
	}
	return Environment(e), nil
}
