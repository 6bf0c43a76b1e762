package lock

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Version is the version of the format that this package writes.
const Version = 1

// FileName is what a lock is called beside slipway.yaml.
const FileName = "slipway.lock"

// Lock is a lock file: the packages of each target.
type Lock struct {
	// Version of the format; 0 when marshalled means Version.
	Version int
	// Targets are sorted by name in the file.
	Targets []Target
}

// Target is what one target was resolved to.
type Target struct {
	// Name is the target's name in slipway.yaml; Release its OS release ("fedora-43"); Arch its
	// architecture ("x86_64").
	Name, Arch, Release string
	// Repositories are what was resolved from, sorted by ID in the file.
	Repositories []Repository
	// Requests tells, for each root, what was asked for when it was locked: a sha256, in lowercase
	// hex, of the requests. A root whose requests have changed must be locked again.
	Requests map[string]string
	// Packages are sorted by NEVRA in the file, then by roots.
	Packages []Package
}

// Repository is the state of a repository at the time of the lock.
type Repository struct {
	// ID is what Package.Repository refers to.
	ID string
	// URL is where it was found; it holds no credentials.
	URL string
	// Repomd is the sha256 of repomd.xml, in lowercase hex.
	Repomd string
	// Revision is what repomd.xml calls itself; it may be empty.
	Revision string
}

// Package is one locked RPM. The same NEVRA occurs once a target.
type Package struct {
	NEVRA rpm.NEVRA
	// Repository is the ID of the repository, Path the place below its URL.
	Repository, Path string
	// SHA256 of the file in lowercase hex, Size its size in bytes.
	SHA256 string
	Size   int64
	// Source is the file name of the source package, by which packages are grouped into layers.
	Source string
	// Layer is the name of the image layer that holds the package, see Plan. Empty: it is in none
	// (a package of the build root only).
	Layer string
	// Roots are what it is installed in: names of images, and BuildRoot.
	Roots []string
	// Why says what needs it, for people.
	Why string
}

// BuildRoot is the root in which wheels are built, among Package.Roots: of all projects that the
// target's images have. See BuildRootOf.
const BuildRoot = "build"

// BuildRootOf names the root in which the wheels of some of a target's projects are built, where an
// environment has not all of them: environments with other projects have a root of their own each.
// The name says which projects; many are told by a hash.
func BuildRootOf(projects []string) string {
	projects = sorted(projects, strings.Compare)
	name := strings.Join(projects, "+")
	if len(name) > maxBuildRoot {
		sum := sha256.Sum256([]byte(name))
		name = hex.EncodeToString(sum[:6])
	}
	return buildRoots + name
}

const (
	buildRoots   = BuildRoot + ":"
	maxBuildRoot = 40
)

// IsBuildRoot tells roots in which wheels are built from images, which have no colon in their names.
func IsBuildRoot(root string) bool { return root == BuildRoot || strings.HasPrefix(root, buildRoots) }
