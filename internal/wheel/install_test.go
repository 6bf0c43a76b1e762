package wheel

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// debianScheme is that of Debian 12.
var debianScheme = Scheme{
	Purelib: "/usr/local/lib/python3.11/dist-packages", Platlib: "/usr/local/lib/python3.11/dist-packages",
	Scripts: "/usr/local/bin", Data: "/usr/local", Headers: "/usr/local/include/python3.11", Python: "/usr/bin/python3",
}

// inside tells whether a path lies in one of debianScheme's folders.
func inside(p string) bool {
	return path.Clean(p) == p && strings.HasPrefix(p, "/usr/local/")
}

func install(t *testing.T, s Scheme, more ...entry) map[string]File {
	t.Helper()
	w, err := openEntries(t, more...)
	if err != nil {
		t.Fatal(err)
	}
	files, err := w.Install(s, Direct{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) }) {
		t.Error("files are not sorted")
	}
	byPath := map[string]File{}
	for _, f := range files {
		byPath[f.Path] = f
	}
	return byPath
}

func TestInstallElsewhere(t *testing.T) {
	s := Scheme{Purelib: "/pure", Platlib: "/usr/lib64/plat", Scripts: "/opt/bin", Data: "/opt", Headers: "/opt/include", Python: "/opt/bin/python3"}
	files := install(t, s,
		entry{name: "a.py"},
		entry{name: "greet-1.0.data/platlib/p.so"},
		entry{name: "greet-1.0.data/purelib/q.py"},
		entry{name: "greet-1.0.data/headers/h.h"},
		entry{name: "greet-1.0.data/data/share/d"},
		entry{name: "greet-1.0.data/scripts/s", content: "#!python -x\nrest\n", mode: 0o755},
		entry{name: "greet-1.0.data/scripts/greet", content: "dropped"},
		entry{name: "greet-1.0.dist-info/entry_points.txt", content: "[console_scripts]\ngreet = old:main\ngreet = greet:App.run [color]\n"},
	)
	for path, mode := range map[string]uint32{
		"/pure/a.py": 0o644, "/usr/lib64/plat/p.so": 0o644, "/pure/q.py": 0o644, "/opt/include/greet/h.h": 0o644,
		"/opt/share/d": 0o644, "/opt/bin/s": 0o755, "/opt/bin/greet": 0o755, "/pure/greet-1.0.dist-info/INSTALLER": 0o644,
	} {
		if f, ok := files[path]; !ok || f.Mode != mode {
			t.Errorf("%s: %+v", path, f)
		}
	}
	if got := string(files["/opt/bin/s"].Content); got != "#!/opt/bin/python3\nrest\n" {
		t.Errorf("script is %q", got)
	}
	if got := string(files["/opt/bin/greet"].Content); !strings.Contains(got, "from greet import App\n") || !strings.Contains(got, "sys.exit(App.run())\n") {
		t.Errorf("wrapper is %q", got)
	}
	record := string(files["/pure/greet-1.0.dist-info/RECORD"].Content)
	for _, want := range []string{"../usr/lib64/plat/p.so,sha256=", "../opt/bin/s,sha256=", "../opt/bin/greet,sha256=", "a.py,sha256=", "greet-1.0.dist-info/RECORD,,\r\n"} {
		if !strings.Contains("\r\n"+record, "\r\n"+want) {
			t.Errorf("RECORD lacks %q:\n%s", want, record)
		}
	}
}

