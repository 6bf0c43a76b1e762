package wheel

import "strings"

// header is the head of METADATA, WHEEL or PKG-INFO: RFC 822-like fields, by name in lower case.
type header map[string][]string

// parseHeader reads up to the first empty line. Lines that are no fields are passed over, as Python's email parser does.
func parseHeader(data []byte) header {
	h := header{}
	last := ""
	for line := range strings.SplitSeq(string(data), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			if values := h[last]; len(values) > 0 {
				values[len(values)-1] += "\n" + line
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			last = ""
			continue
		}
		last = strings.ToLower(name)
		h[last] = append(h[last], strings.TrimSpace(value))
	}
	return h
}

// get returns the first field of a name, whose case does not matter; "" where there is none.
func (h header) get(name string) string {
	if values := h.all(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// all returns the fields of a name.
func (h header) all(name string) []string { return h[strings.ToLower(name)] }
