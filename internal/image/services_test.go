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

// executable is a shell script as a program.
func executable(path, body string) rpmwrite.File {
	f := rpmwrite.Text(path, "#!/bin/sh\n"+body+"\n")
	f.Mode = rpm.ModeRegular | 0o755
	return f
}

// unit is a service that may be enabled.
func unit(name string) rpmwrite.File {
	return rpmwrite.Text("/usr/lib/systemd/system/"+name+".service", "[Unit]\nDescription="+name+"\n[Service]\nExecStart=/usr/bin/true\n[Install]\nWantedBy=multi-user.target\n")
}

// whenBooted is a transaction file trigger in Lua that has a program run, as systemd's do: always, or
// only where a system runs.
func whenBooted(priority int, program string, always bool, prefixes ...string) rpm.Script {
	condition := `posix.access("/run/systemd/system")`
	if always {
		condition = "true"
	}
	return prioritised(luaScript(rpm.ScriptTransFileTriggerIn, `
if `+condition+` then
  local pid = posix.fork()
  if pid == 0 then
    assert(posix.exec(`+program+`))
  elseif pid > 0 then
    posix.wait(pid)
  end
end`, prefixes...), priority)
}

// services are packages whose scripts do, in words of their own, what those of Fedora's and CentOS's
// packages of the same names do.
func services(t *testing.T) []image.BasePackage {
	t.Helper()
	owned := func(f rpmwrite.File, owner string) rpmwrite.File {
		f.Owner, f.Group = owner, owner
		return f
	}
	post := func(unit string) string { // %systemd_post
		return `if [ $1 -eq 1 ] && [ -x /usr/lib/systemd/systemd-update-helper ]; then
  /usr/lib/systemd/systemd-update-helper install-system-units ` + unit + ` || :
fi
`
	}
	module := func(name string) rpmwrite.File {
		return rpmwrite.Text("/usr/lib/python3.11/site-packages/"+name+".py", "x = 1\n")
	}
	host := shell(t, "cat", "getent", "grep", "ln", "mkdir", "mv", "rm", "touch", "sort", "true", "/usr/bin/perl", "/usr/sbin/useradd", "/usr/sbin/groupadd",
		"/sbin/ldconfig", "/usr/bin/update-alternatives", "systemctl", "systemd-sysusers", "systemd-tmpfiles", "journalctl")
	host.Files = append(host.Files, rpmwrite.Dir("/var/lib/dpkg"), rpmwrite.Dir("/var/lib/dpkg/alternatives"),
		rpmwrite.Text("/etc/login.defs", fedoraContents["/etc/login.defs"]))
	return build(t, host,
		rpmwrite.Spec{Name: "setup", Files: []rpmwrite.File{
			rpmwrite.Dir("/etc"), rpmwrite.Text("/etc/passwd", fedoraContents["/etc/passwd"]), rpmwrite.Text("/etc/group", fedoraContents["/etc/group"]),
			rpmwrite.Text("/etc/shadow", fedoraContents["/etc/shadow"]), rpmwrite.Text("/etc/gshadow", fedoraContents["/etc/gshadow"]), rpmwrite.Text("/etc/ld.so.conf", "/usr/lib64/httpd\n"),
		}},
		rpmwrite.Spec{
			Name: "systemd", Requires: requires("shell", "setup"),
			Files: []rpmwrite.File{
				executable("/usr/lib/systemd/systemd-update-helper", `command=$1
shift
case $command in
install-system-units) systemctl --no-reload preset "$@" ;;
*) exit 3 ;;
esac`),
				rpmwrite.Text("/usr/lib/systemd/system-preset/90-default.preset", "enable httpd.service\nenable sshd.*\ndisable *\n"),
				rpmwrite.Text("/usr/lib/systemd/catalog/systemd.catalog", "-- f77379a8490b408bbe5f6940505a777b\nSubject: The journal was started\n\nIt was.\n"),
				rpmwrite.Text("/usr/lib/tmpfiles.d/systemd.conf", "d /var/lib/private 0700 root root -\nL /etc/mtab - - - - ../proc/self/mounts\nf /etc/stamp 0644 root root - stamped\n"),
				rpmwrite.Text("/usr/lib/sysusers.d/systemd.conf", "g systemd-journal 190\nu systemd-oom 985 \"Out of memory\" / -\n"),
				rpmwrite.Dir("/var/lib"), rpmwrite.Dir("/var/lib/systemd"), rpmwrite.Dir("/var/lib/systemd/catalog"), rpmwrite.Dir("/etc/systemd"), rpmwrite.Dir("/etc/systemd/system"),
			},
			Scripts: []rpm.Script{
				script(rpm.ScriptPre, "getent group cdrom >/dev/null 2>&1 || groupadd -r -g 11 cdrom >/dev/null 2>&1 || :"),
				script(rpm.ScriptPost, `[ -e /etc/machine-id ] || : >/etc/machine-id
systemd-sysusers /usr/lib/sysusers.d/systemd.conf >/dev/null 2>&1 || :
journalctl --update-catalog >/dev/null 2>&1 || :
systemd-tmpfiles --create /usr/lib/tmpfiles.d/systemd.conf >/dev/null 2>&1 || :
systemctl daemon-reexec >/dev/null 2>&1 || :
if [ $1 -eq 1 ]; then systemctl preset-all >/dev/null 2>&1 || :; fi
`),
				whenBooted(900900, `"/usr/bin/systemctl", "daemon-reload"`, false, "/usr/lib/systemd/system/", "/etc/systemd/system/"),
				whenBooted(1000700, `"/usr/bin/systemd-sysusers"`, true, "/usr/lib/sysusers.d/"),
				whenBooted(1000600, `"/usr/bin/journalctl", "--update-catalog"`, true, "/usr/lib/systemd/catalog/"),
				whenBooted(1000500, `"/usr/bin/systemd-tmpfiles", "--create"`, true, "/usr/lib/tmpfiles.d/"),
			},
		},
		rpmwrite.Spec{
			Name: "alternatives", Requires: requires("shell", "setup"),
			Files: []rpmwrite.File{rpmwrite.Dir("/etc/alternatives"), executable("/usr/bin/chkconfig", `[ "$1" = --add ] || exit 2
for level in 3 5; do mkdir -p /etc/rc.d/rc$level.d; ln -sf ../init.d/$2 /etc/rc.d/rc$level.d/S85$2; done`)},
		},
		rpmwrite.Spec{
			Name: "httpd-filesystem", Requires: requires("shell", "setup"),
			Files: []rpmwrite.File{rpmwrite.Dir("/var/www"), owned(rpmwrite.Dir("/var/lib/httpd"), "apache")},
			Scripts: []rpm.Script{script(rpm.ScriptPre, `getent group apache >/dev/null || groupadd -g 48 -r apache
getent passwd apache >/dev/null || useradd -r -u 48 -g apache -s /sbin/nologin -d /var/www -c "Apache" apache
exit 0`)},
		},
		rpmwrite.Spec{
			Name: "httpd", Requires: requires("httpd-filesystem", "systemd", "alternatives"),
			Files: []rpmwrite.File{
				unit("httpd"), unit("htcacheclean"), rpmwrite.Text("/usr/bin/httpd.worker", "w"), rpmwrite.Text("/usr/bin/httpd.event", "e"),
				rpmwrite.Text("/usr/lib/tmpfiles.d/httpd.conf", "d /run/httpd 0710 root apache\nd /var/cache/httpd 0700 apache apache\n"),
				rpmwrite.Text("/etc/rc.d/init.d/httpd", "#"), owned(rpmwrite.Text("/var/lib/httpd/state", "s"), "apache"),
			},
			Scripts: []rpm.Script{
				script(rpm.ScriptPost, post("httpd.service htcacheclean.service")+`update-alternatives --install /usr/bin/httpd httpd /usr/bin/httpd.worker 10
update-alternatives --install /usr/bin/httpd httpd /usr/bin/httpd.event 20
/usr/bin/chkconfig --add httpd
`),
				script(rpm.ScriptPostTrans, "[ -x /usr/bin/systemctl ] && systemctl try-restart httpd.service htcacheclean.service >/dev/null 2>&1 || :"),
			},
		},
		rpmwrite.Spec{
			Name: "mod_ssl", Requires: requires("httpd"),
			Files: []rpmwrite.File{rpmwrite.Text("/usr/lib64/httpd/mod_ssl.so", "no ELF"), rpmwrite.Text("/usr/lib/sysusers.d/mod_ssl.conf", "u sslcache - \"TLS cache\" /var/cache\n"),
				rpmwrite.Text("/usr/lib/systemd/catalog/mod_ssl.catalog", "-- 0123456789abcdef0123456789abcdef\nSubject: A certificate ended\n\nIt did.\n")},
			// Options of an interpreter come before the script, %pre -p "/bin/sh -e".
			Scripts: []rpm.Script{{Kind: rpm.ScriptPost, Program: []string{"/bin/sh", "-e", "-u"}, Body: "echo \"$-: $1\" >>/log\n(false; echo not here >>/log) || echo -e works >>/log\n"}},
		},
		rpmwrite.Spec{
			Name: "python3", Requires: requires("shell"),
			Files: []rpmwrite.File{module("builtin")},
			Scripts: []rpm.Script{
				// Modules are "compiled" as they come, and a list of them is made at the end.
				{Kind: rpm.ScriptFileTriggerIn, Program: []string{"/usr/bin/perl"}, Priority: rpm.DefaultPriority, Conditions: requires("/usr/lib/python3.11/site-packages/"), Body: `
open(my $log, ">>", "/log") or die;
print $log "compiling, with @ARGV\n";
while (my $path = <STDIN>) {
  chomp $path;
  next unless $path =~ m{^(.*)/([^/]+)\.py$};
  mkdir "$1/__pycache__";
  open(my $out, ">", "$1/__pycache__/$2.cpython-311.pyc") or die "$path: $!";
  print $out "compiled $2";
  print $log "  $path\n";
}`},
				{Kind: rpm.ScriptTransFileTriggerIn, Program: []string{"/bin/sh"}, Priority: rpm.DefaultPriority, Conditions: requires("/usr/lib/python3.11"),
					Body: "while read -r path; do echo \"$path\"; done | sort >/usr/lib/python3.11/modules.list"},
			},
		},
		rpmwrite.Spec{Name: "python3-flask", Requires: requires("python3"), Files: []rpmwrite.File{module("flask"), module("werkzeug")}},
		rpmwrite.Spec{Name: "glibc-common", Requires: requires("shell"), Files: []rpmwrite.File{rpmwrite.Text("/etc/locale.conf", "")}, Scripts: []rpm.Script{
			prioritised(luaScript(rpm.ScriptTransFileTriggerIn, `rpm.execute("/sbin/ldconfig")`, "/lib", "/lib64", "/usr/lib", "/usr/lib64"), 2000000)}},
		// A program alone, without a script.
		rpmwrite.Spec{Name: "libs", Requires: requires("glibc-common"), Files: []rpmwrite.File{rpmwrite.Text("/usr/lib/libs.txt", "l")}, Scripts: []rpm.Script{
			{Kind: rpm.ScriptPost, Program: []string{"/sbin/ldconfig"}}}},
	)
}

