package pymeta

import (
	"slices"
	"testing"
	"testing/fstest"
)

func FuzzVersion(f *testing.F) {
	for _, s := range []string{"1.0", "1!2.3a4.post5.dev6+l.7", "v1-alpha.1", "1.0-1", " 1 "} {
		f.Add(s, "1.0")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		v, err := ParseVersion(a)
		if err != nil {
			return
		}
		again, err := ParseVersion(v.String())
		if err != nil || again.Compare(v) != 0 || again.String() != v.String() {
			t.Errorf("%q is written as %q, which reads differently (%v)", a, v, err)
		}
		if w, err := ParseVersion(b); err == nil && sign(v.Compare(w)) != -sign(w.Compare(v)) {
			t.Errorf("the order of %q and %q depends on who asks", a, b)
		}
	})
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func FuzzRequirement(f *testing.F) {
	for _, s := range []string{
		"requests[socks]>=2.8,!=3.*; python_version < '3.12' and (extra == 'x' or os_name in \"posix nt\")",
		"a @ https://x/y ; sys_platform == 'linux'", "x (>=1)", "a===1.0+x", "a~=1.4",
	} {
		f.Add(s)
	}
	env := LinuxEnvironment("3.11", "x86_64")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRequirement(s)
		if err != nil {
			return
		}
		again, err := ParseRequirement(r.String())
		if err != nil || again.String() != r.String() {
			t.Errorf("%q is written as %q, which reads as %q (%v)", s, r, again, err)
		}
		_, _ = r.Applies(env, "x") // some comparisons make no sense; none may panic
	})
}

func fuzzFile(f *testing.F, name string, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree := fstest.MapFS{
			name:               {Data: []byte(text)},
			"requirements.txt": {Data: []byte("a>=1\n# c\n-r other\nb\n")},
			"pkg/__init__.py":  {Data: []byte("__version__ = '1.0'\n")},
		}
		m, err := Read(tree)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range m.Requires {
			if d.File == "" || d.Line < 1 || d.Requirement.Name == "" {
				t.Errorf("a requirement without a place or name: %+v", d)
			}
		}
	})
}

func FuzzSetupCfg(f *testing.F) {
	fuzzFile(f, setupCfgName,
		"[metadata]\nname = x\nversion = attr: pkg.__version__\n[options]\ninstall_requires =\n  a>=1\n  # c\n  b; python_version<'3'\n[options.extras_require]\nt = x; y\n",
		"[options]\ninstall_requires = file: requirements.txt\npackage_dir =\n  = src\n")
}

func FuzzSetupPy(f *testing.F) {
	fuzzFile(f, setupPyName,
		"from setuptools import setup\nsetup(name='x', install_requires=['a'+'b', *more], extras_require={'t': ['c']})\n",
		"import setuptools, os\nhere = os.path.dirname(__file__)\ndef read(f):\n  with open(os.path.join(here, f)) as fh:\n    return fh.read()\nreqs = [l.strip() for l in read('requirements.txt').splitlines() if l and not l.startswith('#')]\nsetuptools.setup(install_requires=reqs, **{'name': 'y'})\n",
		"import re\nfrom setuptools import setup\nv = re.search(r'\"(.*)\"', open('pkg/__init__.py').read(), re.M).group(1)\nif v:\n  x = 1\nelse:\n  x = 2\nsetup(version='%s.%s' % (v, x))\n")
}

func FuzzPyproject(f *testing.F) {
	fuzzFile(f, pyprojectName,
		"[build-system]\nrequires = ['hatchling', \"x\"]\nbuild-backend = 'hatchling.build'\n[project]\nname = 'x'\ndynamic = ['version']\ndependencies = [\n 'a',\n 'b>=1',\n]\n[project.optional-dependencies]\nt = ['c']\n[tool.hatch.version]\npath = 'pkg/__init__.py'\n",
		"[build-system]\nrequires=['poetry-core']\nbuild-backend='poetry.core.masonry.api'\n[tool.poetry]\nname='x'\nversion='1'\n[tool.poetry.dependencies]\npython='^3.9'\na='~1.2'\nb={version='*', optional=true, extras=['z'], markers=\"os_name=='x'\"}\n[tool.poetry.extras]\ne=['b']\n",
		"[[a.b]]\nc.d = 1\n[a.x.y]\nz = {q.w = [1, {}]}\n")
}

func FuzzCoreMetadata(f *testing.F) {
	f.Add([]byte("Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Python: >=3.9\nProvides-Extra: x\nRequires-Dist: b>=1\nRequires-Dist: c; extra == \"x\"\n\ntext"))
	f.Add([]byte("Name: a\r\nDescription: b\r\n        c\r\n\r\n"))
	f.Fuzz(func(t *testing.T, core []byte) {
		m := Metadata{Unread: slices.Clone(fields)}
		if err := m.Complete(core); err != nil {
			if len(m.Unread) != len(fields) || len(m.Requires) > 0 {
				t.Errorf("an error, and yet something has changed: %+v", m)
			}
			return
		}
		if m.Name.Text == "" || len(m.Unread) > 0 {
			t.Errorf("completed, but %+v", m)
		}
		for _, d := range m.Requires {
			if again, err := ParseRequirement(d.Requirement.String()); err != nil || again.String() != d.Requirement.String() {
				t.Errorf("%q is written as %q, which reads as %q, %v", d.Text, d.Requirement, again, err)
			}
		}
	})
}

func FuzzTox(f *testing.F) {
	f.Add([]byte("[base]\ndeps =\n  a\n[testenv]\ndeps =\n  {[base]deps}\n  py{39,314}-x,!py: b\n  -r requirements.txt\n  {[testenv]deps}\nextras = t, u\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tree := fstest.MapFS{"tox.ini": {Data: data}, "requirements.txt": {Data: []byte("r\n")}}
		got, err := ReadTox(tree, "py314-x")
		if err != nil {
			return
		}
		for _, d := range got.Requires {
			if d.File == "" || d.Line == 0 || d.Requirement.Name == "" {
				t.Errorf("a requirement without a place or name: %+v", d)
			}
		}
	})
}
