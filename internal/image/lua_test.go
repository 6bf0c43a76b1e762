package image_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

func luaScript(kind rpm.ScriptKind, body string, conditions ...string) rpm.Script {
	s := script(kind, body, conditions...)
	s.Program = []string{"<lua>"}
	return s
}

// needStatic skips where the test's program, which runs scripts in Lua, cannot run in an empty root: the
// race detector needs the C library.
func needStatic(t testing.TB) {
	t.Helper()
	program, err := elf.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if program.Section(".interp") != nil {
		t.Skip("this test's program is linked dynamically (CGO_ENABLED=1)")
	}
}

// luaText is a script of testdata/lua.
func luaText(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/lua", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestLuaAsInRPM runs scripts in Lua by rpm and here: what the libraries answer is the same.
func TestLuaAsInRPM(t *testing.T) {
	oracle.Need(t, "rpm")
	report := luaText(t, "report.lua")
	for _, name := range []string{"arguments", "files", "streams", "os", "programs", "accounts", "rpm", "modules"} {
		t.Run(name, func(t *testing.T) {
			body := report + luaText(t, name+".lua")
			packages := build(t, shell(t, "cat", "true"), rpmwrite.Spec{
				Name: "lua", Requires: requires("shell"),
				Files: []rpmwrite.File{
					rpmwrite.Dir("/etc"), rpmwrite.Text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:The bin:/bin:/sbin/nologin\n"),
					rpmwrite.Text("/etc/group", "root:x:0:\nbin:x:1:\nmail:x:12:postfix,exim\n"), rpmwrite.Dir("/dev"),
				},
				Scripts: []rpm.Script{luaScript(rpm.ScriptPost, body)},
			})
			sameLog(t, packages)
		})
	}
}

// TestLuaScriptsInTurn has scripts change what only concerns their process, or leave something open:
// the next one finds nothing of it, as with rpm, whoever runs them in one process.
func TestLuaScriptsInTurn(t *testing.T) {
	oracle.Need(t, "rpm")
	report := luaText(t, "report.lua") + `say(posix.getcwd(), posix.umask(), posix.getenv("LEFT"), io.open("/opt/f"))`
	bodies := []string{
		`io.open("/opt/f", "w"):write("x"); os.remove("/opt/f")`,
		`posix.chdir("/opt"); print("out")`,
		`posix.umask("rwx------")`,
		`local pid = posix.fork(); if pid == 0 then posix.exec("/bin/true") else posix.wait(pid) end`,
		`posix.mkdir("/opt/made"); posix.symlink("made", "/opt/link")`,
		`say(posix.stat("/opt/made", "type"), posix.stat("/opt/link", "type"))`,
	}
	specs := []rpmwrite.Spec{shell(t, "true"), {Name: "base", Files: []rpmwrite.File{rpmwrite.Dir("/opt"), rpmwrite.Dir("/dev")}}}
	for i, body := range bodies {
		s := rpmwrite.Spec{Name: "p" + string(rune('0'+i)), Requires: requires("shell", "base"), Scripts: []rpm.Script{luaScript(rpm.ScriptPost, report+"\n"+body)}}
		if i > 0 {
			s.Requires = append(s.Requires, requires("p"+string(rune('0'+i-1)))...)
		}
		specs = append(specs, s)
	}
	sameLog(t, build(t, specs...))
}

// sameLog installs packages by rpm and here; what their scripts write down is the same.
func sameLog(t *testing.T, packages []image.BasePackage) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join(installed(t, packages), "log"))
	if err != nil {
		t.Fatal(err)
	}
	b := builder(t)
	dirs, err := b.Unpack(t.Context(), base(t, b, packages))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(readIn(t, dirs, "log"), "\n")); diff != "" {
		t.Errorf("scripts saw something else (-rpm +ours):\n%s", diff)
	}
}
