package release_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

// offered is a package with some provides.
func offered(name, evr string, provides ...string) rpmwrite.Spec {
	s := rpmwrite.Spec{Name: name}
	var err error
	if s.EVR, err = rpm.ParseEVR(evr); err != nil {
		panic(err)
	}
	for _, p := range provides {
		d, err := rpm.ParseDependency(p)
		if err != nil {
			panic(err)
		}
		s.Provides = append(s.Provides, d)
	}
	return s
}

// withOther is the service's slipway.yaml with a target beside its own.
func withOther(packages []string) string {
	return strings.NewReplacer("packages: [tool]", "target: tiny\n    packages: ['"+strings.Join(packages, "', '")+"']",
		"  tiny:", "  other: {release: universe-2, repositories: [{id: other, baseurl: ./others, gpgcheck: false}]}\n  tiny:").Replace(plain)
}

// twoTargets is a service on one target, with another one beside it that has other packages.
func twoTargets(t *testing.T, packages []string, here, there []rpmwrite.Spec) *world {
	t.Helper()
	w := newWorld(t, withOther(packages))
	w.packages(here...)
	dir := filepath.Join(w.dir, "others")
	w.ok(os.MkdirAll(dir, 0o755))
	for _, s := range there {
		s.Arch = "noarch"
		w.ok(rpmwrite.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%s.noarch.rpm", s.Name, s.EVR)), s))
	}
	w.ok(repowrite.Write(dir, repowrite.Options{}))
	return w
}

func (w *world) matrix() *release.Matrix {
	w.Helper()
	c, err := w.p.Candidate(w.Context(), "stg")
	w.ok(err)
	m, err := w.p.Matrix(w.Context(), c, false)
	w.ok(err)
	return m
}

func TestMatrixCells(t *testing.T) {
	have := []rpmwrite.Spec{
		offered("a", "1.4-1"), offered("a", "1.2-1"), offered("b", "2:3-1"), offered("new", "9-1"),
		offered("python3-x", "1.4.2-3", "python3dist(x) = 1.4.2"), offered("python3-x2", "2-1", "python3dist(x) = 2"),
		offered("plain", "7-1", "virtual"),
	}
	cases := []struct{ request, row, want string }{
		{"a", "a", "1.4"},
		{"a >= 1.3", "a", "1.4"},
		{"a < 1.3", "a", "1.2"},
		{"a >= 2", "a", "too old (has 1.4, needs >= 2)"},
		{"a > 1.4-1", "a", "too old (has 1.4, needs > 1.4-1)"},
		{"new < 2", "new", "too new (has 9, needs < 2)"},
		{"a = 1.3", "a", "too new (has 1.4, needs = 1.3)"},
		{"b >= 2:1", "b", "2:3"},
		{"none", "none", "missing"},
		{"/usr/bin/none", "/usr/bin/none", "missing"},
		{"/usr/share/a", "/usr/share/a", "1.4"},
		{"virtual", "virtual", "7"},
		{"virtual >= 3", "virtual", "7"}, // a provide without a version meets every range
		{"python3dist(x)", "python3dist(x)", "2"},
		{"(python3dist(x) >= 1 with python3dist(x) < 2)", "python3dist(x)", "1.4.2"},
		{"(python3dist(x) >= 3 with python3dist(x) < 4)", "python3dist(x)", "too old (has 2, needs >= 3 with < 4)"},
		{"(none or a)", "(none or a)", "1.4"},
		{"(a and none)", "(a and none)", "unfit (has 1.4, needs (a and none))"},
		{"(a if none)", "(a if none)", "1.4"},
		{"(a without python3dist(x))", "(a without python3dist(x))", "1.4"},
		{"(a without a >= 1.3)", "a", "1.2"},
	}
	w := twoTargets(t, []string{"a"}, have, nil)
	for _, tt := range cases {
		w.write(config.FileName, withOther([]string{tt.request}))
		w.load()
		m := w.matrix()
		if len(m.Rows) != 1 || m.Rows[0].Name != tt.row || m.Rows[0].Cells[1].String() != tt.want || m.Rows[0].Cells[0].String() != "missing" {
			t.Errorf("%s: %+v, want %s: %s", tt.request, m.Rows, tt.row, tt.want)
		}
	}
}

// TestMatrixOfTargets has the same service on two targets, with ranges that several images ask for.
func TestMatrixOfTargets(t *testing.T) {
	w := twoTargets(t, []string{"a >= 2", "a < 4", "b"}, []rpmwrite.Spec{offered("a", "3-1"), offered("a", "5-1")}, []rpmwrite.Spec{offered("a", "1-1"), offered("b", "1-1")})
	m := w.matrix()
	var got []string
	for _, row := range m.Rows {
		line := row.Name
		for i, c := range row.Cells {
			line += fmt.Sprintf(" | %s: %v", m.Targets[i], c)
		}
		for _, by := range row.By {
			line += fmt.Sprintf(" | %s:%d", by.Origin.File, by.Origin.Line)
		}
		got = append(got, line)
	}
	want := []string{
		"a | other: too old (has 1, needs < 4, >= 2) | tiny: 3 | slipway.yaml:10 | slipway.yaml:10",
		"b | other: 1 | tiny: missing | slipway.yaml:10",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("matrix (-want +got):\n%s", diff)
	}
	if c := m.Rows[0].Cells[1]; c.Package.String() != "a-3-1.noarch" || c.Repository != "tiny" || c.Lacking() {
		t.Errorf("cell: %+v", c)
	}
}
