package wheel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"strings"
	"testing"
	"time"
)

const (
	srcCfg   = "[metadata]\nname = greet\nversion = 1\n[options]\npackage_dir =\n    = src\npackages = find:\n[options.packages.find]\nwhere = src\n[options.package_data]\ngreet = *.yaml\n"
	setupOne = "#!/usr/bin/python3\n# -*- coding: utf-8 -*-\n\nimport setuptools\n\nif __name__ == \"__main__\":\n    setuptools.setup()\n"
)

// TestUpdate builds projects, changes them, and holds what is made then against what the backend makes. why is what keeps
// the earlier wheel from being used; "" where it is used.
func TestUpdate(t *testing.T) {
	root := hostRoot(t)
	src := map[string]string{
		"setup.py": setupOne, "setup.cfg": srcCfg, "README.md": "hi\n",
		"src/greet/__init__.py": "", "src/greet/a.py": "A = 1\n", "src/greet/words.yaml": "a: 1\n",
		"src/greet/sub/__init__.py": "", "src/greet/sub/a.py": "A = 2\n", "tests/__init__.py": "", "tests/test_a.py": "", "tests/a.py": "",
	}
	toml := map[string]string{
		"pyproject.toml":        "[build-system]\nrequires = [\"setuptools>=61\", \"wheel\"]\nbuild-backend = \"setuptools.build_meta\"\n[project]\nname = \"greet\"\nversion = \"1\"\ndescription = \"a command\"\n[project.scripts]\ngreet = \"greet.command:main\"\n[tool.setuptools]\npackage-dir = {\"\" = \"src\"}\n",
		"src/greet/__init__.py": "", "src/greet/command.py*": "def main(): pass\n",
	}
	tests := map[string]struct {
		before, change map[string]string
		why            string
	}{
		"module":      {before: src, change: map[string]string{"src/greet/a.py": "A = 'changed'\n"}},
		"two modules": {before: src, change: map[string]string{"src/greet/a.py": "", "src/greet/sub/a.py": "X = '\\r\\n'"}},
		"package":     {before: src, change: map[string]string{"src/greet/__init__.py": "X = 1\n"}},
		"test":        {before: src, change: map[string]string{"tests/test_a.py": "1", "tests/a.py": "2", "tests/__init__.py": "3"}},
		"nothing":     {before: src, change: map[string]string{"src/greet/a.py": "A = 1\n"}},
		"pyproject":   {before: toml, change: map[string]string{"src/greet/command.py*": "def main(): return 1\n"}},
		"flat":        {before: plain, change: map[string]string{"greet/__init__.py": "def main():\n    print('bye')\n"}},
		"data":        {before: src, change: map[string]string{"src/greet/words.yaml": "b: 1\n"}, why: "not built before"},
		"readme":      {before: src, change: map[string]string{"README.md": "bye\n"}, why: "not built before"},
		"new module":  {before: src, change: map[string]string{"src/greet/b.py": ""}, why: "not built before"},
		"executable":  {before: with(plain, map[string]string{"greet/x.py": ""}), change: map[string]string{"greet/x.py*": ""}, why: "not built before"},
		"version":     {before: plain, change: map[string]string{"setup.cfg": strings.Replace(plain["setup.cfg"], "1.2", "1.3", 1)}, why: "not built before"},
		"version in module": {before: with(plain, map[string]string{"setup.cfg": "[metadata]\nname = greet\nversion = attr: greet.__version__\n[options]\npackages = find:\n", "greet/__init__.py": "__version__ = '1'\n"}),
			change: map[string]string{"greet/__init__.py": "__version__ = '2'\n"}, why: `has "attr"`},
		"text from module": {before: with(plain, map[string]string{"setup.cfg": "[metadata]\nlong_description = file: greet/text.py\n" + strings.TrimPrefix(plain["setup.cfg"], "[metadata]\n"), "greet/text.py": "1\n"}),
			change: map[string]string{"greet/text.py": "2\n"}, why: "named in the project's configuration"},
		"script": {before: with(plain, map[string]string{"setup.cfg": strings.Replace(plain["setup.cfg"], "[options]\n", "[options]\nscripts = bin/tool.py\n", 1), "bin/tool.py*": "#!/usr/bin/env python3\n"}),
			change: map[string]string{"bin/tool.py*": "#!/usr/bin/env python3\n2\n"}, why: "named in the project's configuration"},
		"data files": {before: with(plain, map[string]string{"setup.cfg": plain["setup.cfg"] + "[options.data_files]\nshare/x = extra/*\n", "extra/data.py": "1\n"}),
			change: map[string]string{"extra/data.py": "2\n"}, why: "may be greet-1.2.data/data/share/x/data.py"},
		"renamed": {before: with(plain, map[string]string{"setup.cfg": "[metadata]\nname = greet\nversion = 1\n[options]\npackage_dir =\n    greet = lib\npackages = greet\n", "lib/__init__.py": "1\n"}),
			change: map[string]string{"lib/__init__.py": "2\n"}, why: `has "package_dir"`},
		"twice":   {before: with(src, map[string]string{"old/greet/a.py": "A = 1\n"}), change: map[string]string{"src/greet/a.py": "A = 3\n"}, why: "may come from several files"},
		"code":    {before: with(plain, map[string]string{"setup.py": "from setuptools import setup\nprint(1)\nsetup()\n"}), change: map[string]string{"greet/__init__.py": "1"}, why: "setup.py does more"},
		"plugin":  {before: with(plain, map[string]string{"pyproject.toml": "[build-system]\nrequires = [\"setuptools\", \"packaging\"]\n"}), change: map[string]string{"greet/__init__.py": "1"}, why: "its build uses packaging"},
		"backend": {before: handmade(""), change: map[string]string{"other.py": "1"}, why: "its backend is backend"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := openCache(t)
			var log bytes.Buffer
			build := func(files map[string]string, later int64) *Wheel {
				t.Helper()
				log.Reset()
				r := request(root, files)
				r.RunBackend = true
				r.Epoch += later
				r.Version = fmt.Sprintf("9.%d", later) // a project with a version of its own does not care
				r.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				w, err := Build(t.Context(), r, c)
				if err != nil {
					t.Fatal(err)
				}
				return w
			}
			build(test.before, 0)
			after := maps.Clone(test.before)
			for path := range test.change {
				delete(after, strings.TrimSuffix(path, "*"))
			}
			maps.Copy(after, test.change)
			start := time.Now()
			got := build(after, 60)
			took := time.Since(start)
			used := strings.Contains(log.String(), "an earlier one with new modules")
			if used != (test.why == "") || test.why != "" && !strings.Contains(strings.ReplaceAll(log.String(), `\"`, `"`), test.why) {
				t.Errorf("used the earlier wheel: %v; want %q in the log:\n%s", used, test.why, log.String())
			}
			if !used {
				return
			}
			want, err := Build(t.Context(), request(root, after), openCache(t))
			if err != nil {
				t.Fatal(err)
			}
			if got.Digest != want.Digest {
				t.Errorf("made from an earlier one it is not what the backend makes: %s, want %s", contents(got), contents(want))
			}
			t.Logf("made in %v", took)
		})
	}
}

func contents(w *Wheel) string {
	var b strings.Builder
	for _, m := range w.members {
		b.WriteString("\n" + m.name + " " + hash(string(m.content))[:8])
	}
	return b.String()
}

// TestUpdateAfterLoss has caches that lost parts of what an update needs.
func TestUpdateAfterLoss(t *testing.T) {
	root, c := hostRoot(t), openCache(t)
	r := request(root, plain)
	r.RunBackend = true
	first, err := Build(t.Context(), r, c)
	if err != nil {
		t.Fatal(err)
	}
	s, err := takeSurvey(project(plain), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	file, ok := c.Path(baseKind, r.baseKey(s))
	if !ok || first == nil {
		t.Fatal("nothing is remembered")
	}
	if err := c.Remove("wheel", keyIn(t, file)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"1", "2"} {
		r.Tree = project(with(plain, map[string]string{"greet/__init__.py": text}))
		w, err := Build(t.Context(), r, c)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(w.find("greet/__init__.py").content); got != text {
			t.Errorf("the module is %q, want %q", got, text)
		}
	}
}

// keyIn is the key of the wheel that a remembered build names.
func keyIn(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b base
	if err := json.Unmarshal(data, &b); err != nil {
		t.Fatal(err)
	}
	return b.Wheel
}
