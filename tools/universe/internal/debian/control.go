package debian

import "strings"

// Control is one paragraph of control data: field names as written, values with
// the lines that continue them, joined by newlines.
type Control map[string]string

// ParseControl reads the first paragraph of text (deb822(5)). Lines that are no
// field are skipped: the callers need a few well-known fields and judge these.
func ParseControl(text string) Control {
	c := Control{}
	last := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			if len(c) > 0 {
				break
			}
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			if last != "" {
				c[last] += "\n" + line[1:]
			}
			continue
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			last = name
			c[last] = strings.TrimSpace(value)
		}
	}
	return c
}
