package image_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/image"
	imagescript "github.com/slipway-build/slipway/internal/image/script"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// logged is a script that writes its name, arguments and input to a file.
func logged(pkg string, kind rpm.ScriptKind, conditions ...string) rpm.Script {
	body := `echo "` + pkg + " " + strings.TrimPrefix(kind.String(), "%") + ` $*" >>/log; while read -r p; do echo "  $p" >>/log; done`
	return script(kind, body, conditions...)
}

func prioritised(s rpm.Script, priority int) rpm.Script {
	s.Priority = priority
	return s
}

// talkative is a package whose scripts of all kinds say that they ran.
func talkative(name string, more ...rpm.Script) rpmwrite.Spec {
	s := rpmwrite.Spec{
		Name: name, Requires: requires("shell"),
		Files: []rpmwrite.File{rpmwrite.Dir("/opt/" + name), rpmwrite.Text("/opt/"+name+"/f", name), rpmwrite.Text("/usr/bin/"+name, name)},
	}
	for _, kind := range []rpm.ScriptKind{rpm.ScriptPre, rpm.ScriptPost, rpm.ScriptPostTrans} {
		s.Scripts = append(s.Scripts, logged(name, kind))
	}
	s.Scripts = append(s.Scripts, more...)
	return s
}

func needing(s rpmwrite.Spec, deps ...rpm.Dependency) rpmwrite.Spec {
	s.Requires = append(s.Requires, deps...)
	return s
}

// TestScriptsRunAsInRPM installs packages with rpm and into an image; the scripts' own record of
// their runs must be the same: order, arguments, input.
func TestScriptsRunAsInRPM(t *testing.T) {
	oracle.Need(t, "rpm")
	pre := func(name string) rpm.Dependency { return rpm.Dependency{Name: name, Sense: rpm.Pre} }
	for _, c := range []struct {
		name  string
		specs []rpmwrite.Spec
	}{
		{"chain", []rpmwrite.Spec{
			talkative("a"), needing(talkative("b"), requires("c")...), needing(talkative("c"), requires("d")...), talkative("d"),
		}},
		{"most wanted first", []rpmwrite.Spec{
			talkative("a"), talkative("z"), needing(talkative("b"), requires("z")...), needing(talkative("c"), requires("z")...), talkative("y"),
			needing(talkative("e"), requires("y", "a")...),
		}},
		{"cycle", []rpmwrite.Spec{
			needing(talkative("a"), requires("b")...), needing(talkative("b"), requires("c")...), needing(talkative("c"), requires("a")...),
			needing(talkative("d"), requires("a")...),
		}},
		{"cycle with requirements of scripts", []rpmwrite.Spec{
			needing(talkative("a"), requires("b")...), needing(talkative("b"), pre("c")), needing(talkative("c"), requires("d")...),
			needing(talkative("d"), requires("a", "e")...), needing(talkative("e"), requires("a")...), needing(talkative("f"), pre("d")),
		}},
		{"two cycles", []rpmwrite.Spec{
			needing(talkative("a"), requires("b")...), needing(talkative("b"), requires("a", "m")...),
			needing(talkative("m"), requires("n")...), needing(talkative("n"), requires("m")...),
			needing(talkative("x"), requires("a")...),
		}},
		{"rich", []rpmwrite.Spec{
			needing(talkative("a"), requires("(z or b)")...), needing(talkative("b"), requires("(c if z)")...), talkative("c"), talkative("z"),
		}},
		{"triggers", []rpmwrite.Spec{
			talkative("a", logged("a", rpm.ScriptTriggerIn, "b"), logged("a", rpm.ScriptTriggerPreIn, "b", "c")),
			needing(talkative("b", logged("b", rpm.ScriptTriggerIn, "a")), requires("a")...),
			needing(talkative("c", logged("c", rpm.ScriptTriggerIn, "a", "b")), requires("b")...),
		}},
		{"file triggers", []rpmwrite.Spec{
			talkative("a"),
			needing(talkative("b",
				logged("b", rpm.ScriptFileTriggerIn, "/usr/bin"),
				prioritised(logged("b 2000000", rpm.ScriptFileTriggerIn, "/opt"), 2000000),
				prioritised(logged("b 50", rpm.ScriptFileTriggerIn, "/opt", "/usr/bin"), 50),
				prioritised(logged("b trans 10", rpm.ScriptTransFileTriggerIn, "/opt/d"), 10),
				logged("b trans", rpm.ScriptTransFileTriggerIn, "/usr", "/opt", "/usr/bin"),
			), requires("a")...),
			needing(talkative("c", logged("c", rpm.ScriptTransFileTriggerIn, "/opt/a"), logged("c", rpm.ScriptFileTriggerIn, "/opt/b")), requires("b")...),
			needing(talkative("d", prioritised(logged("d", rpm.ScriptFileTriggerIn, "/opt/c"), 3000000)), requires("c")...),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			packages := build(t, append(c.specs, shell(t))...)
			want, err := os.ReadFile(filepath.Join(installed(t, packages), "log"))
			if err != nil {
				t.Fatal(err)
			}
			b := builder(t)
			dirs, err := b.Unpack(t.Context(), base(t, b, packages))
			if err != nil {
				t.Fatal(err)
			}
			got := readIn(t, dirs, "log")
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("scripts ran differently (-rpm +ours):\n%s", diff)
			}
		})
	}
}

