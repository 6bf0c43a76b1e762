package strategy

import (
	"fmt"
	"strings"
)

// BaseContainerfile writes how a base image is made of exactly these packages (NEVRAs): dnf of an image
// that the build argument INSTALLER names installs them from a repository in the folder rpms of the build's
// context, and nothing from anywhere else.
func BaseContainerfile(rpms, release string, packages []string) string {
	_, version, _ := strings.Cut(release, "-")
	var b strings.Builder
	fmt.Fprintf(&b, `ARG INSTALLER
FROM $INSTALLER AS installer
COPY %s /rpms
RUN dnf install -y --installroot=/image --releasever=%s \
    --disablerepo='*' --repofrompath=locked,file:///rpms --enablerepo=locked --nogpgcheck \
    --setopt=install_weak_deps=0 --setopt=best=1 --setopt=keepcache=0 --setopt=reposdir=/nowhere \
`, rpms, shellWord(version))
	for i, p := range packages {
		end := " \\"
		if i == len(packages)-1 {
			end = " \\\n    && rm -rf /image/var/cache/dnf /image/var/log/dnf*"
		}
		fmt.Fprintf(&b, "    %s%s\n", shellWord(p), end)
	}
	b.WriteString("\nFROM scratch\nCOPY --from=installer /image/ /\n")
	return b.String()
}
