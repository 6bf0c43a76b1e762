package rpmrepo

import (
	"embed"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Distributions' own .repo files name keys as files of the distribution's package of keys, which a
// machine of another kind lacks. These are the public keys of Fedora, EPEL and CentOS, one a file;
// TestShippedKeys holds each against the fingerprint that its distribution publishes.
//
//go:embed keys/*.asc
var shipped embed.FS

// shippedNames says which of the files below a path means. Of Rawhide it is the newest key, and the
// one before it, with which packages that were not rebuilt since are still signed.
var shippedNames = []struct {
	pattern *regexp.Regexp
	files   []string // $1 is the release
}{
	{regexp.MustCompile(`^RPM-GPG-KEY-fedora-([0-9]{1,3})-[a-z0-9_]+$`), []string{"fedora-$1"}},
	{regexp.MustCompile(`^RPM-GPG-KEY-fedora-rawhide-[a-z0-9_]+$`), []string{"fedora-46", "fedora-45"}},
	{regexp.MustCompile(`^RPM-GPG-KEY-EPEL-([0-9]{1,3})$`), []string{"epel-$1"}},
	{regexp.MustCompile(`^RPM-GPG-KEY-(?:centosofficial(?:-SHA256)?|CentOS-Official(?:-SHA256)?|CentOS-(?:9|10))$`), []string{"centos"}},
}

// keyFolders are where distributions keep their keys.
var keyFolders = []string{"/etc/pki/rpm-gpg/", "/usr/share/distribution-gpg-keys/"}

// shippedKey gives the keys, armored, that a file of this path has on the distribution it belongs
// to; nil where we have none of that name.
func shippedKey(file string) []byte {
	if !slices.ContainsFunc(keyFolders, func(dir string) bool { return strings.HasPrefix(file, dir) }) {
		return nil
	}
	var keys []byte
	name := path.Base(file)
	for _, known := range shippedNames {
		match := known.pattern.FindStringSubmatchIndex(name)
		if match == nil {
			continue
		}
		for _, f := range known.files {
			data, err := shipped.ReadFile("keys/" + string(known.pattern.ExpandString(nil, f, name, match)) + ".asc")
			if err != nil {
				return nil
			}
			keys = append(keys, data...)
		}
	}
	return keys
}

// shippedReleases lists what there are keys of, for a message.
func shippedReleases() string {
	entries, _ := shipped.ReadDir("keys")
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".asc")
	}
	return strings.Join(names, ", ")
}
