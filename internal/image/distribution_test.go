package image_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// The scripts below do, in words of their own, what those of Fedora's packages of the same names do.

// filesystemScript makes, in an empty root, the folders and links that decide where files go.
func filesystemScript(merged bool) string {
	body := `
for _, dir in ipairs {"/usr", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/lib/debug", "/run", "/proc", "/sys", "/var"} do posix.mkdir(dir) end
for link, target in pairs {["/bin"] = "usr/bin", ["/sbin"] = "usr/sbin", ["/lib"] = "usr/lib", ["/lib64"] = "usr/lib64", ["/var/run"] = "../run"} do
  posix.symlink(target, link)
end
posix.chmod("/proc", 0555)
posix.chmod("/sys", 0555)
local media = posix.stat("/media")
if media and media.type == "link" then os.remove("/media") end
`
	if merged {
		return body + `posix.symlink("bin", "/usr/sbin") return 0`
	}
	return body + `posix.mkdir("/usr/sbin") return 0`
}

// restorecon is a %posttrans that finds its program missing, as in a container.
const restorecon = `if posix.access("/usr/sbin/restorecon", "x") then rpm.execute("/usr/sbin/restorecon", "/var") end`

// unmergedLinks is a file trigger that links programs of /usr/bin into /usr/sbin where that is a folder.
const unmergedLinks = `
local sbin = posix.stat("/usr/sbin")
if not sbin or sbin.type == "link" then return end
local moved = {admin = true, ldconfig = true}
local path = rpm.next_file()
while path do
  local name = path:match("^.+/(.+)$")
  if moved[name] and posix.stat(path) and not posix.stat("/usr/sbin/" .. name) then
    posix.symlink("../bin/" .. name, "/usr/sbin/" .. name .. ".tmp")
    os.rename("/usr/sbin/" .. name .. ".tmp", "/usr/sbin/" .. name)
  end
  path = rpm.next_file()
end`

// glibcPost tidies libraries up, completes /etc/ld.so.conf, and runs programs that may be missing.
const glibcPost = `
local patterns = {"lib" .. "c" .. "%-[2-9]%.[0-9]+%.so$", "libm" .. "%.so%.[0-9]+%.old$"}
if posix.access("/usr/lib64") then
  for file in posix.files("/usr/lib64") do
    for _, p in ipairs(patterns) do
      if string.match(file, p) then os.remove("/usr/lib64/" .. file) end
    end
  end
end
local conf, tmp = "/etc/ld.so.conf", "/etc/ld.so.conf.tmp"
local have = false
for line in io.lines(conf) do have = have or line:match("^include ld.so.conf.d/%*%.conf$") ~= nil end
if not have then
  local out = assert(io.open(tmp, "w"))
  out:write("include ld.so.conf.d/*.conf\n")
  for line in io.lines(conf) do out:write(line .. "\n") end
  out:close()
  assert(os.rename(tmp, conf))
end
if not rpm.execute("/sbin/ldconfig") then io.stdout:write("no cache of libraries\n") end
if tonumber(arg[2]) >= 2 and posix.access("/usr/bin/systemctl", "x") then
  local pid = posix.fork()
  if pid == 0 then posix.redirect2null(2) posix.exec("/usr/bin/systemctl", "daemon-reexec") elseif pid > 0 then posix.wait(pid) end
end`

