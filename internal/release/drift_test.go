package release_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDriftOfTargets has a disagreement that every target has once, and says of which targets others
// are.
func TestDriftOfTargets(t *testing.T) {
	w := newWorld(t, strings.NewReplacer("packages: [tool]", "target: tiny\n    projects: [files]",
		"  tiny:", "  other: {release: fedora-43, repositories: [{id: tiny, baseurl: ./rpms, gpgcheck: false}]}\n  tiny:",
		"images:\n", "images:\n  more: {target: other, projects: [files]}\n",
		"{git: ./files}", "{git: ./files, drift: {ignore: [{name: Needed_Too, reason: old}, {name: nothing, reason: old}]}}",
		"workloads: {web:", "workloads: {more: {image: more}, web:").Replace(plain))
	w.write("files/files.spec", "Name: files\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\nRequires: only-spec\nRequires: python3-needed-too >= 4\n%description\nd\n%files\n")
	w.write("files/pyproject.toml", "[project]\nname = \"files\"\nversion = \"1\"\ndependencies = [\"needed-too\", \"only-python\"]\n")
	w.commit("files")
	c, err := w.p.Candidate(t.Context(), "stg")
	w.ok(err)
	n, err := w.p.Survey(t.Context(), c)
	w.ok(err)
	drifts, stale := w.p.Drift(n)
	var got []string
	for _, d := range drifts {
		got = append(got, strings.Join([]string{d.Project, d.Name, string(d.Kind), strings.Join(d.Targets, " "), d.Allowed}, ", "))
	}
	want := []string{
		"files, needed-too, ranges differ, other tiny, old",
		"files, only-python, only in the Python metadata, other, the distribution's generator adds it to the RPM",
		"files, only-python, only in the Python metadata, tiny, ",
		"files, only-spec, only in the spec, other tiny, ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	if len(stale) != 1 || !strings.HasPrefix(stale[0], "slipway.yaml:3: projects.files.drift.ignore: nothing ") {
		t.Errorf("stale: %q", stale)
	}
}
