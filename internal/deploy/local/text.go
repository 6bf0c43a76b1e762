package local

import (
	"strings"
	"unicode"

	"github.com/slipway-build/slipway/internal/terminal"
)

// maxText is how much of what a workload said an error repeats, in bytes.
const maxText = 400

// printable makes what a workload said fit for a terminal and a message: of one
// line, not endlessly long, and without what a terminal would obey.
func printable(s string) string {
	cut := len(s) > maxText
	if cut {
		s = s[:maxText]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == unicode.ReplacementChar, terminal.Obeys(r):
			return -1
		}
		return r
	}, s)
	if cut {
		s += "…"
	}
	return s
}
