package wheel

import "strings"

// header is the head of METADATA or WHEEL: RFC 822-like fields, of which only the first of a name counts here.
type header map[string]string

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
			if last != "" {
				h[last] += "\n" + line
			}
			continue
		}
		last = ""
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		name = strings.ToLower(name)
		if _, twice := h[name]; !twice {
			h[name] = strings.TrimSpace(value)
			last = name
		}
	}
	return h
}

// get returns a field, whose name's case does not matter; "" where there is none.
func (h header) get(name string) string { return h[strings.ToLower(name)] }
