// Package archive keeps the RPMs of locks, so that a lock can be built when the distribution has long
// dropped them.
//
// An archive is a Folder or a Registry. Both hold the same: for each target and each of its repositories
// a plain repository, RPMs under the paths that they had there and metadata of our own writing, which
// dnf reads as well. So an archived package keeps the repository that it came from, and with it the keys
// that must have signed it: the archive is no new source of trust. What is fetched from one is checked as
// if it came from the repository.
//
// A Folder has everything that was ever added, at TARGET/REPOSITORY/. A Registry has an artifact for each
// lock, of which a tag named after the target is the last one; equal RPMs are stored once, by their
// sha256.
package archive

import (
	"context"
	"fmt"
	"path"
	"strings"
)

// Package is an RPM to keep.
type Package struct {
	// Repository is the ID of the repository that it is from, Location its path there.
	Repository, Location string
	// SHA256 in lowercase hex, Size in bytes.
	SHA256 string
	Size   int64
	// Path is where it lies on this machine, verified.
	Path string
}

// Archive keeps packages. It is safe for concurrent use.
type Archive interface {
	// Add keeps all packages of a target's lock, and says what was not there yet.
	Add(ctx context.Context, target string, packages []Package) (Added, error)
	// Repositories finds what is kept for a target: a place that rpmrepo loads metadata from, by the ID of
	// the repository. It is empty where nothing is kept yet.
	Repositories(ctx context.Context, target string) (map[string]string, error)
	// Places are where a package would be, for rpmrepo.Artifact.Also. Nobody has looked.
	Places(target string, p Package) []string
	// String says where the archive is, without credentials.
	String() string
}

// Added says what Add did.
type Added struct {
	// Packages and Bytes are what was new, of Total.
	Packages, Total int
	Bytes           int64
	// Reference names what was written: a folder, or an artifact by digest.
	Reference string
}

// FolderName is the name of a repository's folder. IDs may have any characters, names of files not.
func FolderName(repository string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", r) {
			return r
		}
		return '_'
	}, repository)
	if strings.HasPrefix(name, ".") {
		return "_" + name
	}
	return name
}

// locate is the path of a package in its repository's folder; other is a second one, for a package that
// has the name of another.
func (p *Package) locate() (first, other string, err error) {
	first = p.Location
	if strings.Contains(first, "://") {
		first = path.Base(first)
	}
	if first = path.Clean("/" + first)[1:]; first == "" || strings.HasPrefix(first, "repodata/") {
		return "", "", fmt.Errorf("archiving %q: it is not the path of a package", p.Location)
	}
	return first, p.SHA256[:16] + "/" + path.Base(first), nil
}
