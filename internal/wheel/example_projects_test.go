package wheel

import (
	"os"
	"slices"
	"testing"
)

// TestExampleProjects builds and installs what the examples folder ships.
func TestExampleProjects(t *testing.T) {
	root, c := hostRoot(t), openCache(t)
	for name, want := range map[string][]string{
		"greetlib":  {"/usr/local/lib/python3.11/dist-packages/greetlib/phrases.yaml", "/usr/local/lib/python3.11/dist-packages/greetlib/__init__.py"},
		"greetcore": {"/usr/local/lib/python3.11/dist-packages/greetcore/service.py", "/usr/local/bin/greet"},
		"greetweb":  {"/usr/local/lib/python3.11/dist-packages/greetweb/web.py"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Request{Project: name, Tree: os.DirFS("../../examples/greeter/" + name), Epoch: epoch, Root: root}
			w, err := Build(t.Context(), r, c)
			if err != nil {
				t.Fatal(err)
			}
			files, err := w.Install(debianScheme, Direct{URL: "https://example.com/" + name, Commit: "abc", Revision: "main"})
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range want {
				if !slices.ContainsFunc(files, func(f File) bool { return f.Path == path }) {
					t.Errorf("%s is not installed", path)
				}
			}
		})
	}
}
