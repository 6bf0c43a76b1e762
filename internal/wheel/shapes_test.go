package wheel

// shape is a kind of project, as they are met in the wild.
type shape struct {
	modules []string // backends, beside setuptools, that it needs
	version string   // what its tag says, where the version comes from there
	files   map[string]string
}

const pyprojectSetuptools = "[build-system]\nrequires = [\"setuptools>=61\", \"wheel\"]\nbuild-backend = \"setuptools.build_meta\"\n"

// shapes are built and installed both by pip and by this package. Each is named after its project.
var shapes = map[string]shape{
	"flat": {files: map[string]string{
		"setup.py":                  "from setuptools import setup\nsetup()\n",
		"setup.cfg":                 "[metadata]\nname = flat\nversion = 1.2\nlong_description = file: README.md\nlicense = MIT\n[options]\npackages = find:\ninstall_requires =\n  flask>=2\n",
		"README.md":                 "# Flat\n\nGrüße.\n",
		"LICENSE":                   "MIT\n",
		"flat/__init__.py":          "",
		"flat/sub/__init__.py":      "X = 1\n",
		"flat/sub/deep/__init__.py": "",
		"tests/test_flat.py":        "",
	}},
	"src-layout": {files: map[string]string{
		"pyproject.toml":             pyprojectSetuptools + "[project]\nname = \"src-layout\"\nversion = \"0.1\"\ndependencies = [\"click>=8\"]\n[project.optional-dependencies]\nfast = [\"orjson\"]\n[project.scripts]\nhello = \"src_layout.cli:main\"\n[project.gui-scripts]\nhello-gui = \"src_layout.cli:Main.run\"\n[project.entry-points.\"greet.plugins\"]\nmorning = \"src_layout:morning\"\n",
		"src/src_layout/__init__.py": "",
		"src/src_layout/cli.py":      "def main():\n    return 0\n",
	}},
	"package-data": {files: map[string]string{
		"setup.py":                                "from setuptools import setup\nsetup()\n",
		"setup.cfg":                               "[metadata]\nname = package-data\nversion = 1\n[options]\npackages = find:\n[options.package_data]\npackage_data =\n  *.yaml\n  templates/**/*.html\n[options.exclude_package_data]\npackage_data = secret.yaml\n",
		"package_data/__init__.py":                "",
		"package_data/a.yaml":                     "a: 1\n",
		"package_data/secret.yaml":                "b: 1\n",
		"package_data/not.txt":                    "no\n",
		"package_data/templates/x/i.html":         "<p>\n",
		"package_data/py.typed":                   "",
		"package_data/with blank, and comma.yaml": "c: 1\n",
	}},
	"manifest": {files: map[string]string{
		"setup.py":             "from setuptools import setup\nsetup(name='manifest', version='2.0.post1', packages=['manifest'], include_package_data=True)\n",
		"MANIFEST.in":          "include manifest/*.json\nrecursive-include manifest/data *\nglobal-exclude *.bak\n",
		"manifest/__init__.py": "",
		"manifest/a.json":      "{}\n",
		"manifest/a.txt":       "no\n",
		"manifest/data/b":      "b\n",
		"manifest/data/b.bak":  "no\n",
	}},
	"data-files": {files: map[string]string{
		"setup.py":     "from setuptools import setup\nsetup(name='data-files', version='1', py_modules=['one', 'two'], data_files=[('share/data-files', ['x.conf']), ('etc/data-files', ['y.conf'])], scripts=['bin/tool', 'bin/tool.sh'], headers=['h.h'])\n",
		"one.py":       "ONE = 1\n",
		"two.py":       "#!/usr/bin/python\nTWO = 2\n",
		"x.conf":       "x\n",
		"y.conf*":      "y\n",
		"h.h":          "int h;\n",
		"bin/tool*":    "#!/usr/bin/env python3\nprint('tool')\n",
		"bin/tool.sh*": "#!/bin/sh\necho tool\n",
	}},
	"name.space-pkg": {files: map[string]string{
		"pyproject.toml":               pyprojectSetuptools + "[project]\nname = \"name.space-pkg\"\nversion = \"1.0\"\n[tool.setuptools.packages.find]\nwhere = [\"src\"]\n",
		"src/company/tool/__init__.py": "",
		"src/company/tool/x.py":        "",
		"src/company/other/y.py":       "",
	}},
	"dynamic-version": {files: map[string]string{
		"pyproject.toml":              pyprojectSetuptools + "[project]\nname = \"dynamic-version\"\ndynamic = [\"version\", \"readme\"]\n[tool.setuptools]\npackages = [\"dynamic_version\"]\n[tool.setuptools.dynamic]\nversion = {attr = \"dynamic_version.__version__\"}\nreadme = {file = [\"README.rst\"], content-type = \"text/x-rst\"}\n",
		"README.rst":                  "Hello\n=====\n",
		"dynamic_version/__init__.py": "__version__ = '3.1rc1'\n",
		"dynamic_version/stubs.pyi":   "x: int\n",
	}},
	"compiled": {files: map[string]string{
		"setup.py":             "from setuptools import setup, Extension\nsetup(name='compiled', version='1', packages=['compiled'], ext_modules=[Extension('compiled._c', ['compiled/c.c'])])\n",
		"compiled/__init__.py": "",
		"compiled/c.c":         "#include <Python.h>\nstatic struct PyModuleDef m = {PyModuleDef_HEAD_INIT, \"_c\", 0, -1, 0};\nPyMODINIT_FUNC PyInit__c(void) { return PyModule_Create(&m); }\n",
	}},
	"own-backend": {files: map[string]string{
		"pyproject.toml":          "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"builder\"\nbackend-path = [\"tools\"]\n",
		"tools/builder.py":        "from setuptools.build_meta import *\nfrom setuptools.build_meta import build_wheel as real\ndef build_wheel(d, c=None, m=None):\n    open('own_backend/made.py', 'w').write('MADE = 1\\n')\n    return real(d, c, m)\n",
		"setup.cfg":               "[metadata]\nname = own-backend\nversion = 1\n[options]\npackages = own_backend\n",
		"own_backend/__init__.py": "",
	}},
	"unicode": {files: map[string]string{
		"setup.py":            "from setuptools import setup\nsetup(name='unicode', version='1', packages=['unicode'], package_data={'unicode': ['*.txt']}, author='Žofie Nováková', description='Příliš žluťoučký kůň')\n",
		"unicode/__init__.py": "",
		"unicode/kůň.txt":     "🐎\n",
	}},
	"executable": {files: map[string]string{
		"setup.py":                "from setuptools import setup\nsetup(name='executable', version='1', packages=['executable'], package_data={'executable': ['*.sh']})\n",
		"executable/__init__.py*": "",
		"executable/run.sh*":      "#!/bin/sh\n",
		"executable/link.sh":      "-> run.sh",
	}},
	"from-tags": {modules: []string{"setuptools_scm"}, version: "4.5", files: map[string]string{
		"pyproject.toml":        "[build-system]\nrequires = [\"setuptools>=61\", \"setuptools_scm[toml]>=6.2\"]\nbuild-backend = \"setuptools.build_meta\"\n[project]\nname = \"from-tags\"\ndynamic = [\"version\"]\n[tool.setuptools_scm]\nwrite_to = \"from_tags/_version.py\"\n",
		"from_tags/__init__.py": "",
		"from_tags/data.txt":    "found because git has it\n",
	}},
	"flitted": {modules: []string{"flit_core"}, files: map[string]string{
		"pyproject.toml": "[build-system]\nrequires = [\"flit_core >=3.2,<4\"]\nbuild-backend = \"flit_core.buildapi\"\n[project]\nname = \"flitted\"\ndynamic = [\"version\", \"description\"]\n[project.scripts]\nflitted = \"flitted:main\"\n",
		"flitted.py":     "\"\"\"A flitted module\"\"\"\n__version__ = '0.3'\ndef main(): pass\n",
	}},
	"hatched": {modules: []string{"hatchling"}, files: map[string]string{
		"pyproject.toml":          "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n[project]\nname = \"hatched\"\nversion = \"7\"\nlicense = \"MIT\"\n[project.scripts]\nhatched = \"hatched.cli:main\"\n[tool.hatch.build.targets.wheel.shared-data]\n\"conf\" = \"etc/hatched\"\n",
		".gitignore":              "*.log\n",
		"conf/a.ini":              "[a]\n",
		"src/hatched/__init__.py": "",
		"src/hatched/cli.py":      "",
		"src/hatched/data.bin":    "\x00\x01",
	}},
	"poetic": {modules: []string{"poetry.core"}, files: map[string]string{
		"pyproject.toml":     "[build-system]\nrequires = [\"poetry-core\"]\nbuild-backend = \"poetry.core.masonry.api\"\n[tool.poetry]\nname = \"poetic\"\nversion = \"0.9\"\ndescription = \"verse\"\nauthors = [\"A <a@example.com>\"]\n[tool.poetry.dependencies]\npython = \"^3.9\"\nflask = {version = \"^2\", optional = true}\n[tool.poetry.scripts]\npoetic = \"poetic:main\"\n",
		"poetic/__init__.py": "def main(): pass\n",
		"poetic/rhyme.txt":   "time\n",
	}},
}
