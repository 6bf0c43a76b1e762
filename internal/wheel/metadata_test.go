package wheel

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// computed is a project whose requirements only stand where its setup.py is run.
var computed = map[string]string{
	"setup.py": `from setuptools import setup
import base64
wants = base64.b64decode(b"cmVxdWVzdHM+PTIKY2xpY2sgOyBweXRob25fdmVyc2lvbiA8ICczJwo=").decode().split("\n")
setup(name="greet", version="".join(reversed("3.1")), install_requires=[w for w in wants if w], extras_require={"x": ["rich"] * 1})
`,
}

func TestMetadata(t *testing.T) {
	root, c := hostRoot(t), openCache(t)
	core, err := Metadata(t.Context(), request(root, computed), c)
	if err != nil {
		t.Fatal(err)
	}
	m, err := pymeta.Read(project(computed))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"dependencies", "optional-dependencies", "version"}
	if diff := cmp.Diff(want, m.Unread); diff != "" {
		t.Errorf("unread before (-want +got):\n%s", diff)
	}
	if err := m.Complete(core); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range m.Requires {
		got = append(got, d.Extra+"|"+d.Requirement.Name)
	}
	if diff := cmp.Diff([]string{"|requests", "|click", "x|rich"}, got); diff != "" {
		t.Errorf("requirements (-want +got):\n%s", diff)
	}
	if m.Version.Text != "1.3" || m.Name.Text != "greet" || len(m.Unread) > 0 || len(m.Diagnostics) > 0 {
		t.Errorf("completed: %+v", m)
	}
	// The second time nothing runs: the root has gone.
	gone := request(root, computed)
	gone.Root.Lowers = []string{"/nonexistent"}
	if again, err := Metadata(t.Context(), gone, c); err != nil || string(again) != string(core) {
		t.Errorf("from the cache: %v\n%s", err, again)
	}
}

func TestMetadataWithoutTheHook(t *testing.T) {
	root, c := hostRoot(t), openCache(t)
	core, err := Metadata(t.Context(), request(root, handmade("pass")), c)
	if err != nil || !strings.HasPrefix(string(core), "Name: greet\nVersion: 1\n") {
		t.Errorf("%v\n%s", err, core)
	}
}

func TestMetadataOfABrokenProject(t *testing.T) {
	root, c := hostRoot(t), openCache(t)
	_, err := Metadata(t.Context(), request(root, map[string]string{"setup.py": "1/0\n"}), c)
	var fault *BuildError
	if !errors.As(err, &fault) || !strings.Contains(err.Error(), "ZeroDivisionError") {
		t.Errorf("error: %v", err)
	}
	_, err = Metadata(t.Context(), request(root, map[string]string{
		"pyproject.toml": "[build-system]\nrequires = [\"nothing-like-it\"]\nbuild-backend = \"nothing\"\n",
	}), c)
	if !errors.As(err, &fault) || len(fault.Missing) != 1 {
		t.Errorf("error: %v", err)
	}
}

// TestMetadataOfTheExampleProjects holds what is read of the files against what the backend makes of them.
func TestMetadataOfTheExampleProjects(t *testing.T) {
	root, c := hostRoot(t), openCache(t)
	for _, name := range []string{"greetlib", "greetcore", "greetweb"} {
		tree := os.DirFS("../../examples/greeter/" + name)
		core, err := Metadata(t.Context(), Request{Project: name, Tree: tree, Epoch: epoch, Root: root}, c)
		if err != nil {
			t.Fatal(err)
		}
		read, err := pymeta.Read(tree)
		if err != nil {
			t.Fatal(err)
		}
		if len(read.Unread) > 0 {
			t.Errorf("%s: unread: %q", name, read.Unread)
		}
		asked := pymeta.Metadata{Unread: []string{"dependencies", "name", "optional-dependencies", "requires-python", "version"}}
		if err := asked.Complete(core); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(summary(&asked), summary(read)); diff != "" {
			t.Errorf("%s (-backend +read):\n%s", name, diff)
		}
	}
}

func summary(m *pymeta.Metadata) []string {
	list := []string{m.Name.Text, m.Version.Text, m.RequiresPython.Text}
	var requires []string
	for _, d := range m.Requires {
		requires = append(requires, d.Requirement.String())
	}
	slices.Sort(requires)
	return append(list, requires...)
}
