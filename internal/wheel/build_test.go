package wheel

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const epoch = 1_700_000_000

// project makes a tree out of paths and contents; a path that ends with "*" is executable, a content "-> x" is a link.
func project(files map[string]string) fstest.MapFS {
	tree := fstest.MapFS{}
	for name, content := range files {
		mode := os.FileMode(0o644)
		if strings.HasSuffix(name, "*") {
			name, mode = strings.TrimSuffix(name, "*"), 0o755
		}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			content, mode = target, os.ModeSymlink|0o777
		}
		tree[name] = &fstest.MapFile{Data: []byte(content), Mode: mode}
	}
	return tree
}

func request(root Root, files map[string]string) Request {
	return Request{Project: "greet", Tree: project(files), Epoch: epoch, Root: root}
}

// plain is a project in the older way, without pyproject.toml.
var plain = map[string]string{
	"setup.py":          "from setuptools import setup\nsetup()\n",
	"setup.cfg":         "[metadata]\nname = greet\nversion = 1.2\n[options]\npackages = find:\n[options.entry_points]\nconsole_scripts =\n  greet = greet:main\n",
	"greet/__init__.py": "def main():\n    print('hello')\n",
}

func with(files map[string]string, more map[string]string) map[string]string {
	all := map[string]string{}
	for k, v := range files {
		all[k] = v
	}
	for k, v := range more {
		all[k] = v
	}
	return all
}

func TestBuild(t *testing.T) {
	root, c := hostRoot(t), openCache(t)
	w, err := Build(t.Context(), request(root, plain), c)
	if err != nil {
		t.Fatal(err)
	}
	if w.Name != "greet" || w.Version != "1.2" || filepath.Base(w.Path) != "greet-1.2-py3-none-any.whl" || !w.Purelib {
		t.Errorf("built %+v", w)
	}
	start := time.Now()
	again, err := Build(t.Context(), request(root, plain), c)
	if err != nil || again.Digest != w.Digest {
		t.Fatalf("again: %+v, %v", again, err)
	}
	t.Logf("from the cache in %v", time.Since(start))

	elsewhere, err := Build(t.Context(), request(root, plain), openCache(t))
	if err != nil || elsewhere.Digest != w.Digest {
		t.Errorf("built in another cache: %s, want %s (%v)", elsewhere.Digest, w.Digest, err)
	}

	// The same files at another time are another wheel, and the same when they are installed.
	later := request(root, plain)
	later.Epoch += 86400
	second, err := Build(t.Context(), later, c)
	if err != nil {
		t.Fatal(err)
	}
	installs := [2][]File{}
	for i, w := range []*Wheel{w, second} {
		if installs[i], err = w.Install(debianScheme, Direct{URL: "file:///x", Commit: "abc"}); err != nil {
			t.Fatal(err)
		}
	}
	if second.Digest != w.Digest || !reflect.DeepEqual(installs[0], installs[1]) {
		t.Error("the time of the commit changes what is installed")
	}
}

// handmade is a project with a backend of its own, which runs body in build_wheel and then makes a small wheel.
func handmade(body string) map[string]string {
	return map[string]string{
		"pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n",
		"backend.py": `import os, sys, zipfile, hashlib, base64
def write(path, name="greet", version="1", more=()):
    info = "%s-%s.dist-info/" % (name, version)
    files = [(info + "METADATA", b"Name: %s\nVersion: %s\n" % (name.encode(), version.encode())), (info + "WHEEL", b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")] + list(more)
    with zipfile.ZipFile(path, "w") as z:
        record = ""
        for name, data in files:
            z.writestr(name, data)
            record += "%s,sha256=%s,%d\n" % (name, base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("="), len(data))
        z.writestr(info + "RECORD", record + info + "RECORD,,\n")
def build_wheel(folder, settings=None, metadata=None):
    name = "greet-1-py3-none-any.whl"
    more = []
` + indent(body) + `
    write(os.path.join(folder, os.path.basename(name)), more=more)
    return name
`,
	}
}

