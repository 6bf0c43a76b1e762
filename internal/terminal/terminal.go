// Package terminal knows what a stranger's text could do to the terminal that shows it.
//
// Commit subjects, file names, a backend's output, a registry's answers and a workload's last words
// are all somebody else's. Each place has its own idea of lines and lengths; which characters are
// dangerous is said here, once.
package terminal

import "unicode"

// Obeys says whether a terminal may obey the character instead of showing it: control characters
// (Unicode's Cc, so ESC, line ends and tabs among them), and the marks that turn the direction of
// writing (Unicode's Bidi_Control), which make a text look like another one.
func Obeys(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
