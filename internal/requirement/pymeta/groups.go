package pymeta

import (
	"errors"
	"fmt"
)

// groupReader reads the dependency groups of pyproject.toml (PEP 735).
type groupReader struct {
	reader *reader
	tables map[string]*tomlNode // by normalised name
	names  map[string]string    // as written
	count  int
}

// maxGroupEntries bounds the entries of all groups with what they include; groups that include each other twice over
// would grow without end.
const maxGroupEntries = 10_000

// groups reads the table [dependency-groups]. A group that is not in order is reported, and left out.
func (r *reader) groups(table *tomlNode) {
	if table == nil {
		return
	}
	g := groupReader{reader: r, tables: map[string]*tomlNode{}, names: map[string]string{}}
	for _, key := range table.keys {
		name := NormalizeName(key)
		if g.tables[name] != nil {
			r.report(pyprojectName, table.fields[key].line, "dependency-groups: %s is there twice, also as %s", key, g.names[name])
			continue
		}
		g.tables[name], g.names[name] = table.fields[key], key
	}
	r.meta.Groups = map[string][]Declared{}
	for _, key := range table.keys {
		name := NormalizeName(key)
		var list []Declared
		if err := g.read(&list, name, nil); err != nil {
			r.report(pyprojectName, g.tables[name].line, "dependency-groups.%s: %v", key, err)
			continue
		}
		r.meta.Groups[name] = list
	}
}

// read adds a group's requirements and those of the groups that it includes. within are the groups that include it.
func (g *groupReader) read(list *[]Declared, name string, within []string) error {
	table := g.tables[name]
	if table == nil {
		return fmt.Errorf("there is no group %s", name)
	}
	for _, outer := range within {
		if outer == name {
			return fmt.Errorf("the group %s includes itself", name)
		}
	}
	if table.kind != tomlArray {
		return errors.New("it is not an array")
	}
	within = append(within, name)
	for _, element := range table.list {
		if g.count++; g.count > maxGroupEntries {
			return fmt.Errorf("more than %d entries in all groups", maxGroupEntries)
		}
		switch {
		case element.kind == tomlString:
			g.reader.declare(list, Declared{
				Text: element.text, File: pyprojectName, Line: element.line, Section: "dependency-groups." + g.names[name],
			})
		case element.kind == tomlTable && len(element.keys) == 1 && element.get("include-group").str() != "":
			if err := g.read(list, NormalizeName(element.get("include-group").str()), within); err != nil {
				return err
			}
		default:
			return fmt.Errorf("line %d is neither a requirement nor an include-group", element.line)
		}
	}
	return nil
}
