package rpmrepo

import (
	"fmt"
	"regexp"
	"strings"
)

// Copr's own instance: its repository files are served by one host, packages by another.
const (
	coprHub      = "copr.fedorainfracloud.org"
	coprDownload = "download.copr.fedorainfracloud.org"
)

var (
	coprOwner   = regexp.MustCompile(`^@?[A-Za-z0-9][A-Za-z0-9_.-]*$`)
	coprProject = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:-]*$`)
	coprHost    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?$`)
	coprChroot  = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9._]+)+$`)
)

// Copr gives the repository of a Copr project as "dnf copr enable" writes it. spec is OWNER/PROJECT,
// @GROUP/PROJECT, or either behind HOST/ for another instance, whose host also serves the packages;
// http:// or https:// may stand before the host. chroot is what the project builds for, as
// CoprChroot gives it. Packages are checked with the project's key, which is fetched from there.
func Copr(spec, chroot string) (Config, error) {
	scheme, rest, ok := strings.Cut(spec, "://")
	if !ok {
		scheme, rest = "https", spec
	}
	parts := strings.Split(rest, "/")
	hub := coprHub
	if len(parts) == 3 {
		hub, parts = parts[0], parts[1:]
	}
	if len(parts) != 2 || scheme != "https" && scheme != "http" || !coprHost.MatchString(hub) ||
		!coprOwner.MatchString(parts[0]) || !coprProject.MatchString(parts[1]) {
		return Config{}, fmt.Errorf("%q is not a Copr project: write it as OWNER/PROJECT, @GROUP/PROJECT or HOST/OWNER/PROJECT", spec)
	}
	if !coprChroot.MatchString(chroot) {
		return Config{}, fmt.Errorf("Copr project %s: %q is not a chroot such as fedora-43-x86_64", spec, chroot)
	}
	owner, project := parts[0], parts[1]
	host := hub
	if hub == coprHub {
		host = coprDownload
	}
	results := scheme + "://" + host + "/results/" + owner + "/" + project + "/"
	named := owner
	if group, ok := strings.CutPrefix(owner, "@"); ok {
		named = "group_" + group
	}
	c := DefaultConfig(strings.Join([]string{"copr", hub, named, project}, ":"), results+chroot+"/")
	c.Name = "Copr repo for " + project + " owned by " + owner
	c.GPGKey = []string{results + "pubkey.gpg"}
	return c, nil
}

// CoprChroot gives the chroot in which Copr builds for a release ("fedora-43", "centos-stream-9") and
// an architecture. What is rebuilt of RHEL takes the packages of EPEL, as "dnf copr" has it.
func CoprChroot(release, arch string) string {
	name, version, _ := strings.Cut(release, "-")
	switch name {
	case "rhel", "almalinux", "rocky":
		release = "epel-" + version
	}
	return release + "-" + arch
}
