package pymeta

import "strings"

// NormalizeName returns a project's name as PEP 503 compares names: in lower case, with every run of '-', '_' and
// '.' as one '-'.
func NormalizeName(name string) string { return normalize(name, "-_.") }

// NormalizeLegacy returns a project's name as setuptools' older rule has it, which keeps dots: only runs of '-' and
// '_' become one '-'.
func NormalizeLegacy(name string) string { return normalize(name, "-_") }

func normalize(name, separators string) string {
	var b strings.Builder
	b.Grow(len(name))
	run := false
	for i := range len(name) {
		c := name[i]
		if strings.IndexByte(separators, c) >= 0 {
			if !run {
				b.WriteByte('-')
			}
			run = true
			continue
		}
		run = false
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}
