package requirement_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/requirement"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

func setupCfg(name, version string, requires ...string) map[string]string {
	return map[string]string{"setup.cfg": "[metadata]\nname = " + name + "\nversion = " + version +
		"\n[options]\ninstall_requires =\n    " + strings.Join(requires, "\n    ") + "\n"}
}

func TestNeedsForProjectsAreCheckedAgainstTheirRevision(t *testing.T) {
	target := requirement.Target{Release: "fedora-43"}
	ogr := project(t, "ogr", setupCfg("ogr", "0.49.2"), target)
	for _, tt := range []struct {
		requires string
		unmet    string
	}{
		{"ogr", ""},
		{"ogr>=0.49", ""},
		{"ogr>=0.49.2,<0.50", ""},
		{"ogr!=0.48.*", ""},
		{"ogr>=0.50", "packit/setup.cfg:6 needs python3dist(ogr) >= 0.50, but ogr at 4f2a1c0 is python3dist(ogr) = 0.49.2"},
		{"ogr~=0.48.1", "packit/setup.cfg:6 needs (python3dist(ogr) >= 0.48.1 with python3dist(ogr) < 0.49), but ogr at 4f2a1c0 is python3dist(ogr) = 0.49.2"},
		{"ogr==0.49.*", ""},
		{"ogr==0.49", "packit/setup.cfg:6 needs python3dist(ogr) = 0.49, but ogr at 4f2a1c0 is python3dist(ogr) = 0.49.2"},
	} {
		packit := project(t, "packit", setupCfg("packit", "1.0", tt.requires), target)
		m, err := requirement.Merge("worker", []*requirement.Needs{packit, ogr}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var unmet []string
		for _, u := range m.Unmet {
			unmet = append(unmet, u.String())
		}
		if got := strings.Join(unmet, "; "); got != tt.unmet {
			t.Errorf("%s: unmet %q, want %q", tt.requires, got, tt.unmet)
		}
		for _, item := range m.Items {
			if strings.Contains(item.Request.String(), "ogr") {
				t.Errorf("%s: ogr is asked of the repositories", tt.requires)
			}
		}
	}
}

func TestMergeDoesNotDependOnOrder(t *testing.T) {
	target := requirement.Target{Release: "fedora-43"}
	a := project(t, "a", setupCfg("a", "1", "shared>=1", "only-a", "b>=2"), target)
	b := project(t, "b", setupCfg("b", "2", "shared>=1", "shared<3"), target)
	extra := []requirement.Requirement{
		{Request: "python3dist(shared) >= 1", Origin: requirement.Origin{Project: "web", File: "slipway.yaml", Line: 9}},
		{Request: "glibc-langpack-en", Origin: requirement.Origin{Project: "web", File: "slipway.yaml", Line: 10}},
	}
	first, err := requirement.Merge("web", []*requirement.Needs{a, b}, extra)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(extra)
	second, err := requirement.Merge("web", []*requirement.Needs{b, a}, extra)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the order matters:\n%s", diff)
	}
	var got []string
	for _, item := range first.Items {
		by := make([]string, len(item.By))
		for i, q := range item.By {
			by[i] = q.Origin.String()
		}
		got = append(got, item.Request.String()+" by "+strings.Join(by, ", "))
	}
	want := []string{
		"/usr/bin/python3 by a/setup.cfg, b/setup.cfg",
		"glibc-langpack-en by web/slipway.yaml:10",
		"python3dist(only-a) by a/setup.cfg:7",
		"python3dist(shared) < 3~~ by b/setup.cfg:7",
		"python3dist(shared) >= 1 by a/setup.cfg:6, b/setup.cfg:6, web/slipway.yaml:9",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestMergeRefusesTwoCopiesOfAProject(t *testing.T) {
	n := project(t, "a", setupCfg("a", "1"), requirement.Target{})
	if _, err := requirement.Merge("web", []*requirement.Needs{n, n}, nil); err == nil {
		t.Error("two copies of a project in one image were accepted")
	}
}

func TestReadForAnotherPython(t *testing.T) {
	target := requirement.Target{Release: "centos-stream-9", Python: "3.11", AlternativePython: true}
	n := project(t, "a", setupCfg("a", "1", "flask>=2", "tomli; python_version < '3.11'", "x; python_version >= '3.11'"), target)
	var got []string
	for _, q := range n.Runtime {
		got = append(got, q.Request)
	}
	want := []string{"/usr/bin/python3.11", "python3.11dist(flask) >= 2", "python3.11dist(x)"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestReadSaysWhatItCouldNotKnow(t *testing.T) {
	n := project(t, "a", map[string]string{
		"setup.py":   "from setuptools import setup\nimport helper\nsetup(name='a', version='1', python_requires='>=3.99',\n  install_requires=helper.requires(),\n  extras_require={'x': ['y']})\n",
		"a.spec":     "Name: a\nVersion: 1\nRelease: 1\nRequires: b-%(uname -r)\n%description\n%files\n",
		"rpm/b.spec": "Name: b\n",
	}, requirement.Target{Release: "fedora-43"})
	var got []string
	for _, d := range n.Diagnostics {
		got = append(got, d.String())
	}
	want := []string{
		"a.spec:4: %(uname -r) is not run, so its output is not known",
		"a.spec:4: Requires: b-<?>: a part is not known without running something; left out",
		"setup.py:3: requires Python >=3.99, but fedora-43 has 3.14",
		"setup.py:4: install_requires is not written literally, so what it asks for is not known",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
	if len(n.Provides) == 0 || n.Version != "1" {
		t.Errorf("version %q, provides %v", n.Version, n.Provides)
	}
}

func TestVersionFromTags(t *testing.T) {
	files := map[string]string{"pyproject.toml": "[build-system]\nrequires = ['setuptools', 'setuptools-scm']\nbuild-backend = 'setuptools.build_meta'\n" +
		"[project]\nname = 'a'\ndynamic = ['version']\n"}
	n := project(t, "a", files, requirement.Target{})
	if n.Version != "" {
		t.Errorf("a version out of nowhere: %q", n.Version)
	}
	tree := os.DirFS(t.TempDir())
	empty, err := requirement.Read(requirement.Project{Name: "a", Tree: tree, SCM: pymeta.Describe{Tag: "v1.2", Node: "c0ffee1"}}, requirement.Target{})
	if err != nil || empty.Version != "1.2" || len(empty.Runtime) != 0 {
		t.Errorf("an empty project: %+v, %v", empty, err)
	}
}

func BenchmarkRead(b *testing.B) {
	target := requirement.Target{Release: "fedora-43"}
	tree := os.DirFS("../../examples/greeter/greetlib")
	for b.Loop() {
		if _, err := requirement.Read(requirement.Project{Name: "greetlib", Tree: tree}, target); err != nil {
			b.Fatal(err)
		}
	}
}
