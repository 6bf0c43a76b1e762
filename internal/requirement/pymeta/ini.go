package pymeta

import (
	"fmt"
	"strings"
)

// iniFile is a file in the format of Python's configparser: sections in brackets, "key = value" or "key: value",
// values continued on indented lines, whole-line comments with # or ;.
type iniFile struct {
	sections map[string]*iniSection
	order    []string
}

type iniSection struct {
	values map[string]*iniValue
	keys   []string
}

// iniValue is a value with the lines it is made of. The first is what stands after the key, perhaps empty.
type iniValue struct {
	line  int
	lines []iniLine
}

type iniLine struct {
	text string
	line int
}

// text joins the lines of a value.
func (v *iniValue) text() string {
	lines := make([]string, len(v.lines))
	for i, l := range v.lines {
		lines[i] = l.text
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// section returns a section, or an empty one.
func (f *iniFile) section(name string) *iniSection {
	if s := f.sections[name]; s != nil {
		return s
	}
	return &iniSection{values: map[string]*iniValue{}}
}

// iniError is a line that is not in the format.
type iniError struct {
	line    int
	message string
}

func (e *iniError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.message) }

// parseINI reads a file. With an error, what came before it is returned too.
func parseINI(text string) (*iniFile, error) {
	f := &iniFile{sections: map[string]*iniSection{}}
	var section *iniSection
	var value *iniValue
	indent := 0
	for i, raw := range strings.Split(text, "\n") {
		line := i + 1
		trimmed := strings.TrimSpace(raw)
		if trimmed == "" {
			continue
		}
		if trimmed[0] == '#' || trimmed[0] == ';' {
			continue
		}
		depth := len(raw) - len(strings.TrimLeft(raw, " \t"))
		if value != nil && depth > indent {
			value.lines = append(value.lines, iniLine{text: trimmed, line: line})
			continue
		}
		indent, value = depth, nil
		if trimmed[0] == '[' {
			name, _, ok := strings.Cut(trimmed[1:], "]")
			if !ok {
				return f, &iniError{line: line, message: "the section's bracket is not closed"}
			}
			section = f.sections[name]
			if section == nil {
				section = &iniSection{values: map[string]*iniValue{}}
				f.sections[name] = section
				f.order = append(f.order, name)
			}
			continue
		}
		if section == nil {
			return f, &iniError{line: line, message: "no section has begun"}
		}
		end := strings.IndexAny(trimmed, "=:")
		if end <= 0 {
			return f, &iniError{line: line, message: fmt.Sprintf("%q is not key = value", trimmed)}
		}
		key := strings.ToLower(strings.TrimSpace(trimmed[:end]))
		value = &iniValue{line: line, lines: []iniLine{{text: strings.TrimSpace(trimmed[end+1:]), line: line}}}
		if section.values[key] == nil {
			section.keys = append(section.keys, key)
		}
		section.values[key] = value
	}
	return f, nil
}
