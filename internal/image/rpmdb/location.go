package rpmdb

import "github.com/slipway-build/slipway/internal/rpm"

// The places where distributions keep the database. The newer one came with Fedora 36 and SUSE;
// there, the older is a link to it.
const (
	NewLocation = "/usr/lib/sysimage/rpm"
	OldLocation = "/var/lib/rpm"
)

// Location says where the database belongs in a root with these files: where a package brings the
// folder for it, and otherwise at the place that every rpm and scanner knows.
func Location(files [][]rpm.File) string {
	for _, list := range files {
		for i := range list {
			if list[i].Path == NewLocation && list[i].IsDir() {
				return NewLocation
			}
		}
	}
	return OldLocation
}
