package convert

import (
	"fmt"

	"github.com/slipway-build/slipway/internal/rpm"
)

// amendRich gives some packages of a rich universe what Debian has no word for and RPM distributions
// use: triggers on packages and files, scriptlets of every kind, a program with a capability.
func (u *universe) amendRich() {
	for _, p := range u.packages {
		switch p.spec.Name {
		case "tzdata":
			p.addScript(rpm.Script{Kind: rpm.ScriptPostTrans, Program: []string{"<lua>"}, Body: linkLocaltime})
		case "cron":
			p.addScript(shell(rpm.ScriptPreUn, "if [ $1 -eq 0 ]; then\n\trm -f /var/spool/cron/reload\nfi\n"))
			p.addScript(shell(rpm.ScriptPostUn, "exit 0\n"))
			p.addScript(rpm.Script{
				Kind: rpm.ScriptFileTriggerIn, Program: []string{"/bin/sh"}, Priority: rpm.DefaultPriority,
				Conditions: []rpm.Dependency{{Name: "/etc/cron.d"}, {Name: "/etc/cron.daily"}}, Body: ": >/var/spool/cron/reload\n",
			})
			p.spec.Files = append(p.spec.Files, ghost("/var/spool/cron/reload", 0o644))
		case "openssh-client":
			p.addScript(rpm.Script{
				Kind: rpm.ScriptTriggerIn, Program: []string{"/bin/sh"}, Conditions: []rpm.Dependency{{Name: "git"}},
				Body: "[ -e /etc/ssh/ssh_known_hosts ] || : >/etc/ssh/ssh_known_hosts\n",
			})
			p.spec.Files = append(p.spec.Files, config(ghost("/etc/ssh/ssh_known_hosts", 0o644)))
		case "less":
			p.addScript(rpm.Script{
				Kind: rpm.ScriptTriggerPostUn, Program: []string{"<lua>"},
				Conditions: []rpm.Dependency{{Name: "less", Sense: rpm.Less, EVR: rpm.EVR{Version: "500"}}},
				Body:       "os.remove(\"/etc/lesskey\")\n",
			})
		case "rsync":
			p.addScript(shell(rpm.ScriptPostTrans, "[ -d /etc/rsyncd.d ] || mkdir /etc/rsyncd.d\n"))
			p.require(rpm.Post, "coreutils")
			p.addScript(rpm.Script{Kind: rpm.ScriptPre, Program: []string{"<lua>"}, Body: migrateRsync})
		case "apache2-bin":
			p.setCapability("/usr/sbin/apache2", "cap_net_bind_service=ep")
		}
	}
}

// linkLocaltime has the time zone be UTC where nobody said otherwise.
const linkLocaltime = `if not posix.stat("/etc/localtime") then
  posix.symlink("../usr/share/zoneinfo/Etc/UTC", "/etc/localtime")
end
`

// migrateRsync does what a package does that once had a folder where it now has a file.
const migrateRsync = `local path = "/etc/default/rsync"
local st = posix.stat(path)
if st and st.type == "directory" then
  os.rename(path, path .. ".rpmmoved")
end
`

// richRelations are dependencies of the kinds that Debian's metadata has not. They are left out where
// the universe does not hold the package, and requirements where it does not meet them.
var richRelations = []struct {
	pkg, kind, text string
}{
	{"python3-pandas", "requires", "(python3-numpy >= 1:1.20 with python3-numpy < 1:3)"},
	{"curl", "requires", "(libcurl4 without libcurl-minimal)"},
	{"python3-flask-cors", "requires", "(python3-flask and python3-werkzeug)"},
	{"git", "requires", "(openssh-client if python3-git)"},
	{"openssh-client", "requires", "(passwd if login else base-passwd)"},
	{"cron", "requires", "(libpam-runtime unless systemd-cron)"},
	{"libapache2-mod-wsgi-py3", "requires", "((apache2 and (apache2-bin or apache2-mpm)) or nginx)"},
	{"rsync", "requires", "(bash unless dash else coreutils)"},
	{"nano", "conflicts", "(vim-tiny unless vim)"},
	{"vim", "conflicts", "(nano < 5 and vim-tiny)"},
	{"git", "recommends", "(less if bash else nano)"},
	{"python3-redis", "recommends", "(python3-hiredis if python3-celery)"},
	{"postgresql-client", "suggests", "(python3-psycopg2 if python3-sqlalchemy)"},
	{"redis-tools", "supplements", "(python3-redis and python3-celery)"},
	{"python3-flask-cors", "supplements", "(python3-flask and apache2)"},
	{"locales", "supplements", "libc6"},
	{"less", "enhances", "(bash and git)"},
}

// relateRich adds them.
func (u *universe) relateRich() error {
	for _, r := range richRelations {
		p := u.names[r.pkg]
		if p == nil {
			continue
		}
		d, err := rpm.ParseDependency(r.text)
		if err != nil {
			return fmt.Errorf("relating %s: %w", r.pkg, err)
		}
		switch r.kind {
		case "requires":
			if u.holds(d) {
				p.spec.Requires = append(p.spec.Requires, d)
			}
		case "conflicts":
			p.spec.Conflicts = append(p.spec.Conflicts, d)
		case "recommends":
			p.spec.Recommends = append(p.spec.Recommends, d)
		case "suggests":
			p.spec.Suggests = append(p.spec.Suggests, d)
		case "supplements":
			p.spec.Supplements = append(p.spec.Supplements, d)
		case "enhances":
			p.spec.Enhances = append(p.spec.Enhances, d)
		}
	}
	return nil
}

// holds is meets, also for rich dependencies: as things are when everything that a condition speaks
// of is installed.
func (u *universe) holds(d rpm.Dependency) bool {
	if !d.IsRich() {
		return u.meets(d)
	}
	r, err := rpm.ParseRich(d.Name)
	return err == nil && u.holdsRich(r)
}

func (u *universe) holdsRich(r *rpm.Rich) bool {
	switch r.Op {
	case rpm.RichDep:
		return u.meets(r.Dep)
	case rpm.RichOr:
		return u.holdsRich(r.Left) || u.holdsRich(r.Right)
	case rpm.RichAnd, rpm.RichWith:
		return u.holdsRich(r.Left) && u.holdsRich(r.Right)
	default:
		return u.holdsRich(r.Left) && (r.Else == nil || u.holdsRich(r.Else))
	}
}
