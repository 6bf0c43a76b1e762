package requirement_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-build/slipway/internal/requirement"
)

// BenchmarkReadProject reads one project that has everything: a spec, pyproject.toml, setup.cfg and setup.py.
func BenchmarkReadProject(b *testing.B) {
	var spec, cfg, list strings.Builder
	spec.WriteString("%global srcname app\nName: python-%{srcname}\nVersion: 1.2.3\nRelease: %autorelease\nSummary: s\nLicense: MIT\nBuildArch: noarch\n%description\nd\n" +
		"%package -n python3-%{srcname}\nSummary: s\n%{?python_provide:%python_provide python3-%{srcname}}\n")
	cfg.WriteString("[metadata]\nname = app\nversion = attr: app.__version__\n[options]\npackages = find:\npython_requires = >=3.9\ninstall_requires =\n")
	for i := range 60 {
		fmt.Fprintf(&spec, "%%if 0%%{?fedora} >= %d\nRequires: python3dist(dep%d) >= %d.%d\n%%endif\nBuildRequires: python3-dep%d\n", i, i, i%5, i%7, i)
		fmt.Fprintf(&cfg, "    dep%d[extra]>=%d.%d,!=%d.9,<%d ; python_version > '3.%d'\n", i, i%5, i%7, i%5, i%5+2, i%10)
		fmt.Fprintf(&list, "test%d~=%d.%d\n", i, i%5+1, i%7)
	}
	spec.WriteString("%description -n python3-%{srcname}\nd\n%generate_buildrequires\n%pyproject_buildrequires -t\n%build\n%pyproject_wheel\n%files -n python3-%{srcname}\n%changelog\n%autochangelog\n")
	tree := fstest.MapFS{
		"python-app.spec":  {Data: []byte(spec.String())},
		"setup.cfg":        {Data: []byte(cfg.String())},
		"setup.py":         {Data: []byte("from setuptools import setup\nsetup()\n")},
		"pyproject.toml":   {Data: []byte("[build-system]\nrequires = ['setuptools>=61', 'wheel']\nbuild-backend = 'setuptools.build_meta'\n")},
		"app/__init__.py":  {Data: []byte("import os\n__version__ = '1.2.3'\n")},
		"tox.ini":          {Data: []byte("[testenv]\ndeps = -r requirements.txt\n")},
		"requirements.txt": {Data: []byte(list.String())},
	}
	target := requirement.Target{Release: "fedora-43"}
	for b.Loop() {
		n, err := requirement.Read(requirement.Project{Name: "app", Tree: tree}, target)
		if err != nil || len(n.Runtime) < 100 || len(n.Generated) < 60 || len(n.Diagnostics) > 0 {
			b.Fatal(err, len(n.Runtime), len(n.Generated), n.Diagnostics)
		}
	}
}
