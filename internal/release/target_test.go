package release_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRequestsOfTargets reads one project for targets with other names and another Python.
func TestRequestsOfTargets(t *testing.T) {
	for _, tt := range []struct {
		name, keys string
		want       []string
	}{
		{"the rule", "", []string{"(python3dist(tomli) < 3~~ with python3dist(tomli) >= 2)", "/usr/bin/python3", "python3dist(py-yaml)", "zlib"}},
		{"another Python", ", python: '3.12', alternative-python: true", []string{"(python3.12dist(tomli) < 3~~ with python3.12dist(tomli) >= 2)", "/usr/bin/python3.12", "python3.12dist(py-yaml)", "zlib"}},
		{"names", ", names: {Py_YAML: python3-yaml >= 6, tomli: ''}", []string{"/usr/bin/python3", "python3-yaml >= 6", "zlib"}},
		{"requests", ", requests: {zlib: zlib-ng-compat}", []string{"(python3dist(tomli) < 3~~ with python3dist(tomli) >= 2)", "/usr/bin/python3", "python3dist(py-yaml)", "zlib-ng-compat"}},
	} {
		w := newWorld(t, strings.NewReplacer("packages: [tool]", "projects: [files]", "{release: universe-1,", "{release: fedora-43"+tt.keys+",").Replace(plain))
		w.write("files/files.spec", "Name: files\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\nRequires: zlib\n%description\nd\n%files\n")
		w.write("files/pyproject.toml", "[project]\nname = \"files\"\nversion = \"1\"\ndependencies = [\"py.yaml\", \"tomli>=2,<3\"]\n")
		w.commit("files")
		asked, _ := w.asked()
		var got []string
		for request := range asked {
			got = append(got, request)
		}
		if diff := cmp.Diff(sorted(tt.want), sorted(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
