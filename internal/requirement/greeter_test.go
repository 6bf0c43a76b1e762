package requirement_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/requirement"
)

// greeter reads the projects of the example service.
func greeter(t testing.TB, target requirement.Target) []*requirement.Needs {
	t.Helper()
	var needs []*requirement.Needs
	for _, name := range []string{"greetlib", "greetcore", "greetweb"} {
		n, err := requirement.Read(requirement.Project{
			Name: name, Commit: "0123456789abcdef", Tree: os.DirFS("../../examples/greeter/" + name),
		}, target)
		if err != nil {
			t.Fatal(err)
		}
		needs = append(needs, n)
	}
	return needs
}

// lines writes requirements as "request @ origin, section".
func lines(list []requirement.Requirement) []string {
	var out []string
	for _, q := range list {
		out = append(out, q.Request+" @ "+q.Origin.String()+", "+q.Origin.Section)
	}
	return out
}

func TestGreeterNeedsWhatBothSourcesSay(t *testing.T) {
	needs := greeter(t, requirement.Target{Release: "fedora-40"})
	want := []string{
		"python3dist(pyyaml) >= 5.4 @ greetlib/greetlib.spec:22, Requires of python3-greetlib",
		"tzdata @ greetlib/greetlib.spec:24, Requires of python3-greetlib",
		"/usr/bin/python3 @ greetlib/setup.cfg:15, requires-python",
		"python3dist(pyyaml) >= 5.4 @ greetlib/setup.cfg:18, options.install_requires",
	}
	if diff := cmp.Diff(want, lines(needs[0].Runtime)); diff != "" {
		t.Errorf("runtime needs of greetlib (-want +got):\n%s", diff)
	}
	want = []string{
		"python3-devel @ greetcore/greetcore.spec:11, BuildRequires",
		"/usr/bin/python3 @ greetcore/pyproject.toml:10, requires-python",
		"python3dist(setuptools) >= 61 @ greetcore/pyproject.toml:2, build-system.requires",
		"python3dist(wheel) @ greetcore/pyproject.toml:2, build-system.requires",
	}
	if diff := cmp.Diff(want, lines(needs[1].Build)); diff != "" {
		t.Errorf("build needs of greetcore (-want +got):\n%s", diff)
	}
	for _, n := range needs {
		if len(n.Diagnostics) > 0 {
			t.Errorf("%s: %v", n.Project, n.Diagnostics)
		}
	}
}

func TestGreeterIsNotAskedOfRepositories(t *testing.T) {
	needs := greeter(t, requirement.Target{Release: "fedora-40"})
	m, err := requirement.Merge("web", needs, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range m.Items {
		got = append(got, item.Request.String())
	}
	want := []string{"/usr/bin/python3", "python3dist(click) >= 8", "python3dist(pyyaml) >= 5.4", "tzdata"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if len(m.Unmet) > 0 {
		t.Errorf("unmet: %v", m.Unmet)
	}
	if n := len(m.Items[2].By); n != 3 {
		t.Errorf("pyyaml is asked for %d times, want 3", n)
	}
}