// TestServices installs packages of a web server by rpm and here: users that they need, services that are
// enabled, what tmpfiles.d and sysusers.d declare, alternatives, file triggers in Lua, perl and sh.
func TestServices(t *testing.T) {
	oracle.Need(t, "rpm", "umoci", "useradd", "update-alternatives", "systemctl", "systemd-sysusers", "systemd-tmpfiles", "journalctl", "unshare")
	needStatic(t)
	if os.Geteuid() != 0 {
		oracle.Missing(t, "rpm --root needs root: run this test as root")
	}
	packages := services(t)
	theirs, ours := installed(t, packages, withProc), unpacked(t, base(t, builder(t), packages))
	want, got := survey(t, theirs), survey(t, ours)
	for _, path := range slices.Sorted(keys(want, got)) {
		switch {
		case untimed(want[path]) == untimed(got[path]), strings.HasPrefix(path, "/run/"), strings.HasPrefix(path, "/var/log/"):
		case path == "/dev", path == "/proc": // made for rpm's scripts
		case expected(path, want[path], got[path], buildTime):
		default:
			t.Errorf("%s: %s\n  rpm:  %s\n  ours: %s", classOf(want[path], got[path]), path, want[path], got[path])
		}
	}
	for _, name := range []string{"log", "etc/passwd", "etc/group", "etc/gshadow"} {
		read := func(root string) []string {
			data, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			return strings.Split(string(data), "\n")
		}
		if diff := cmp.Diff(read(theirs), read(ours)); diff != "" {
			t.Errorf("/%s (-rpm +ours):\n%s", name, diff)
		}
	}
	for path, part := range map[string]string{
		"/etc/systemd/system/multi-user.target.wants/httpd.service": "-> /",
		"/etc/alternatives/httpd":                                   "-> /usr/bin/httpd.event",
		"/etc/rc.d/rc5.d/S85httpd":                                  "-> ../init.d/httpd",
		"/var/lib/httpd":                                            "48:48",
		"/var/lib/httpd/state":                                      "48:48",
		"/var/cache/httpd":                                          "drwx------ 48:48",
		"/var/lib/systemd/catalog/database":                         "@",
		"/etc/stamp":                                                "@",
		"/etc/mtab":                                                 "-> ../proc/self/mounts",
		"/usr/lib/python3.11/site-packages/__pycache__/werkzeug.cpython-311.pyc":       "@",
		"/usr/lib/python3.11/modules.list":                                             "@",
		"/etc/ld.so.cache":                                                             "@",
		"/etc/systemd/system/multi-user.target.wants/htcacheclean.service (not there)": "",
	} {
		path, absent := strings.CutSuffix(path, " (not there)")
		if absent != (got[path] == "") || !strings.Contains(got[path], part) {
			t.Errorf("%s is %q, want %q", path, got[path], part)
		}
	}
}
