package requirement_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/requirement"
)

func project(t *testing.T, name string, files map[string]string, target requirement.Target) *requirement.Needs {
	t.Helper()
	tree := fstest.MapFS{}
	for file, text := range files {
		tree[file] = &fstest.MapFile{Data: []byte(text)}
	}
	n, err := requirement.Read(requirement.Project{Name: name, Commit: "4f2a1c0ffee", Tree: tree}, target)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const driftSpec = `Name: app
Version: 1.0
Release: 1
Summary: s
License: MIT
BuildRequires: python3dist(click)
BuildRequires: python3-devel
BuildRequires: python3-devel
Requires: python3-flask >= 2.0.0
Requires: python3-pyyaml
Requires: git-core
Requires: python3-requests < 3
Requires: python3-app = 1.0
%description
%package -n python3-app
Summary: s
%description -n python3-app
%files
%files -n python3-app
`

const driftProject = `[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "app"
version = "1.0"
dependencies = [
    "Flask>=2",
    "PyYAML>=5.4",
    "click",
    "rich",
    "requests<3.0",
    "rich",
]
`

func TestDrift(t *testing.T) {
	target := requirement.Target{Release: "fedora-43"}
	n := project(t, "app", map[string]string{"app.spec": driftSpec, "pyproject.toml": driftProject}, target)
	allowed := []requirement.Allowance{
		{Name: "git-core", Reason: "not Python"},
		{Name: "PyYAML", Kind: requirement.RangesDiffer, Reason: "every release has it"},
	}
	var got []string
	for _, d := range requirement.FindDrift(n, target, allowed) {
		got = append(got, d.String())
	}
	want := []string{
		"click: needed to run, but the spec asks for it only to build\n  app/app.spec:6: python3dist(click)\n  app/pyproject.toml:10: click",
		"git-core: only in the spec\n  app/app.spec:11: git-core\n  allowed: not Python",
		"python3-devel: asked for twice in one place\n  app/app.spec:7: python3-devel\n  app/app.spec:8: python3-devel",
		"pyyaml: ranges differ\n  app/app.spec:10: python3-pyyaml\n  app/pyproject.toml:9: PyYAML>=5.4\n  allowed: every release has it",
		"rich: asked for twice in one place\n  app/pyproject.toml:11: rich\n  app/pyproject.toml:13: rich",
		"rich: only in the Python metadata\n  app/pyproject.toml:11: rich\n  app/pyproject.toml:13: rich\n  allowed: the distribution's generator adds it to the RPM",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}

func TestGreeterDrift(t *testing.T) {
	target := requirement.Target{Release: "fedora-43"}
	var got []string
	for _, n := range greeter(t, target) {
		for _, d := range requirement.FindDrift(n, target, nil) {
			got = append(got, n.Project+": "+d.Name+" "+string(d.Kind))
		}
	}
	want := []string{
		"greetlib: tzdata only in the spec",
		"greetcore: click only in the Python metadata",
		"greetcore: greetlib only in the Python metadata",
		"greetcore: pyyaml only in the Python metadata",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}
