package scaffold

import (
	"path"
	"regexp"
	"strings"
)

// fallbackRelease is taken where nothing tells the release.
const fallbackRelease = "fedora-43"

var (
	fedoraTag = regexp.MustCompile(`^(\d{2,3}|rawhide)\b`)
	centosTag = regexp.MustCompile(`^(?:stream)?(\d{1,2})\b`)
	ubiName   = regexp.MustCompile(`^(?:ubi|rhel)(\d{1,2})`)
)

// firstRelease is the OS release of the first image reference that names one.
func firstRelease(froms []string) string {
	for _, ref := range froms {
		ref, _, _ = strings.Cut(ref, "@")
		name, tag, _ := strings.Cut(path.Base(ref), ":")
		switch {
		case strings.HasPrefix(name, "fedora"):
			if m := fedoraTag.FindStringSubmatch(tag); m != nil {
				return "fedora-" + m[1]
			}
		case strings.HasPrefix(name, "centos"):
			if m := centosTag.FindStringSubmatch(tag); m != nil {
				return "centos-stream-" + m[1]
			}
		default:
			if m := ubiName.FindStringSubmatch(name); m != nil {
				return "rhel-" + m[1]
			}
		}
	}
	return ""
}

// stock is a distribution's own repository.
type stock struct{ id, metalink, key string }

// stockRepositories are a distribution's own, for drafts of folders without a .repo file. The keys
// are where Fedora's and CentOS's packages put them.
func stockRepositories(release string) (stock, bool) {
	switch name, version, _ := cutLast(release, "-"); name {
	case "fedora":
		return stock{
			id:       "fedora",
			metalink: "https://mirrors.fedoraproject.org/metalink?repo=fedora-" + version + "&arch=x86_64",
			key:      "/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-" + version + "-x86_64",
		}, true
	case "centos-stream":
		return stock{
			id:       "baseos",
			metalink: "https://mirrors.centos.org/metalink?repo=centos-baseos-" + version + "-stream&arch=x86_64",
			key:      "/etc/pki/rpm-gpg/RPM-GPG-KEY-centosofficial",
		}, true
	}
	return stock{}, false
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