// readIn reads a file of the topmost folder that has it.
func readIn(t testing.TB, dirs []string, name string) string {
	t.Helper()
	for _, d := range dirs {
		data, err := os.ReadFile(filepath.Join(d, name))
		if err == nil {
			return string(data)
		}
	}
	t.Fatalf("no layer has %s", name)
	return ""
}

func TestFailingScript(t *testing.T) {
	for name, c := range map[string]struct {
		script rpm.Script
		want   []string
	}{
		"exit code":   {script(rpm.ScriptPost, "echo oh no; echo dear >&2; exit 3"), []string{"%post of package bad-1-1.noarch", "exit code 3", "oh no", "dear"}},
		"no program":  {rpm.Script{Kind: rpm.ScriptPost, Program: []string{"/usr/bin/perl"}, Body: "print 1"}, []string{"%post of package bad-1-1.noarch", "/usr/bin/perl"}},
		"lua":         {luaScript(rpm.ScriptPreTrans, "\nlocal x = nil\nx.y = 1"), []string{"%pretrans of package bad-1-1.noarch", `[string "%pretrans(bad-1-1.noarch)"]:3: attempt to index a nil value (local 'x')`}},
		"lua syntax":  {luaScript(rpm.ScriptPost, "if then"), []string{"%post of package bad-1-1.noarch", "invalid syntax", "unexpected symbol near 'then'"}},
		"lua loop":    {luaScript(rpm.ScriptPost, "while true do pcall(error) end"), []string{"%post of package bad-1-1.noarch", "was stopped after"}},
		"macros":      {rpm.Script{Kind: rpm.ScriptPost, Program: []string{"/bin/sh"}, Body: "echo %{_bindir}", Flags: rpm.ScriptExpand}, []string{"%post", "macros"}},
		"private key": {script(rpm.ScriptPost, "echo '-----BEGIN RSA PRIVATE KEY-----' >/usr/bin/key"), []string{"private key", "/usr/bin/key"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.script.Kind == rpm.ScriptPreTrans {
				needStatic(t)
			}
			packages := build(t, shell(t), rpmwrite.Spec{Name: "bad", Requires: requires("shell"), Scripts: []rpm.Script{c.script}})
			_, err := builder(t).Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64"})
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			var failed *imagescript.Error
			if name != "private key" && !errors.As(err, &failed) {
				t.Errorf("%T is no *script.Error", err)
			}
		})
	}
}