func indent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// TestBuildEnvironment sees what a backend sees.
func TestBuildEnvironment(t *testing.T) {
	root := hostRoot(t)
	r := request(root, handmade(`
import json, socket, stat, time
seen = {
    "cwd": os.getcwd(), "path": [p for p in sys.path if p.startswith("/build/src")], "argv": sys.argv[1:],
    "env": {k: v for k, v in os.environ.items() if k != "PWD"},
    "stdin": sys.stdin.read(), "interfaces": [n for i, n in socket.if_nameindex()],
    "mtime": int(os.stat("backend.py").st_mtime), "mode": oct(os.stat("backend.py").st_mode), "run": oct(os.stat("run.sh").st_mode), "link": os.readlink("link"),
    "shadow": os.path.exists("/etc/shadow"), "tz": time.tzname[0],
}
try:
    socket.create_connection(("192.0.2.1", 80), 2)
    seen["network"] = "there"
except OSError as e:
    seen["network"] = type(e).__name__ and "none"
try:
    open("/usr/lib/python3/dist-packages/evil.py", "w")
    seen["base"] = "written"
except OSError:
    seen["base"] = "read-only"
print("standard output does not disturb")
more = [("seen.json", json.dumps(seen, sort_keys=True).encode())]
`))
	tree := r.Tree.(fstest.MapFS)
	tree["run.sh"] = &fstest.MapFile{Mode: 0o700}
	tree["link"] = &fstest.MapFile{Mode: os.ModeSymlink | 0o777, Data: []byte("run.sh")}
	r.Project, r.Version = "Greet.the_World", "1.2.3"
	w, err := Build(t.Context(), r, openCache(t))
	if err != nil {
		t.Fatal(err)
	}
	var seen struct {
		CWD, Stdin, Mode, Run, Link, Network, Base, TZ string
		Path, Argv, Interfaces                         []string
		Env                                            map[string]string
		MTime                                          int64
		Shadow                                         bool
	}
	if err := json.Unmarshal(w.find("seen.json").content, &seen); err != nil {
		t.Fatal(err)
	}
	if seen.CWD != "/build/src" || len(seen.Argv) != 0 || !slices.Equal(seen.Path, []string{"/build/src"}) || seen.Stdin != "" || seen.TZ != "UTC" {
		t.Errorf("process: %+v", seen)
	}
	if seen.MTime != epoch || seen.Mode != "0o100644" || seen.Run != "0o100755" || seen.Link != "run.sh" {
		t.Errorf("source: %+v", seen)
	}
	if seen.Network != "none" || !slices.Equal(seen.Interfaces, []string{"lo"}) || seen.Base != "read-only" || seen.Shadow {
		t.Errorf("outside: %+v", seen)
	}
	for name, want := range map[string]string{
		"SOURCE_DATE_EPOCH": "1700000000", "PYTHONHASHSEED": "0", "HOME": "/tmp", "LC_ALL": "C.UTF-8",
		"SETUPTOOLS_SCM_PRETEND_VERSION": "1.2.3", "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_GREET_THE_WORLD": "1.2.3",
	} {
		if seen.Env[name] != want {
			t.Errorf("%s is %q, want %q", name, seen.Env[name], want)
		}
	}
	for name := range seen.Env {
		if os.Getenv(name) != "" && !slices.Contains([]string{"HOME", "PATH", "LANG", "LC_ALL", "TZ"}, name) {
			t.Errorf("%s came in from outside", name)
		}
	}
}

