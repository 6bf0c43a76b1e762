package native

import (
	"errors"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-build/slipway/internal/wheel/wheeltest"
)

// known is an environment of versions that are known, with everything in it.
var known = Environment{
	Python: "3.13.1", Machine: "x86_64", WheelCommand: "setuptools",
	Dists: map[string]string{"setuptools": "78.1.1", "wheel": "0.45.1", "setuptools-scm": "8.2.1", "hatchling": "1.27.0", "hatch-vcs": "0.4.0"},
	Plugins: map[string][]string{
		"setuptools.finalize_distribution_options": {"setuptools", "setuptools-scm"}, "setuptools.file_finders": {"setuptools-scm"},
	},
}

// TestLeftToTheBackend has what Write must not do itself.
func TestLeftToTheBackend(t *testing.T) {
	plain := map[string]string{"pyproject.toml": "[build-system]\nrequires = [\"setuptools>=61\"]\nbuild-backend = \"setuptools.build_meta\"\n[project]\nname = \"a\"\nversion = \"1\"\n", "a.py": ""}
	tests := map[string]struct {
		files  map[string]string
		env    func(e *Environment)
		reason string
		tooOld bool
	}{
		"fine":          {},
		"newer":         {env: func(e *Environment) { e.Dists["setuptools"] = "999.0" }, reason: "not among the versions known"},
		"snapshot":      {env: func(e *Environment) { e.Dists["setuptools"] = "78.1.1.dev3" }, reason: "not among the versions known"},
		"none":          {env: func(e *Environment) { delete(e.Dists, "setuptools") }, reason: "does not have setuptools>=61"},
		"plugin":        {env: func(e *Environment) { e.Plugins["egg_info.writers"] = []string{"pbr"} }, reason: "pbr changes what setuptools does"},
		"other command": {env: func(e *Environment) { e.WheelCommand = "wheel" }, reason: "bdist_wheel of setuptools"},
		"unmet":         {files: map[string]string{"pyproject.toml": strings.Replace(plain["pyproject.toml"], ">=61", ">=900", 1)}, reason: "does not have setuptools>=900"},
		"two packages":  {files: map[string]string{"a.py": "", "b.py": ""}, reason: "several modules"},
		"extension":     {files: map[string]string{"setup.py": "from setuptools import setup, Extension\nsetup(ext_modules=[Extension('c', ['c.c'])])\n"}, reason: "setup.py"},
		"egg-info":      {files: map[string]string{"a.egg-info/SOURCES.txt": ""}, reason: "a.egg-info"},
		"broken link":   {files: map[string]string{"link": "-> nowhere"}, reason: "leads nowhere"},
		"too old": {files: map[string]string{"pyproject.toml": strings.Replace(plain["pyproject.toml"], ">=61", "", 1)},
			env: func(e *Environment) { e.Dists["setuptools"] = "53.0.0" }, reason: "does not read", tooOld: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(plain)
			maps.Copy(files, test.files)
			tree := fstest.MapFS{}
			for file, content := range files {
				tree[file] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
				if target, ok := strings.CutPrefix(content, "-> "); ok {
					tree[file] = &fstest.MapFile{Data: []byte(target), Mode: 0o777 | fs.ModeSymlink}
				}
			}
			env := known
			env.Dists, env.Plugins = maps.Clone(known.Dists), maps.Clone(known.Plugins)
			if test.env != nil {
				test.env(&env)
			}
			w, err := Write(projectOf(t, wheeltest.Shape{Name: "a", Tree: tree}), env)
			var unsupported *UnsupportedError
			var tooOld *TooOldError
			switch {
			case test.reason == "" && err != nil:
				t.Fatal(err)
			case test.reason == "":
				if w.Filename != "a-1-py3-none-any.whl" {
					t.Errorf("the wheel is called %s", w.Filename)
				}
			case err == nil || !strings.Contains(err.Error(), test.reason) || errors.As(err, &tooOld) != test.tooOld || errors.As(err, &unsupported) == test.tooOld:
				t.Errorf("error is %v, want %q", err, test.reason)
			}
		})
	}
}

// FuzzWrite wants no project to make Write panic, or write names that leave the wheel.
func FuzzWrite(f *testing.F) {
	for _, s := range wheeltest.Shapes() {
		seed := [4]string{}
		for i, name := range []string{"pyproject.toml", "setup.cfg", "setup.py", "MANIFEST.in"} {
			if file := s.Tree[name]; file != nil {
				seed[i] = string(file.Data)
			}
		}
		f.Add(seed[0], seed[1], seed[2], seed[3], strings.Contains(seed[0], "hatchling"))
	}
	f.Fuzz(func(t *testing.T, pyproject, cfg, py, manifest string, hatchling bool) {
		tree := fstest.MapFS{}
		for name, content := range map[string]string{
			"pyproject.toml": pyproject, "setup.cfg": cfg, "setup.py": py, "MANIFEST.in": manifest, ".gitignore": manifest,
			"a/__init__.py": "", "a/b.txt": "b", "src/c.py": "VERSION = '1'\n", "LICENSE": "l", "README.md": "r",
		} {
			if content != "" || strings.HasPrefix(name, "a/") {
				tree[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
			}
		}
		p := Project{Tree: tree, Backend: "setuptools.build_meta", Name: "a", Version: "1.5"}
		if hatchling {
			p.Backend = "hatchling.build"
		}
		w, err := Write(p, known)
		if err != nil {
			return
		}
		for _, file := range append(w.Files, File{Name: w.Filename}) {
			if strings.HasPrefix(file.Name, "/") || strings.Contains("/"+file.Name+"/", "/../") {
				t.Errorf("the wheel has %q", file.Name)
			}
		}
	})
}
