package requirement_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/requirement"
)

func TestReadList(t *testing.T) {
	tree := fstest.MapFS{"files/packages.yaml": {Data: []byte(`- name: RPMs
  dnf:
    name: [git-core, "python3-foo >= 2", "@development", "https://x.example/y.rpm", python3-devel]
- name: Wheels
  pip:
    name: ["sentry-sdk>=1.4", "git+https://x.example/z"]
`)}}
	target := requirement.Target{Release: "fedora-43", Requests: map[string]string{"python3-devel": ""}}
	needs, diagnostics, err := requirement.ReadList(requirement.Project{Name: "deployment", Tree: tree}, "files/packages.yaml", target)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"git-core @ deployment/files/packages.yaml:3, RPMs",
		"python3-foo >= 2 @ deployment/files/packages.yaml:3, RPMs",
		"python3dist(sentry-sdk) >= 1.4 @ deployment/files/packages.yaml:6, Wheels",
	}
	if diff := cmp.Diff(want, lines(needs)); diff != "" {
		t.Errorf("requirements (-want +got):\n%s", diff)
	}
	if len(diagnostics) != 3 {
		t.Errorf("diagnostics: %v", diagnostics)
	}
}

func TestReadListOfTheGreeter(t *testing.T) {
	tree := os.DirFS("../../examples/greeter/greetweb")
	needs, diagnostics, err := requirement.ReadList(requirement.Project{Name: "greetweb", Tree: tree}, "recipes/web.yaml", requirement.Target{})
	if err != nil || len(diagnostics) > 0 {
		t.Fatal(err, diagnostics)
	}
	if len(needs) < 5 || needs[0].Origin.Line == 0 {
		t.Errorf("got %v", lines(needs))
	}
}