// TestBuildFails has projects that do not build, by mistake or on purpose.
func TestBuildFails(t *testing.T) {
	root, c := hostRoot(t), openCache(t)
	tests := map[string]struct {
		files  map[string]string
		change func(r *Request)
		want   []string
	}{
		"no project": {files: map[string]string{"README": ""}, want: []string{"no Python project"}},
		"syntax error": {files: with(plain, map[string]string{"setup.py": "from setuptools import setup\nsetup(\n"}),
			want: []string{"greet", "SyntaxError"}},
		"bad TOML":     {files: map[string]string{"pyproject.toml": "[build-system]\nrequires = [\n=\n"}, want: []string{"pyproject.toml:"}},
		"no requires":  {files: map[string]string{"pyproject.toml": "[build-system]\nbuild-backend = \"x\"\n"}, want: []string{"PEP 518"}},
		"code as name": {files: map[string]string{"pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = \"os; import x\"\n"}, want: []string{"not the name of a Python object"}},
		"path climbs":  {files: map[string]string{"pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = \"x\"\nbackend-path = [\"../x\"]\n"}, want: []string{"leaves the project"}},
		"link climbs":  {files: with(plain, map[string]string{"x": "-> ../../etc"}), want: []string{`"x"`, "leaves the project"}},
		"no backend":   {files: map[string]string{"pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = \"nowhere.api\"\n"}, want: []string{"No module named 'nowhere'"}},
		"missing":      {files: map[string]string{"pyproject.toml": "[build-system]\nrequires = [\"Not_Installed.Anywhere >= 2\", \"also-not; python_version < '3'\"]\nbuild-backend = \"not_installed\"\n"}, want: []string{"Not_Installed.Anywhere >= 2 (pyproject.toml, build-system.requires) is not installed", "add python3dist(not-installed-anywhere)"}},
		"too old":      {files: with(plain, map[string]string{"pyproject.toml": "[build-system]\nrequires = [\"setuptools>=900\"]\n"}), want: []string{"setuptools>=900", "is not met by", "python3dist(setuptools)"}},
		"setup_requires": {files: with(plain, map[string]string{"setup.py": "from setuptools import setup\nsetup(setup_requires=['not-there'])\n"}),
			want: []string{"not-there (asked for by the build backend) is not installed"}},
		"nothing built":     {files: handmade("return 'greet-1-py3-none-any.whl'"), want: []string{"FileNotFoundError"}},
		"bad name":          {files: handmade("name = '../../../evil.whl'"), want: []string{"not a wheel's file name"}},
		"another project's": {files: handmade("name = 'other-1-py3-none-any.whl'"), want: []string{`METADATA names it "greet"`}},
		"wheel climbs":      {files: handmade("more = [('../evil.py', b'')]"), want: []string{"plain relative path"}},
		"link for a wheel":  {files: handmade("os.symlink('/etc/passwd', os.path.join(folder, name)); return name"), want: []string{"greet"}},
		"exit":              {files: handmade("os._exit(3)"), want: []string{"exit code 3"}},
		"lies":              {files: handmade("os.write(3, b'{}\\n{\\n'); os._exit(0)"), want: []string{"greet"}},
		"endless":           {files: handmade("while True: pass"), change: func(r *Request) { r.Limits.Time = 2 * time.Second }, want: []string{"time limit"}},
		"large file": {files: handmade("f = open('/build/big', 'wb')\nfor i in range(10240): f.write(bytes(1 << 20))"),
			change: func(r *Request) { r.Limits.Disk = 32 << 20 }, want: []string{"No space left on device"}},
		"much memory": {files: handmade("x = [bytearray(1 << 20) for i in range(10240)]"),
			change: func(r *Request) { r.Limits.Memory = 128 << 20 }, want: []string{"memory limit"}},
		"noise":            {files: handmade("for i in range(20000): print('\\x1b[2J\\x07' + 'x' * 100)\nsys.stderr.write('z' * (1 << 20) + '\\n')\nraise SystemExit('the end')"), want: []string{"the end", "| xxx", "zzz…"}},
		"source too large": {files: plain, change: func(r *Request) { r.Limits.Source = 10 }, want: []string{"larger than"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := request(root, test.files)
			if test.change != nil {
				test.change(&r)
			}
			_, err := Build(t.Context(), r, c)
			var fault *BuildError
			if !errors.As(err, &fault) || fault.Project != "greet" {
				t.Fatalf("error %v", err)
			}
			text := err.Error()
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("error does not say %q:\n%s", want, text)
				}
			}
			if strings.ContainsAny(text, "\x1b\x07") || len(text) > 20_000 || len(fault.Output) > tailLines {
				t.Errorf("error is not fit for a terminal (%d bytes):\n%.2000q", len(text), text)
			}
		})
	}
	if leftovers, err := filepath.Glob(filepath.Join(c.Root(), "wheel", "*")); err != nil || len(leftovers) > 0 {
		t.Errorf("failed builds left %q (%v)", leftovers, err)
	}
}

// TestForkBomb has a project that forks without end; the machine must not notice.
func TestForkBomb(t *testing.T) {
	r := request(hostRoot(t), handmade("import threading\nwhile True:\n    try: os.fork()\n    except OSError: os._exit(7) if False else None"))
	r.Limits = Limits{Time: 3 * time.Second, Processes: 40}
	_, err := Build(t.Context(), r, openCache(t))
	var fault *BuildError
	if !errors.As(err, &fault) || !strings.Contains(err.Error(), "limit") {
		t.Errorf("error %v", err)
	}
}

func TestBuildEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := Build(ctx, request(hostRoot(t), handmade("while True: pass")), openCache(t))
	var fault *BuildError
	if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &fault) {
		t.Errorf("error %v", err)
	}
}

func TestBuildNeedsAKey(t *testing.T) {
	if _, err := Build(t.Context(), request(Root{Lowers: []string{"/"}}, plain), openCache(t)); err == nil || !strings.Contains(err.Error(), "key") {
		t.Errorf("error %v", err)
	}
}
