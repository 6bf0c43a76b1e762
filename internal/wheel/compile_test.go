package wheel

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/slipway-build/slipway/internal/oracle"
)

// bytecodeOf is a Python program that reads [source, .pyc] as latin-1 and tells of the .pyc: its flags,
// whether its hash is the source's, and the path in its code.
const bytecodeOf = `
import importlib.util, json, marshal, sys
source, data = (text.encode("latin-1") for text in json.load(sys.stdin))
flags = int.from_bytes(data[4:8], "little")
code = marshal.loads(data[16:])
print(data[:4] == importlib.util.MAGIC_NUMBER, flags, data[8:16] == importlib.util.source_hash(source), code.co_filename)
`

var compiledProject = fstest.MapFS{
	"pyproject.toml":       {Data: []byte("[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n[project]\nname = 'lib'\nversion = '1'\n[project.scripts]\nlib = 'lib.main:run'\n[tool.setuptools]\npackages = ['lib', 'lib.deep']\n[tool.setuptools.package-data]\nlib = ['*.py']\n")},
	"lib/__init__.py":      {Data: []byte("VALUE = ('a', 'b', 1)\n")},
	"lib/main.py":          {Data: []byte("def run():\n    '''Runs.'''\n    return 'é'\n")},
	"lib/deep/__init__.py": {Data: nil},
	"lib/template.py":      {Data: []byte("def (:\n")},
}

// TestCompile: as many files as pip compiles, with the same RECORD, of the kind that is never checked.
func TestCompile(t *testing.T) {
	oracle.Need(t, "git")
	needModules(t, "pip", "setuptools")
	root, c := hostRoot(t), openCache(t)
	scheme, err := ProbeScheme(t.Context(), root, c)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Build(t.Context(), Request{Project: "lib", Tree: compiledProject, Epoch: epoch, Root: root}, c)
	if err != nil {
		t.Fatal(err)
	}
	installed, err := w.Install(scheme, Direct{URL: "file:///lib", Commit: strings.Repeat("a", 40), Revision: "stable"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Compile(t.Context(), root, scheme, installed, c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.Compile(t.Context(), root, scheme, installed, openCache(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, f := range compiledProject {
		where := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(where), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(where, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := pipInstall(t, dir, "--compile")
	slices.SortFunc(want, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	if len(got) != len(want) {
		t.Errorf("%d files, pip installs %d", len(got), len(want))
	}
	compiled := 0
	for i, f := range got {
		if f.Path != want[i].Path {
			t.Fatalf("file %s, pip has %s", f.Path, want[i].Path)
		}
		if !bytes.Equal(f.Content, again[i].Content) {
			t.Errorf("%s differs from one time to the other", f.Path)
		}
		if filepath.Base(f.Path) == "RECORD" && lines(f.Content, ".pyc,,") != lines(want[i].Content, ".pyc,,") {
			t.Errorf("RECORD\n%s\npip's\n%s", f.Content, want[i].Content)
		}
		if strings.HasSuffix(f.Path, ".pyc") {
			compiled++
			source := strings.Replace(strings.Split(f.Path, ".cpython")[0], "__pycache__/", "", 1) + ".py"
			checkBytecode(t, source, find(t, got, source), f.Content)
		}
	}
	if compiled != 3 {
		t.Errorf("%d modules are compiled", compiled)
	}
}

func checkBytecode(t *testing.T, path string, source, compiled []byte) {
	t.Helper()
	in, err := json.Marshal([]string{latin(source), latin(compiled)})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), systemPython, "-c", bytecodeOf)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil || string(out) != "True 1 True "+path+"\n" {
		t.Errorf("%s: %q, %v", path, out, err)
	}
}

// latin makes each byte a letter.
func latin(data []byte) string {
	var b strings.Builder
	for _, c := range data {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// lines are the lines of a text that end in a word.
func lines(text []byte, end string) string {
	var list []string
	for line := range strings.Lines(string(text)) {
		if strings.HasSuffix(strings.TrimSpace(line), end) {
			list = append(list, line)
		}
	}
	return strings.Join(list, "")
}

func find(t *testing.T, files []File, path string) []byte {
	t.Helper()
	for _, f := range files {
		if f.Path == path {
			return f.Content
		}
	}
	t.Fatalf("there is no %s", path)
	return nil
}

func TestBytecodeOfStrangers(t *testing.T) {
	modules := []File{{Path: "/usr/lib/python3/lib/a.py"}}
	for answer, want := range map[string]string{
		`{"path": "/usr/lib/python3/lib/__pycache__/a.cpython-313.pyc", "size": 2}` + "\nxx":        "",
		`{"path": "/etc/passwd", "size": 2}` + "\nxx":                                               `would write "/etc/passwd"`,
		`{"path": "/usr/lib/python3/lib/__pycache__/../../../../../etc/x.pyc", "size": 2}` + "\nxx": "would write",
		`{"path": "/usr/lib/python3/other/__pycache__/a.pyc", "size": 2}` + "\nxx":                  "would write",
		`{"path": "/usr/lib/python3/lib/__pycache__/a.pyc", "size": 200}` + "\nxx":                  "is not understood",
		`{"path": "/usr/lib/python3/lib/__pycache__/a.pyc", "size": 9}` + "\nxx":                    "ends too early",
		`{"path": "/usr/lib/python3/lib/__pycache__/a.pyc", "size": -1}` + "\nxx":                   "is not understood",
		"hello": "is not understood",
	} {
		files, err := readBytecode([]byte(answer), modules)
		switch {
		case want == "" && (err != nil || len(files) != 1 || string(files[0].Content) != "xx"):
			t.Errorf("%s: %v, %v", answer, files, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v", answer, err)
		}
	}
}