// TestScriptsLayer holds what scripts do against what is kept of it.
func TestScriptsLayer(t *testing.T) {
	post := `set -e
echo new >/etc/made
echo changed >/etc/changed
: >>/etc/touched
rm /etc/removed
rm -r /etc/dir
mkdir /etc/dir
echo x >/etc/dir/again
umask 077
mkdir /var/secret
echo log >/var/log/x
echo t >/tmp/t
echo 4711 >/etc/machine-id
echo 'root:*:99999:0:99999:7:::' >/etc/shadow
echo 'root:*:1:0:99999:7:::' >/etc/shadow-
read -r day </etc/made || :
`
	text := rpmwrite.Text
	packages := build(t, shell(t, "rm", "mkdir"), rpmwrite.Spec{
		Name: "p", Requires: requires("shell"),
		Files: []rpmwrite.File{
			rpmwrite.Dir("/etc"), rpmwrite.Dir("/etc/dir"), rpmwrite.Dir("/var/log"), text("/etc/dir/old", "o"),
			text("/etc/changed", "old"), text("/etc/touched", "t"), text("/etc/removed", "r"),
		},
		Scripts: []rpm.Script{script(rpm.ScriptPost, post)},
	})
	if os.Geteuid() != 0 {
		t.Skip("needs root for removals")
	}
	got := listing(t, layerOf(t, base(t, builder(t), packages), "scripts"))
	want := []string{
		"5 0755 0:0 315619200 etc/",
		`0 0000 0:0 1700000000 etc/.wh.removed`,
		`0 0644 0:0 1700000000 etc/changed "changed\n"`,
		"5 0755 0:0 315619200 etc/dir/",
		`0 0000 0:0 1700000000 etc/dir/.wh..wh..opq`,
		`0 0644 0:0 1700000000 etc/dir/again "x\n"`,
		`0 0600 0:0 1700000000 etc/machine-id`,
		`0 0644 0:0 1700000000 etc/made "new\n"`,
		`0 0600 0:0 1700000000 etc/shadow "root:*:19675:0:99999:7:::\n"`,
		"5 0755 0:0 315619200 var/",
		"5 0700 0:0 315619200 var/secret/",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestUsersMadeByScripts: the owner of a package's files is known only after its %pre ran.
func TestUsersMadeByScripts(t *testing.T) {
	setup := rpmwrite.Spec{Name: "setup", Files: []rpmwrite.File{
		rpmwrite.Dir("/etc"), rpmwrite.Text("/etc/passwd", "root:x:0:0::/root:/bin/sh\nbin:x:1:1::/:/sbin/nologin\n"),
		rpmwrite.Text("/etc/group", "root:x:0:\nbin:x:1:\nshadow:x:42:\n"), rpmwrite.Text("/etc/shadow", "root:*:1::::::\n"), rpmwrite.Text("/etc/gshadow", "root:::\n"),
	}}
	owned := func(path, user, group string) rpmwrite.File {
		f := rpmwrite.Text(path, path)
		f.Owner, f.Group = user, group
		return f
	}
	pre := `[ ! -e /usr/bin/web ] || exit 9
echo 'web:x:48:48::/:/sbin/nologin' >>/etc/passwd
echo 'web:x:48:' >>/etc/group`
	packages := build(t, shell(t), setup,
		rpmwrite.Spec{Name: "web", Requires: requires("shell", "setup"), Scripts: []rpm.Script{script(rpm.ScriptPre, pre)},
			Files: []rpmwrite.File{owned("/usr/bin/web", "web", "web"), owned("/usr/bin/bin", "bin", "shadow")}},
		rpmwrite.Spec{Name: "db", Provides: []rpm.Dependency{
			{Name: "user(db)", Sense: rpm.Equal, EVR: rpm.EVR{Version: "dSBkYiAtICJEYXRhIGJhc2UiIC92YXIvbGliL2RiIC0A"}}}, // u db - "Data base" /var/lib/db -
			Files: []rpmwrite.File{owned("/usr/bin/db", "db", "db"), owned("/usr/bin/lost", "nobody-knows", "db")}},
	)
	b := builder(t)
	img := base(t, b, packages)
	var got []string
	layers, _ := img.Layers()
	for _, l := range layers {
		for _, line := range listing(t, l) {
			if strings.Contains(line, " usr/bin/") && !strings.Contains(line, " 0:0 ") || strings.Contains(line, "lost") {
				got = append(got, line)
			}
		}
	}
	slices.Sort(got)
	want := []string{
		`0 0644 0:999 1699999000 usr/bin/lost "/usr/bin/lost"`,
		`0 0644 1:42 1699999000 usr/bin/bin "/usr/bin/bin"`,
		`0 0644 48:48 1699999000 usr/bin/web "/usr/bin/web"`,
		`0 0644 999:999 1699999000 usr/bin/db "/usr/bin/db"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	dirs, err := b.Unpack(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	passwd := readIn(t, dirs, "etc/passwd")
	for _, line := range []string{"db:x:999:999:Data base:/var/lib/db:/usr/sbin/nologin\n", "web:x:48:48::/:/sbin/nologin\n"} {
		if !strings.Contains(passwd, line) {
			t.Errorf("/etc/passwd lacks %q:\n%s", line, passwd)
		}
	}
	if img.IDs().Users["web"] != 48 || img.IDs().Groups["db"] != 999 {
		t.Errorf("ids: %v", img.IDs())
	}
}

func TestScriptThatFillsTheDisk(t *testing.T) {
	b := builder(t)
	lower, err := b.Unpack(t.Context(), base(t, b, build(t, shell(t, "dd"))))
	if err != nil {
		t.Fatal(err)
	}
	steps, _ := imagescript.Plan([]imagescript.Package{{
		Name: "hog-1-1.noarch", Short: "hog",
		Scripts: []rpm.Script{script(rpm.ScriptPost, "while :; do dd if=/dev/zero of=/hog bs=1M count=100; done")},
	}}, false)
	r := imagescript.Runner{Lower: lower, Upper: filepath.Join(t.TempDir(), "upper"), MaxBytes: 20 << 20, Log: slog.New(slog.DiscardHandler)}
	err = r.Run(t.Context(), steps)
	var failed *imagescript.Error
	if !errors.As(err, &failed) || failed.Package != "hog-1-1.noarch" || !strings.Contains(err.Error(), "writes more") {
		t.Errorf("got %v", err)
	}
}

func TestScriptsEndWithTheContext(t *testing.T) {
	b := builder(t)
	lower, err := b.Unpack(t.Context(), base(t, b, build(t, shell(t))))
	if err != nil {
		t.Fatal(err)
	}
	steps, _ := imagescript.Plan([]imagescript.Package{{Name: "x", Short: "x", Scripts: []rpm.Script{script(rpm.ScriptPost, "while :; do :; done")}}}, false)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r := imagescript.Runner{Lower: lower, Upper: filepath.Join(t.TempDir(), "upper"), Log: slog.New(slog.DiscardHandler)}
	if err := r.Run(ctx, steps); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestUmask builds where the user's files are for nobody else: the root of a container is not.
func TestUmask(t *testing.T) {
	packages := build(t, shell(t, "stat"), rpmwrite.Spec{
		Name: "p", Requires: requires("shell"),
		Provides: []rpm.Dependency{{Name: "user(db)", Sense: rpm.Equal, EVR: rpm.EVR{Version: "dSBkYiAtICJEYXRhIGJhc2UiIC92YXIvbGliL2RiIC0A"}}},
		Scripts:  []rpm.Script{script(rpm.ScriptPost, "stat -c %a / >/mode")},
	})
	want := digest(t, base(t, builder(t), packages))
	defer syscall.Umask(syscall.Umask(0o077))
	b := builder(t)
	img := base(t, b, packages)
	if got := digest(t, img); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	dirs, err := b.Unpack(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o755 {
			t.Errorf("the root of a layer has mode %v, %v", st.Mode(), err)
		}
	}
	if mode := readIn(t, dirs, "mode"); mode != "755\n" {
		t.Errorf("a script saw a root of mode %q", mode)
	}
}

// TestOrderOfRandomPackages compares the order of installation with that of rpm itself.
func TestOrderOfRandomPackages(t *testing.T) {
	oracle.Need(t, "rpm")
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		specs := make([]rpmwrite.Spec, 2+r.IntN(25))
		name := func() string { return string(rune('a' + r.IntN(len(specs)))) }
		for i := range specs {
			specs[i] = rpmwrite.Spec{Name: string(rune('a' + i)), Files: []rpmwrite.File{rpmwrite.Text("/opt/"+string(rune('a'+i)), "")}}
			for range r.IntN(4) {
				d := rpm.Dependency{Name: name()}
				switch r.IntN(6) {
				case 0:
					d.Sense = rpm.Pre
				case 1:
					d.Sense = rpm.Post
				case 2:
					d.Name = "/opt/" + d.Name
				case 3:
					d.Name = "(" + d.Name + " or " + name() + ")"
				}
				specs[i].Requires = append(specs[i].Requires, d)
			}
		}
		packages := build(t, specs...)
		want, err := exec.Command("rpm", "--root", installed(t, packages, "--justdb"), "--dbpath", "/var/lib/rpm", "-qa", "--qf", "%{NAME} ").Output()
		if err != nil {
			t.Fatal(err)
		}
		var list []imagescript.Package
		for _, p := range packages {
			file, err := rpm.Open(p.Path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			files, err := file.Files()
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, imagescript.Package{Name: p.NEVRA.String(), Requires: file.Requires(), Provides: file.Provides(), Files: files})
		}
		got := ""
		for _, i := range imagescript.Order(list) {
			got += packages[i].NEVRA.Name + " "
		}
		if got != string(want) {
			t.Errorf("seed %d:\n rpm:  %s\n ours: %s", seed, want, got)
		}
	}
}
