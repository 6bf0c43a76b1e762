package requirement_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/requirement"
)

const generatedProject = `[project]
name = "x"
version = "1"
dependencies = ["run"]
optional-dependencies.test = ["extra-test"]
[dependency-groups]
Dev_Tools = ["dev", {include-group = "lint"}]
lint = ["lint>=2"]
loop = [{include-group = "loop"}]
`

const toxINI = `[tox]
envlist = py{313,314}
[base]
deps =
  base
[testenv]
deps =
  {[base]deps}
  -r{toxinidir}/requirements.txt
  py313: only313
  py314,py315: since314
  py{314,315}-slow: slow
  !slow: quick
  {env:WHAT}
  -c constraints.txt
extras = test
dependency_groups = lint
[testenv:docs]
deps = sphinx # comment
extras =
dependency_groups =
`

func TestGeneratedBuildRequires(t *testing.T) {
	for _, tt := range []struct{ args, want, complaint string }{
		{"", "run", ""},
		{"-r", "run", ""},
		{"-w", "run", ""},
		{"-R", "", ""},
		{"-x test", "run extra-test", ""},
		{"-xtest", "run extra-test", ""},
		{"-x nosuch", "run", "no extra nosuch"},
		{"-R -x test", "", "refuses -R together with -x"},
		{"-N requirements.txt", "from-file", ""},
		{"-N -t", "", "refuses -N together with -t"},
		{"-g dev.tools", "run dev lint", ""},
		{"-Rg lint", "lint", ""},
		{"-g nosuch", "run", "no dependency group nosuch"},
		{"-g loop", "run", "no dependency group loop"},
		{"-t", "tox-current-env base from-file since314 quick lint run extra-test", "hangs on what is only known when tox runs"},
		{"-e py314-slow", "tox-current-env base from-file since314 slow lint run extra-test", ""},
		{"-e %{toxenv}", "tox-current-env base from-file since314 quick lint run extra-test", ""},
		{"-e docs", "tox-current-env sphinx run", ""},
	} {
		tree := fstest.MapFS{
			"pyproject.toml":   {Data: []byte(generatedProject)},
			"tox.ini":          {Data: []byte(toxINI)},
			"requirements.txt": {Data: []byte("# c\nfrom-file==1\n")},
			"x.spec": {Data: []byte("Name: x\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n%description\n%generate_buildrequires\n" +
				"%pyproject_buildrequires " + tt.args + "\n%files\n")},
		}
		n, err := requirement.Read(requirement.Project{Name: "x", Tree: tree}, requirement.Target{Release: "fedora-43"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, q := range n.Generated {
			name, _, _ := strings.Cut(strings.TrimPrefix(q.Request, "python3dist("), ")")
			got = append(got, name)
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.args, diff)
		}
		var said []string
		for _, d := range n.Diagnostics {
			said = append(said, d.String())
		}
		if all := strings.Join(said, "\n"); !strings.Contains(all, tt.complaint) || !strings.Contains(all, "the group loop includes itself") {
			t.Errorf("%s: diagnostics %q, want %q", tt.args, all, tt.complaint)
		}
	}
}

func TestToxInOtherFiles(t *testing.T) {
	const spec = "Name: x\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n%description\n%generate_buildrequires\n%pyproject_buildrequires -t\n%files\n"
	for name, files := range map[string]map[string]string{
		"setup.cfg":         {"setup.cfg": "[metadata]\nname = x\n[tox:tox]\nenvlist = py3\n[testenv]\ndeps = pytest\n"},
		"legacy":            {"pyproject.toml": "[project]\nname = 'x'\nversion = '1'\n[tool.tox]\nlegacy_tox_ini = '''\n[testenv]\ndeps = pytest\n'''\n"},
		"pyproject":         {"pyproject.toml": "[project]\nname = 'x'\nversion = '1'\n[tool.tox.env_run_base]\ndeps = ['pytest']\n[tool.tox.env.docs]\ndeps = ['no']\n"},
		"pyproject, an env": {"pyproject.toml": "[project]\nname = 'x'\nversion = '1'\n[tool.tox.env_run_base]\ndeps = ['no']\n[tool.tox.env.py314]\ndeps = ['pytest']\n"},
		"tox.toml":          {"setup.cfg": "[metadata]\nname = x\n", "tox.toml": "[env_run_base]\ndeps = ['pytest']\n"},
	} {
		tree := fstest.MapFS{"x.spec": {Data: []byte(spec)}}
		for file, text := range files {
			tree[file] = &fstest.MapFile{Data: []byte(text)}
		}
		n, err := requirement.Read(requirement.Project{Name: "x", Tree: tree}, requirement.Target{Release: "fedora-43"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, q := range n.Generated {
			got = append(got, q.Request)
		}
		if diff := cmp.Diff([]string{"python3dist(tox-current-env) >= 0.0.16", "python3dist(pytest)"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
