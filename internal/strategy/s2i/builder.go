package s2i

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Labels of builder images.
const (
	labelScripts     = "io.openshift.s2i.scripts-url"
	labelOldScripts  = "io.s2i.scripts-url"
	labelDestination = "io.openshift.s2i.destination"
	labelUser        = "io.openshift.s2i.assemble-user"
	labelBuiltBy     = "io.openshift.s2i.build.image"
)

// keptScripts is where an image has scripts that its builder did not have.
const keptScripts = "/usr/local/libexec/s2i"

// contract is what a builder image says of itself.
type contract struct {
	scripts     string // URL
	destination string
	user        string
}

func readContract(c v1.Config) (contract, error) {
	k := contract{
		scripts:     cmp.Or(c.Labels[labelScripts], c.Labels[labelOldScripts]),
		destination: cmp.Or(c.Labels[labelDestination], "/tmp"),
		user:        cmp.Or(c.Labels[labelUser], c.User),
	}
	if !path.IsAbs(k.destination) || path.Clean(k.destination) != k.destination || k.destination == "/" {
		return k, fmt.Errorf("the builder's label %s is %q, which is no folder", labelDestination, k.destination)
	}
	return k, nil
}

// isRoot tells whether a user is the superuser, as an image's configuration writes it.
func isRoot(user string) bool {
	name, _, _ := strings.Cut(user, ":")
	return name == "root" || strings.Trim(name, "0") == ""
}