// distribution are packages that are installed before and after there is a shell.
func distribution(t *testing.T, merged bool) []image.BasePackage {
	link := rpmwrite.Symlink
	ghost := func(f rpmwrite.File) rpmwrite.File { f.Flags |= rpm.FileGhost; return f }
	dir := func(path string, mode uint32) rpmwrite.File {
		f := rpmwrite.Dir(path)
		f.Mode = rpm.ModeDirectory | mode
		return f
	}
	filesystem := rpmwrite.Spec{
		Name: "filesystem", Requires: requires("setup"),
		Files: []rpmwrite.File{
			dir("/usr", 0o755), dir("/usr/bin", 0o555), dir("/usr/lib", 0o555), dir("/usr/lib64", 0o555), dir("/var", 0o755), dir("/run", 0o755),
			ghost(dir("/proc", 0o555)), ghost(dir("/sys", 0o555)), link("/bin", "usr/bin"), link("/sbin", "usr/sbin"), link("/lib", "usr/lib"),
			link("/lib64", "usr/lib64"), ghost(link("/var/run", "../run")),
		},
		Scripts: []rpm.Script{
			luaScript(rpm.ScriptPreTrans, filesystemScript(merged)), luaScript(rpm.ScriptPostTrans, restorecon),
			luaScript(rpm.ScriptFileTriggerIn, unmergedLinks, "/usr/bin"),
		},
	}
	if merged {
		filesystem.Files = append(filesystem.Files, ghost(link("/usr/sbin", "bin")))
	} else {
		filesystem.Files = append(filesystem.Files, dir("/usr/sbin", 0o555))
	}
	record := func(name string, kind rpm.ScriptKind) rpm.Script {
		return luaScript(kind, luaText(t, "report.lua")+`
say("`+name+" "+kind.String()+`", arg[2], posix.stat("/usr/sbin", "type"), posix.stat("/usr/sbin/admin", "type"), posix.stat("/etc/passwd", "size"))`)
	}
	return build(t, filesystem,
		rpmwrite.Spec{
			Name: "setup",
			Files: []rpmwrite.File{
				dir("/etc", 0o755), rpmwrite.Text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"), rpmwrite.Text("/etc/group", "root:x:0:\n"),
				rpmwrite.Text("/etc/shells", "/bin/sh\n"),
			},
			Scripts: []rpm.Script{luaScript(rpm.ScriptPost, `for i, name in ipairs {"passwd", "shadow", "group", "gshadow"} do os.remove("/etc/" .. name .. ".rpmnew") end`)},
		},
		rpmwrite.Spec{
			Name: "glibc", Requires: requires("filesystem"),
			Files: []rpmwrite.File{
				rpmwrite.Text("/usr/lib64/libc.so.6", "c"), rpmwrite.Text("/usr/lib64/libc-2.33.so", "old"), rpmwrite.Text("/etc/ld.so.conf", "/opt/lib\n"),
			},
			Scripts: []rpm.Script{
				luaScript(rpm.ScriptPre, `if rpm.vercmp(posix.uname("%r"), "3.2") < 0 then error("FATAL: the kernel is too old", 0) end`),
				luaScript(rpm.ScriptPost, glibcPost), luaScript(rpm.ScriptTransFileTriggerIn, `rpm.execute("/sbin/ldconfig")`, "/lib", "/usr/lib", "/usr/lib64"),
			},
		},
		rpmwrite.Spec{
			Name: "bash", Requires: requires("glibc"),
			Files: []rpmwrite.File{rpmwrite.Text("/usr/bin/bash", "#!"), rpmwrite.Text("/usr/bin/ldconfig", "#!")},
			Scripts: []rpm.Script{luaScript(rpm.ScriptPost, `
local wanted = {["/bin/sh"] = true, ["/bin/bash"] = true}
local f = io.open("/etc/shells", "a+")
if f then
  for line in f:lines() do wanted[line] = nil end
  for shell in pairs(wanted) do f:write(shell .. "\n") end
  f:close()
end`)},
		},
		rpmwrite.Spec{
			Name: "admin", Requires: requires("bash"),
			Files: []rpmwrite.File{rpmwrite.Text("/usr/sbin/admin", "a"), rpmwrite.Text("/sbin/other", "o"), rpmwrite.Text("/usr/bin/plain", "p")},
			Scripts: []rpm.Script{
				record("admin", rpm.ScriptPre), record("admin", rpm.ScriptPost), record("admin", rpm.ScriptPostTrans),
			},
		},
		rpmwrite.Spec{
			Name: "crypto-policies", Requires: requires("filesystem"),
			Files: []rpmwrite.File{rpmwrite.Text("/usr/share/crypto-policies/DEFAULT/openssl.txt", "x")},
			Scripts: []rpm.Script{luaScript(rpm.ScriptPost, `
posix.mkdir("/etc/crypto-policies") posix.mkdir("/etc/crypto-policies/back-ends")
for file in posix.files("/usr/share/crypto-policies/DEFAULT") do
  local name = file:match("^(.+)%.txt$")
  if name then
    local link = "/etc/crypto-policies/back-ends/" .. name .. ".config"
    if not posix.access(link) then posix.symlink("/usr/share/crypto-policies/DEFAULT/" .. file, link) end
  end
end`)},
		},
	)
}

// TestDistribution installs what begins a distribution by rpm and here, with /usr/sbin a folder, and a
// link to bin that a script made.
func TestDistribution(t *testing.T) {
	oracle.Need(t, "rpm", "umoci")
	needStatic(t)
	if os.Geteuid() != 0 {
		oracle.Missing(t, "rpm --root needs root: run this test as root")
	}
	for name, merged := range map[string]bool{"split sbin": false, "merged sbin": true} {
		t.Run(name, func(t *testing.T) {
			packages := distribution(t, merged)
			theirs, ours := installed(t, packages), unpacked(t, base(t, builder(t), packages))
			want, got := survey(t, theirs), survey(t, ours)
			for _, path := range slices.Sorted(keys(want, got)) {
				if untimed(want[path]) != untimed(got[path]) && !strings.HasPrefix(path, "/var/lib/rpm") && path != "/log" {
					t.Errorf("%s: %s\n  rpm:  %s\n  ours: %s", classOf(want[path], got[path]), path, want[path], got[path])
				}
			}
			// Scripts see what they see under rpm, but for the files of all packages, which are there from
			// the start.
			log := func(root string) string {
				data, err := os.ReadFile(filepath.Join(root, "log"))
				if err != nil {
					t.Fatal(err)
				}
				first, rest, _ := strings.Cut(string(data), "\n")
				return strings.Replace(first, "| nil |", "| regular |", 1) + "\n" + rest
			}
			if diff := cmp.Diff(log(theirs), log(ours)); diff != "" {
				t.Errorf("scripts saw something else (-rpm +ours):\n%s", diff)
			}
			for path, link := range map[string]string{"/usr/sbin": "-> bin", "/usr/sbin/ldconfig": "-> ../bin/ldconfig"} {
				if is := strings.Contains(got[path], link); is != (merged == (path == "/usr/sbin")) {
					t.Errorf("%s is %q", path, got[path])
				}
			}
			if !strings.Contains(got["/etc/crypto-policies/back-ends/openssl.config"], "DEFAULT/openssl.txt") || got["/usr/lib64/libc-2.33.so"] != "" {
				t.Error("scripts did not run")
			}
		})
	}
}