func TestInstallRefuses(t *testing.T) {
	tests := map[string]struct {
		entries []entry
		want    string
	}{
		"unknown key":     {[]entry{{name: "greet-1.0.data/etc/x"}}, `no folder of the name "etc"`},
		"loose file":      {[]entry{{name: "greet-1.0.data/x"}}, "not in a folder"},
		"one path twice":  {[]entry{{name: "a.py"}, {name: "greet-1.0.data/purelib/a.py"}}, "written twice"},
		"own INSTALLER":   {[]entry{{name: "greet-1.0.dist-info/INSTALLER"}}, "written twice"},
		"no callable":     {[]entry{{name: "greet-1.0.dist-info/entry_points.txt", content: "[console_scripts]\nx = mod\n"}}, "module:function"},
		"code for object": {[]entry{{name: "greet-1.0.dist-info/entry_points.txt", content: "[console_scripts]\nx = os:system('id')\n"}}, "module:function"},
		"command climbs":  {[]entry{{name: "greet-1.0.dist-info/entry_points.txt", content: "[console_scripts]\n../x = a:b\n"}}, "cannot be the name"},
		"command is ..":   {[]entry{{name: "greet-1.0.dist-info/entry_points.txt", content: "[gui_scripts]\n.. = a:b\n"}}, "cannot be the name"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w, err := openEntries(t, test.entries...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Install(debianScheme, Direct{}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// TestShebang holds against what distlib, which pip writes scripts with, puts there.
func TestShebang(t *testing.T) {
	needModules(t, "pip")
	for _, interpreter := range []string{
		"/usr/bin/python3",
		"/" + strings.Repeat("x", 123), // 127 with the rest
		"/" + strings.Repeat("x", 124),
		"/opt/my python/bin/python3",
		"/opt/č/python3",
	} {
		// The text is taken as Python's own repr-free bytes, so it is passed as an argument.
		want := python(t, []string{"PYTHONIOENCODING=utf-8"}, "-c", `
import sys
from pip._vendor.distlib.scripts import ScriptMaker
import pip._vendor.distlib.scripts as s
s.get_executable = lambda: sys.argv[1]
print(repr(ScriptMaker(None, "/x")._get_shebang("utf-8").decode().rstrip("\n")))
`, interpreter)
		got := python(t, []string{"PYTHONIOENCODING=utf-8"}, "-c", "import sys; print(repr(sys.argv[1]))", strings.TrimSuffix(shebang(interpreter), "\n"))
		if got != want {
			t.Errorf("shebang of %s is %s, pip's %s", interpreter, got, want)
		}
	}
}

func TestDirect(t *testing.T) {
	tests := []struct {
		direct Direct
		want   string
	}{
		{Direct{URL: "https://user:secret@example.com/a.git", Commit: "abc", Revision: "main"},
			`{"url": "https://example.com/a.git", "vcs_info": {"commit_id": "abc", "requested_revision": "main", "vcs": "git"}}`},
		{Direct{URL: "https://token@example.com/a", Commit: "abc"}, `{"url": "https://example.com/a", "vcs_info": {"commit_id": "abc", "vcs": "git"}}`},
		{Direct{URL: "ssh://git@example.com/a", Commit: "abc"}, `{"url": "ssh://git@example.com/a", "vcs_info": {"commit_id": "abc", "vcs": "git"}}`},
		{Direct{URL: "https://me:pass%word@example.com/a", Commit: "abc"}, `{"url": "https://example.com/a", "vcs_info": {"commit_id": "abc", "vcs": "git"}}`},
		{Direct{URL: "https://me:pass/word@example.com/a", Commit: "abc"}, `{"url": "https://example.com/a", "vcs_info": {"commit_id": "abc", "vcs": "git"}}`},
		{Direct{URL: "git@example.com:a.git", Commit: "abc"}, `{"url": "git@example.com:a.git", "vcs_info": {"commit_id": "abc", "vcs": "git"}}`},
		{Direct{URL: "file:///a", Commit: "abc", Directory: `sub/"ž<🐎`},
			`{"subdirectory": "sub/\"\u017e<\ud83d\udc0e", "url": "file:///a", "vcs_info": {"commit_id": "abc", "vcs": "git"}}`},
	}
	for _, test := range tests {
		got := test.direct.file()
		if string(got) != test.want {
			t.Errorf("%+v is\n%s, want\n%s", test.direct, got, test.want)
		}
	}
}

func TestASCIIJSON(t *testing.T) {
	for _, s := range []string{"", "plain", "a\"b\\c/d", "\x00\x1f\t\r\n\b\f\x7f", "<&>", "ž 🐎 \u2028\u2029", `\u003c`} {
		want := python(t, nil, "-c", "import json,sys; print(json.dumps(bytes.fromhex(sys.argv[1]).decode()))", hexOf(s))
		if got := asciiJSON(s); got != want {
			t.Errorf("%q is %s, want %s", s, got, want)
		}
	}
}

func hexOf(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(digits[s[i]>>4])
		b.WriteByte(digits[s[i]&15])
	}
	return b.String()
}

func TestRelative(t *testing.T) {
	in := &installation{lib: "/usr/lib/python3/site-packages"}
	for dest, want := range map[string]string{
		"/usr/lib/python3/site-packages/a/b.py": "a/b.py",
		"/usr/bin/x":                            "../../../bin/x",
		"/x":                                    "../../../../x",
		"/usr/lib/python3/site-packages":        "../site-packages",
	} {
		if got := in.relative(dest); got != want {
			t.Errorf("%s is %s, want %s", dest, got, want)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte("a,sha256=x,1\r\n\"b,\"\"c\",,\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := parseRecord(data)
		if err != nil {
			return
		}
		again, err := parseRecord(formatRecord(slices.Clone(rows)))
		if err != nil {
			t.Fatalf("%q: %v", formatRecord(rows), err)
		}
		if len(again) > len(rows) {
			t.Errorf("%d rows became %d", len(rows), len(again))
		}
	})
}

func FuzzParseEntryPoints(f *testing.F) {
	f.Add([]byte("[console_scripts]\na = b.c:d.e [x,y]\n# c\n[other]\nx\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		commands, err := parseEntryPoints(data)
		if err != nil {
			return
		}
		for _, c := range commands {
			if strings.ContainsAny(c.name, "/ \n") || c.name == ".." || strings.ContainsAny(c.module+c.object, " \n()'\"") {
				t.Errorf("accepted %+v", c)
			}
		}
	})
}
