package config

import (
	"fmt"
	"strings"
)

// suggest ends a message about an unknown word with the nearest valid one, or with all of them where
// none is near and they are few.
func suggest(word string, valid []string) string {
	best, bestDist := "", 1+len(word)/2
	var list []string
	for _, v := range valid {
		if v == "-" {
			continue
		}
		list = append(list, v)
		if d := distance(word, v); d < bestDist {
			best, bestDist = v, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %q?", best)
	case len(list) == 0:
		return "; there are none"
	default:
		return "; there are " + strings.Join(list, ", ")
	}
}

// distance counts the letters to insert, delete, replace or swap with a neighbour to make a into b
// (optimal string alignment).
func distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
