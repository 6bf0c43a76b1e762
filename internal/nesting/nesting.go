// Package nesting bounds how deep the brackets of a YAML text may nest, before it is parsed: the time
// that the parser needs grows with the third power of the depth.
package nesting

import "fmt"

// Max is how deep brackets may nest. Texts that people write stay below 20; what is counted here
// besides are unpaired brackets in strings and comments, of which a text may have some.
const Max = 1000

// Check reports a text whose brackets nest deeper than Max.
func Check(text []byte) error {
	depth := 0
	line := 1
	for _, c := range text {
		switch c {
		case '\n':
			line++
		case '[', '{':
			if depth++; depth > Max {
				return fmt.Errorf("line %d: brackets nest more than %d deep", line, Max)
			}
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return nil
}
