package wheel

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// systemDists reads all distributions of the system's Python from its folder.
func systemDists(t *testing.T) []Dist {
	t.Helper()
	const library = "/usr/lib/python3/dist-packages"
	files, err := filepath.Glob(library + "/*.*-info/*")
	if err != nil {
		t.Fatal(err)
	}
	alone, err := filepath.Glob(library + "/*.egg-info")
	if err != nil {
		t.Fatal(err)
	}
	type content struct{ metadata, requires []byte }
	folders := map[string]*content{}
	for _, file := range append(files, alone...) {
		folder, ok := DistFile(file, library)
		if info, err := os.Stat(file); !ok || err != nil || info.IsDir() {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if folders[folder] == nil {
			folders[folder] = &content{}
		}
		if filepath.Base(file) == "requires.txt" {
			folders[folder].requires = data
		} else {
			folders[folder].metadata = data
		}
	}
	var dists []Dist
	for _, folder := range sortedKeys(folders) {
		d, err := ParseDist(folders[folder].metadata, folders[folder].requires, "")
		if err != nil {
			t.Fatalf("%s: %v", folder, err)
		}
		dists = append(dists, d)
	}
	return dists
}

// TestDistsOfTheSystem holds what is read of each installed distribution against importlib.metadata.
func TestDistsOfTheSystem(t *testing.T) {
	needModules(t, "setuptools")
	out := python(t, []string{"PYTHONNOUSERSITE=1"}, "-c", `
import json
from importlib import metadata
dists = {}
for d in metadata.distributions(path=["/usr/lib/python3/dist-packages"]):
    dists.setdefault(d.metadata["Name"] + " " + d.version, d.requires or [])
print(json.dumps(dists))`)
	var want map[string][]string
	if err := json.Unmarshal([]byte(out), &want); err != nil {
		t.Fatal(err)
	}
	got := map[string][][]string{} // some are there twice
	for _, d := range systemDists(t) {
		got[d.Name+" "+d.Version] = append(got[d.Name+" "+d.Version], d.Requires)
	}
	if a, b := strings.Join(sortedKeys(got), ", "), strings.Join(sortedKeys(want), ", "); a != b {
		t.Errorf("distributions\n%s\nwant\n%s", a, b)
	}
	for name, requires := range want {
		if !slices.ContainsFunc(got[name], func(r []string) bool { return slices.Equal(r, requires) }) {
			t.Errorf("%s requires %q, want %q", name, got[name], requires)
		}
	}
	t.Logf("%d distributions", len(want))
}

// TestCheckAsPip compares with pip check, of the system's distributions and of such that fit together badly.
func TestCheckAsPip(t *testing.T) {
	needModules(t, "pip")
	folder := t.TempDir()
	write := func(name, version, more string) {
		dir := filepath.Join(folder, name+"-"+version+".dist-info")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "METADATA"), []byte("Metadata-Version: 2.1\nName: "+name+"\nVersion: "+version+"\n"+more), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("zebra", "1.0", "Requires-Dist: Not_There>=2\nRequires-Dist: yak (<2,>=1)\nRequires-Dist: gnu; python_version < '3'\nRequires-Dist: only; extra == 'more'\nProvides-Extra: more\n")
	write("yak", "2.0rc1", "Requires-Dist: zebra[more] ; sys_platform == 'linux'\nRequires-Dist: missing; sys_platform != 'win32'\n")
	write("horse", "1", "Requires-Dist: yak>=2.0.dev1\nRequires-Dist: yak>=2.0\n\nRequires-Dist: in-the-text\n")

	var dists []Dist
	files, _ := filepath.Glob(folder + "/*.dist-info/METADATA")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := ParseDist(data, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		dists = append(dists, d)
	}
	dists = append(dists, systemDists(t)...)
	full := python(t, nil, "-c", "import platform; print(platform.python_version())")
	var got []string
	for _, u := range Check(dists, pymeta.LinuxEnvironment(full, "x86_64")) {
		got = append(got, u.String())
	}

	// pip exits with 1 where something is not met.
	out := python(t, []string{"PYTHONPATH=" + folder, "PYTHONNOUSERSITE=1"}, "-c", `
import subprocess, sys
print(subprocess.run([sys.executable, "-m", "pip", "check", "--disable-pip-version-check"], capture_output=True, text=True).stdout)`)
	var want []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, "requires") || strings.Contains(line, "requirement") {
			want = append(want, strings.TrimSpace(line))
		}
	}
	if a, b := pairs(got), pairs(want); !slices.Equal(a, b) {
		t.Errorf("found\n%s\npip\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}

var (
	weSay  = regexp.MustCompile(`^(\S+) \S+ requires ([A-Za-z0-9._-]+).*, (which|but)`)
	pipSay = regexp.MustCompile(`^(\S+) \S+ (?:requires|has requirement) ([A-Za-z0-9._-]+).*, (which|but)`)
)

// pairs reduces sentences to who lacks what, and whether it is there at all.
func pairs(sentences []string) []string {
	var found []string
	for _, s := range sentences {
		m := weSay.FindStringSubmatch(s)
		if m == nil {
			m = pipSay.FindStringSubmatch(s)
		}
		if m == nil {
			found = append(found, "? "+s)
			continue
		}
		found = append(found, pymeta.NormalizeName(m[1])+" "+pymeta.NormalizeName(m[2])+" "+m[3])
	}
	slices.Sort(found)
	return found
}

func TestCheckNamesTheOwner(t *testing.T) {
	dists := []Dist{
		{Name: "greetweb", Version: "1", Requires: []string{"flask>=3; python_version > '3'", "click"}, Owner: "project greetweb"},
		{Name: "Flask", Version: "2.2", Owner: "RPM python3-flask"},
	}
	var got []string
	for _, u := range Check(dists, pymeta.LinuxEnvironment("3.11", "x86_64")) {
		got = append(got, u.String())
	}
	want := []string{
		"greetweb 1 (project greetweb) requires flask>=3, but 2.2 is installed",
		"greetweb 1 (project greetweb) requires click, which is not installed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %q", got)
	}
}

func TestDistFile(t *testing.T) {
	const library = "/usr/lib/python3.11/site-packages"
	for file, want := range map[string]string{
		library + "/a-1.dist-info/METADATA":             library + "/a-1.dist-info",
		library + "/a-1.dist-info/RECORD":               "",
		library + "/a.egg-info/PKG-INFO":                library + "/a.egg-info",
		library + "/a.egg-info/requires.txt":            library + "/a.egg-info",
		library + "/a-1.egg-info":                       library + "/a-1.egg-info",
		library + "/pip/_vendor/x-1.dist-info/METADATA": "",
		"/etc/a-1.dist-info/METADATA":                   "",
	} {
		if folder, ok := DistFile(file, library); ok != (want != "") || ok && folder != want {
			t.Errorf("%s: %q, %v", file, folder, ok)
		}
	}
}

func FuzzParseDist(f *testing.F) {
	f.Add([]byte("Name: a\nVersion: 1\nRequires-Dist: b\n c\n"), []byte("x\n[e:python_version<'3']\ny\n"))
	f.Fuzz(func(t *testing.T, metadata, requires []byte) {
		if d, err := ParseDist(metadata, requires, "x"); err == nil {
			for _, u := range Check([]Dist{d}, pymeta.LinuxEnvironment("3.11", "x86_64")) {
				if strings.ContainsAny(u.String(), "\n\x1b") {
					t.Errorf("%q", u.String())
				}
			}
		}
	})
}
