package convert

import (
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// amendAll does for some packages what Debian's maintainer scripts do, in the
// ways of RPM distributions: scriptlets, triggers, capabilities, ghosts.
func (u *universe) amendAll() {
	for _, p := range u.packages {
		switch p.spec.Name {
		case "libc6":
			// What every program with only a GNU hash table needs, and the one
			// package that all others come after.
			p.spec.Provides = append(p.spec.Provides, rpm.Dependency{Name: "rtld(GNU_HASH)"})
			p.spec.Requires = append(p.spec.Requires, rpm.Dependency{Name: "filesystem"})
		case "base-files":
			p.spec.Requires = append(p.spec.Requires, rpm.Dependency{Name: "filesystem"})
		case "libc-bin":
			p.amendLdconfig(u.Rich)
		case "bash":
			p.addScript(shell(rpm.ScriptPost, registerShell))
		case "ca-certificates":
			p.addScript(shell(rpm.ScriptPost, bundleCertificates))
			p.require(rpm.Post, "coreutils")
			p.spec.Files = append(p.spec.Files, ghost("/etc/ssl/certs/ca-certificates.crt", 0o644))
		case "iputils-ping":
			p.setCapability("/usr/bin/ping", "cap_net_raw=ep")
		case "libpam-runtime":
			for name, lines := range pamDefaults {
				p.spec.Files = append(p.spec.Files, config(text("/etc/pam.d/common-"+name, lines, 0o644)))
			}
		case "python3":
			p.spec.Provides = append(p.spec.Provides, rpm.Dependency{Name: "python(abi)", Sense: rpm.Equal, EVR: rpm.EVR{Version: pythonVersion}})
		case "python3-waitress":
			p.amendWaitress(u.debs["login"] != nil && u.debs["passwd"] != nil && u.debs["libc-bin"] != nil)
		case "apache2":
			p.addScript(shell(rpm.ScriptPost, enableModules))
			p.require(rpm.Post, "coreutils")
		}
	}
	if u.Rich {
		u.amendRich()
	}
}

// amendLdconfig has the linker's cache made anew after every transaction that
// puts something into /usr/lib.
func (p *pkg) amendLdconfig(lua bool) {
	p.spec.Files = append(p.spec.Files, ghost("/etc/ld.so.cache", 0o644), ghost("/var/cache/ldconfig/aux-cache", 0o600))
	p.dirs["/var/cache/ldconfig"] = rpmwrite.File{Path: "/var/cache/ldconfig", Mode: rpm.ModeDirectory | 0o700, ModTime: epoch}
	trigger := rpm.Script{
		Kind: rpm.ScriptTransFileTriggerIn, Program: []string{"/bin/sh"}, Priority: rpm.DefaultPriority,
		Conditions: []rpm.Dependency{{Name: "/usr/lib"}},
		// Not as the program itself: rpm gives a trigger an argument, ldconfig takes it for a folder.
		Body: "/sbin/ldconfig\n",
	}
	if lua {
		trigger.Program = []string{"<lua>"}
		trigger.Body = "local child = posix.fork()\nif child == 0 then\n  posix.exec(\"/sbin/ldconfig\")\nelseif child then\n  posix.wait(child)\nend\n"
	}
	p.addScript(trigger)
	trigger.Kind = rpm.ScriptTransFileTriggerPostUn
	p.addScript(trigger)
}

// amendWaitress gives the server a user of its own, made by a script as packages
// did before rpm could do it.
func (p *pkg) amendWaitress(canMakeUsers bool) {
	if !canMakeUsers {
		return
	}
	p.addScript(shell(rpm.ScriptPre, makeWaitressUser))
	p.require(rpm.Pre, "login") // nologin
	p.require(rpm.Pre, "passwd")
	p.require(rpm.Pre, "libc-bin")
	p.dirs["/var/lib/waitress"] = rpmwrite.File{
		Path: "/var/lib/waitress", Mode: rpm.ModeDirectory | 0o750, ModTime: epoch, Owner: "waitress", Group: "waitress",
	}
}

// registerShell uses nothing but the shell, which may be all that is there yet.
const registerShell = `known=no
if [ -f /etc/shells ]; then
	while read -r shell; do
		[ "$shell" != /bin/bash ] || known=yes
	done </etc/shells
fi
[ $known = yes ] || echo /bin/bash >>/etc/shells
`

const bundleCertificates = `LC_ALL=C
export LC_ALL
mkdir -p /etc/ssl/certs
cat /usr/share/ca-certificates/*/*.crt >/etc/ssl/certs/ca-certificates.crt.new
mv -f /etc/ssl/certs/ca-certificates.crt.new /etc/ssl/certs/ca-certificates.crt
`

const makeWaitressUser = `getent group waitress >/dev/null || groupadd -r waitress
getent passwd waitress >/dev/null ||
	useradd -r -g waitress -d /var/lib/waitress -s /usr/sbin/nologin -c "Waitress server" waitress
exit 0
`

const enableModules = `for module in mpm_event authz_core alias mime dir; do
	for kind in load conf; do
		[ ! -e /etc/apache2/mods-available/$module.$kind ] ||
			ln -sf ../mods-available/$module.$kind /etc/apache2/mods-enabled/$module.$kind
	done
done
mkdir -p /var/log/apache2
`

// pamDefaults are the stacks that all services include.
var pamDefaults = map[string]string{
	"account":                "account required pam_unix.so\n",
	"auth":                   "auth required pam_unix.so nullok\n",
	"password":               "password required pam_unix.so obscure yescrypt\n",
	"session":                "session required pam_unix.so\n",
	"session-noninteractive": "session required pam_unix.so\n",
}

func shell(kind rpm.ScriptKind, body string) rpm.Script {
	return rpm.Script{Kind: kind, Program: []string{"/bin/sh"}, Body: body}
}

// addScript adds a scriptlet, to the end of the one of its kind where there is
// one already.
func (p *pkg) addScript(s rpm.Script) {
	for i, old := range p.spec.Scripts {
		if old.Kind == s.Kind && len(s.Conditions) == 0 && strings.Join(old.Program, " ") == strings.Join(s.Program, " ") {
			p.spec.Scripts[i].Body += s.Body
			return
		}
	}
	p.spec.Scripts = append(p.spec.Scripts, s)
}

// require adds what a scriptlet needs; the sense says which one.
func (p *pkg) require(sense rpm.Sense, name string) {
	p.spec.Requires = append(p.spec.Requires, rpm.Dependency{Name: name, Sense: sense})
}

func (p *pkg) setCapability(path, capability string) {
	for i := range p.spec.Files {
		if p.spec.Files[i].Path == path {
			p.spec.Files[i].Caps = capability
		}
	}
}
