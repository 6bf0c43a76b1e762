// Package wheeltest has the projects that the ways to build a wheel are compared on: one of each shape that is met in
// the wild, made up for the purpose. It is for tests.
package wheeltest

import (
	"embed"
	"os"
	"path"
	"strings"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// Shape is one project.
type Shape struct {
	Name    string       // the project's
	Needs   []string     // modules of the backend, where it is not setuptools alone
	Version string       // what its tag says, where the version comes from there
	General string       // where only its backend can build it: words of the reason; "" elsewhere
	Tree    fstest.MapFS // its files; links among them
}

//go:embed shapes/*.txtar
var shapes embed.FS

// Shapes are all of them, sorted by name. A file whose name in the archive ends in a star is executable, and one that begins
// with an arrow is a link.
func Shapes() []Shape {
	entries, err := shapes.ReadDir("shapes")
	if err != nil {
		panic(err) // they are part of the program
	}
	all := make([]Shape, len(entries))
	for i, e := range entries {
		data, err := shapes.ReadFile(path.Join("shapes", e.Name()))
		if err != nil {
			panic(err)
		}
		all[i] = parse(strings.TrimSuffix(e.Name(), ".txtar"), data)
	}
	return all
}

func parse(name string, data []byte) Shape {
	archive := txtar.Parse(data)
	s := Shape{Name: name, Tree: fstest.MapFS{}}
	for line := range strings.Lines(string(archive.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "needs":
			s.Needs = strings.Fields(value)
		case "version":
			s.Version = value
		case "general":
			s.General = value
		}
	}
	for _, f := range archive.Files {
		name, mode := f.Name, os.FileMode(0o644)
		if strings.HasSuffix(name, "*") {
			name, mode = strings.TrimSuffix(name, "*"), 0o755
		}
		content := f.Data
		if target, ok := strings.CutPrefix(string(content), "-> "); ok {
			content, mode = []byte(strings.TrimSuffix(target, "\n")), os.ModeSymlink|0o777
		}
		s.Tree[name] = &fstest.MapFile{Data: content, Mode: mode}
	}
	return s
}
