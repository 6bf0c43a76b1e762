package native

import "strings"

// ini is a file as Python's ConfigParser reads it with its defaults, but that nothing is interpolated.
type ini struct{ sections []section }

type section struct {
	name   string
	keys   []string
	values map[string]string
}

func (f *ini) section(name string) *section {
	for i := range f.sections {
		if f.sections[i].name == name {
			return &f.sections[i]
		}
	}
	return nil
}

// parseINI reads a file. What ConfigParser would refuse, or would have to interpolate, is unsupported.
func parseINI(name, content string) (*ini, error) {
	f := &ini{}
	var current *section
	key, indent := "", 0
	var lines []string
	flush := func() {
		if key != "" {
			current.values[key] = strings.TrimRight(strings.Join(lines, "\n"), " \t\n\r\f\v")
		}
		key, lines = "", nil
	}
	for number, raw := range strings.Split(content, "\n") {
		line := strings.TrimSpace(raw)
		if line == "" || line[0] == '#' || line[0] == ';' {
			if line == "" && key != "" {
				lines = append(lines, "")
			}
			continue
		}
		depth := len(raw) - len(strings.TrimLeft(raw, " \t\r\f\v"))
		switch {
		case key != "" && depth > indent:
			lines = append(lines, line)
			continue
		case line[0] == '[':
			flush()
			end := strings.LastIndexByte(line, ']')
			if end != len(line)-1 || f.section(line[1:end]) != nil || line[1:end] == "DEFAULT" {
				return nil, unsupported("%s:%d is a section of an unusual kind", name, number+1)
			}
			f.sections = append(f.sections, section{name: line[1:end], values: map[string]string{}})
			current, indent = &f.sections[len(f.sections)-1], depth
			continue
		case current == nil:
			return nil, unsupported("%s:%d is in no section", name, number+1)
		}
		flush()
		at := strings.IndexAny(line, "=:")
		if at <= 0 {
			return nil, unsupported("%s:%d is no \"key = value\"", name, number+1)
		}
		key, indent = strings.TrimSpace(line[:at]), depth
		if _, twice := current.values[key]; twice || key == "" {
			return nil, unsupported("%s:%d is there twice", name, number+1)
		}
		current.keys = append(current.keys, key)
		current.values[key] = ""
		lines = []string{strings.TrimSpace(line[at+1:])}
	}
	flush()
	for _, s := range f.sections {
		for _, value := range s.values {
			if strings.Contains(value, "%") {
				return nil, unsupported("%s has a value to interpolate in [%s]", name, s.name)
			}
		}
	}
	return f, nil
}
