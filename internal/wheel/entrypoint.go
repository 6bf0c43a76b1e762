package wheel

import (
	"fmt"
	"regexp"
	"strings"
)

// entryPoint is a command that a wrapper script is written for.
type entryPoint struct {
	name   string // of the command
	module string
	object string // attribute path in the module
}

// Both kinds of scripts are the same on Linux.
var scriptGroups = map[string]bool{"console_scripts": true, "gui_scripts": true}

var (
	objectShape  = regexp.MustCompile(`^(\w+(?:\.\w+)*):(\w+(?:\.\w+)*)$`)
	commandShape = regexp.MustCompile(`^[^\s/\[][^\s/]*$`)
)

// parseEntryPoints reads the scripts of an entry_points.txt ("Entry points specification"), sections and lines as
// importlib.metadata reads them.
func parseEntryPoints(data []byte) ([]entryPoint, error) {
	var found []entryPoint
	group := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[' && line[len(line)-1] == ']':
			group = line[1 : len(line)-1]
		case scriptGroups[group]:
			e, err := parseEntryPoint(line)
			if err != nil {
				return nil, err
			}
			found = append(found, e)
		}
	}
	return found, nil
}

// parseEntryPoint reads "name = module:object [extras]".
func parseEntryPoint(line string) (entryPoint, error) {
	name, value, _ := strings.Cut(line, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if bracket := strings.IndexByte(value, '['); bracket >= 0 && strings.HasSuffix(value, "]") {
		value = strings.TrimSpace(value[:bracket])
	}
	if !commandShape.MatchString(name) || name == "." || name == ".." || printable(name) != name {
		return entryPoint{}, fmt.Errorf("entry_points.txt: %q cannot be the name of a command", printable(name))
	}
	parts := objectShape.FindStringSubmatch(value)
	if parts == nil {
		return entryPoint{}, fmt.Errorf("entry_points.txt: the command %s is %q; write it as module:function", name, printable(value))
	}
	return entryPoint{name: name, module: parts[1], object: parts[2]}, nil
}
