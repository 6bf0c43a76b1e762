package rpm

import "strings"

// IsGlob says whether a text is a pattern rather than a name: whether it has one of *, ? and [.
func IsGlob(text string) bool { return strings.ContainsAny(text, "*?[") }

// Glob says whether text fits a pattern as fnmatch(3) without flags has it, which is what dnf uses:
// "*" is any bytes, slashes too, "?" one byte, "[a-z]" and "[!a-z]" one byte that is or is not in the
// set, and a backslash takes the meaning from what follows. A "[" that nothing closes is itself.
func Glob(pattern, text string) bool {
	p, t := 0, 0
	// Where the last "*" was, and how much of the text it took: when things go wrong, it takes more.
	star, taken := -1, 0
	for t < len(text) || p < len(pattern) {
		if p < len(pattern) && pattern[p] == '*' {
			star, taken = p, t
			p++
			continue
		}
		if t < len(text) {
			if n, ok := fits(pattern[p:], text[t]); ok {
				p += n
				t++
				continue
			}
		}
		if star < 0 || taken == len(text) {
			return false
		}
		taken++
		p, t = star+1, taken
	}
	return true
}

// fits says whether a byte fits the first element of a pattern, and how long that is.
func fits(pattern string, c byte) (n int, ok bool) {
	if pattern == "" {
		return 0, false
	}
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		if n, ok, closed := inSet(pattern, c); closed {
			return n, ok
		}
	case '\\':
		if len(pattern) > 1 {
			return 2, pattern[1] == c
		}
	}
	return 1, pattern[0] == c
}

// inSet looks for a byte in the set "[...]" at the start of a pattern. A "]" right after the start
// belongs to the set.
func inSet(pattern string, c byte) (n int, ok, closed bool) {
	i, negated := 1, false
	if i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
		negated = true
		i++
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return i + 1, ok != negated, true
		}
		low := pattern[i]
		if low == '\\' && i+1 < len(pattern) {
			i++
			low = pattern[i]
		}
		i++
		high := low
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			high = pattern[i+1]
			i += 2
			if high == '\\' && i < len(pattern) {
				high = pattern[i]
				i++
			}
		}
		ok = ok || low <= c && c <= high
	}
	return 0, false, false
}
