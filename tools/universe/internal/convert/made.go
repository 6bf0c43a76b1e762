package convert

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
)

// newMade starts a package that no Debian package stands behind.
func newMade(name, version, summary string, files ...rpmwrite.File) *pkg {
	return &pkg{dirs: map[string]rpmwrite.File{}, spec: rpmwrite.Spec{
		Name: name, EVR: rpm.EVR{Version: version, Release: "1"}, Arch: "noarch", Summary: summary,
		License: "CC0-1.0", Group: "admin", Vendor: vendor, BuildTime: epoch, Files: files,
	}}
}

// addMade adds the packages that every RPM distribution has, and a few that
// stand for what Fedora has.
func (u *universe) addMade() error {
	setup, err := u.setup()
	if err != nil {
		return fmt.Errorf("making setup: %w", err)
	}
	made := []*pkg{setup, u.filesystem(), accounts()}
	if u.debs["python3"] != nil && u.debs["python3-dev"] == nil {
		made = append(made, pythonDevel())
	}
	if u.Rich {
		made = append(made, rival("curl-minimal", "curl"), rival("coreutils-single", "coreutils"))
	}
	u.packages = append(u.packages, made...)
	return nil
}

// setup holds users, groups and what else is there before any program.
func (u *universe) setup() (*pkg, error) {
	passwd, err := u.read("base-passwd", "/usr/share/base-passwd/passwd.master", "root:*:0:0:root:/root:/bin/bash\nnobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
	if err != nil {
		return nil, err
	}
	group, err := u.read("base-passwd", "/usr/share/base-passwd/group.master", "root:*:0:\nshadow:*:42:\nstaff:*:50:\nnogroup:*:65534:\n")
	if err != nil {
		return nil, err
	}
	profile, err := u.read("base-files", "/usr/share/base-files/profile", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin\nexport PATH\n")
	if err != nil {
		return nil, err
	}
	return newMade("setup", "2.14.3", "Users, groups and the first configuration files",
		config(text("/etc/passwd", fields(passwd, func(f []string) []string { f[1] = "x"; return f }), 0o644)),
		config(text("/etc/group", fields(group, func(f []string) []string { f[1] = "x"; return f }), 0o644)),
		config(text("/etc/shadow", fields(passwd, func(f []string) []string {
			return []string{f[0], "*", "19000", "0", "99999", "7", "", "", ""}
		}), 0o640)),
		config(text("/etc/gshadow", fields(group, func(f []string) []string { return []string{f[0], "*", "", ""} }), 0o640)),
		config(text("/etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n", 0o644)),
		config(text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\ngshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n", 0o644)),
		config(text("/etc/profile", profile, 0o644)),
		config(text("/etc/shells", "/bin/sh\n", 0o644)),
		config(text("/etc/motd", "", 0o644)),
	), nil
}

// read gives a file of a Debian package, or the fallback where the closure does
// not hold the package.
func (u *universe) read(name, file, fallback string) (string, error) {
	deb := u.debs[name]
	if deb == nil {
		return fallback, nil
	}
	i := slices.IndexFunc(deb.Entries, func(e debian.Entry) bool { return e.Path == file })
	if i < 0 {
		return "", fmt.Errorf("%s holds no %s", name, file)
	}
	data, err := io.ReadAll(deb.Content(deb.Entries[i]))
	return string(data), err
}

// fields rewrites each line of a file of fields that colons divide.
func fields(file string, change func([]string) []string) string {
	var b strings.Builder
	for line := range strings.Lines(file) {
		if f := strings.Split(strings.TrimSuffix(line, "\n"), ":"); len(f) > 2 {
			b.WriteString(strings.Join(change(f), ":") + "\n")
		}
	}
	return b.String()
}

// rootDirs are directories that are there whether or not a package holds them,
// with the modes of those that are not 0755.
var rootDirs = map[string]uint32{
	"/boot": 0o755, "/dev": 0o755, "/etc": 0o755, "/home": 0o755, "/media": 0o755, "/mnt": 0o755, "/opt": 0o755,
	"/proc": 0o555, "/root": 0o700, "/run": 0o755, "/run/lock": 0o1777, "/srv": 0o755, "/sys": 0o555, "/tmp": 0o1777,
	"/usr/bin": 0o755, "/usr/lib": 0o755, "/usr/lib64": 0o755, "/usr/local/bin": 0o755, "/usr/local/lib": 0o755,
	"/usr/local/sbin": 0o755, "/usr/sbin": 0o755, "/var/cache": 0o755, "/var/lib/rpm": 0o755, "/var/log": 0o755,
	"/var/spool": 0o755, "/var/tmp": 0o1777,
}

// filesystem holds the links that merge /usr, and directories.
func (u *universe) filesystem() *pkg {
	p := newMade("filesystem", "3.18", "The links and directories that packages share")
	for _, dir := range mergedDirs[:4] {
		p.spec.Files = append(p.spec.Files, rpmwrite.Symlink(dir, "usr"+dir))
	}
	p.spec.Files = append(p.spec.Files, rpmwrite.Symlink("/var/run", "../run"), rpmwrite.Symlink("/var/lock", "../run/lock"))
	for i := range p.spec.Files {
		p.spec.Files[i].ModTime = epoch
	}
	for dir, mode := range rootDirs {
		p.holdDir(rpmwrite.File{Path: dir, Mode: rpm.ModeDirectory | mode, ModTime: epoch})
	}
	p.spec.Requires = []rpm.Dependency{{Name: "setup", Sense: rpm.Pre}}
	p.spec.Provides = []rpm.Dependency{{Name: "filesystem(merged-usr)"}}
	if u.Rich {
		// As in Fedora: on an empty root, before any program is there to do it.
		p.addScript(rpm.Script{Kind: rpm.ScriptPreTrans, Program: []string{"<lua>"}, Body: "posix.mkdir(\"/proc\")\nposix.mkdir(\"/sys\")\n" +
			"posix.chmod(\"/proc\", 0555)\nposix.chmod(\"/sys\", 0555)\n"})
	}
	return p
}

// holdDir adds a directory and, where they are missing, its parents.
func (p *pkg) holdDir(dir rpmwrite.File) {
	p.dirs[dir.Path] = dir
	for parent := path.Dir(dir.Path); parent != "/"; parent = path.Dir(parent) {
		if _, ok := p.dirs[parent]; !ok {
			p.dirs[parent] = rpmwrite.File{Path: parent, Mode: rpm.ModeDirectory | 0o755, ModTime: epoch}
		}
	}
}

// moveSharedDirs gives filesystem every directory that several packages hold, or
// that base-files holds, or that none holds although something lies in it.
func (u *universe) moveSharedDirs() {
	var filesystem *pkg
	holders := map[string]int{}
	shape := map[string]rpmwrite.File{}
	parents := map[string]bool{}
	links := map[string]bool{}
	for _, p := range u.packages {
		if p.spec.Name == "filesystem" {
			filesystem = p
		}
		for _, f := range p.spec.Files {
			parents[path.Dir(f.Path)] = true
			links[f.Path] = f.Mode&rpm.ModeTypeMask == rpm.ModeLink
		}
		for dir, f := range p.dirs {
			holders[dir]++
			parents[path.Dir(dir)] = true
			if _, ok := shape[dir]; !ok || p.spec.Name == "base-files" {
				shape[dir] = f
			}
			if p.spec.Name == "base-files" {
				holders[dir]++
			}
		}
	}
	delete(parents, "/")
	for _, dir := range slices.Sorted(maps.Keys(parents)) {
		if holders[dir] == 0 && !links[dir] {
			filesystem.holdDir(rpmwrite.File{Path: dir, Mode: rpm.ModeDirectory | 0o755, ModTime: epoch})
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(shape)) {
		if links[dir] {
			delete(filesystem.dirs, dir)
		} else if holders[dir] < 2 {
			continue
		}
		for _, p := range u.packages {
			if p != filesystem {
				delete(p.dirs, dir)
			}
		}
		if mode, ok := rootDirs[dir]; ok {
			f := shape[dir]
			f.Mode, f.Owner, f.Group = rpm.ModeDirectory|mode, "root", "root"
			shape[dir] = f
		}
		if !links[dir] {
			filesystem.holdDir(shape[dir])
		}
	}
}

// pythonDevel stands for the package that Fedora's spec files build-require; a
// pure Python build needs nothing of it but the interpreter.
func pythonDevel() *pkg {
	p := newMade("python3-devel", pythonVersion, "What spec files of Python packages build-require")
	p.spec.Requires = []rpm.Dependency{{Name: "python3"}, {Name: "python(abi)", Sense: rpm.Equal, EVR: rpm.EVR{Version: pythonVersion}}}
	return p
}

// rival stands for a package in a smaller build that cannot be there beside the real one, as Fedora's
// curl-minimal. Other than those it holds nothing and stands for nothing.
func rival(name, other string) *pkg {
	p := newMade(name, "1.0", "What cannot be installed beside "+other)
	p.spec.Requires = []rpm.Dependency{{Name: "filesystem"}}
	p.spec.Conflicts = []rpm.Dependency{{Name: other}}
	p.spec.Provides = []rpm.Dependency{{Name: other + "(minimal)"}}
	return p
}

// accounts declares a user in the way of rpm 4.19 and later: the line of
// sysusers.d stands in a Provide, and rpm makes the user before it unpacks files.
func accounts() *pkg {
	const line = `u greeter 1001 "Greeter service" /var/lib/greeter /usr/sbin/nologin`
	p := newMade("greeter-accounts", "1.0", "The user that the greeter example runs as",
		text("/usr/lib/sysusers.d/greeter.conf", line+"\n", 0o644))
	p.holdDir(rpmwrite.File{Path: "/var/lib/greeter", Mode: rpm.ModeDirectory | 0o750, ModTime: epoch, Owner: "greeter", Group: "greeter"})
	delete(p.dirs, "/var/lib")
	delete(p.dirs, "/var")
	p.spec.Requires = []rpm.Dependency{{Name: "filesystem"}}
	p.spec.Provides = []rpm.Dependency{
		{Name: "user(greeter)", Sense: rpm.Equal, EVR: rpm.EVR{Version: sysusersVersion(line)}},
		{Name: "group(greeter)"},
	}
	return p
}

// sysusersVersion encodes a line so that it can stand as a version: in base64,
// filled up with zero bytes, since a version holds no "=".
func sysusersVersion(line string) string {
	for len(line)%3 != 0 {
		line += "\x00"
	}
	return base64.StdEncoding.EncodeToString([]byte(line))
}
