package rpm

import (
	"strconv"
	"strings"
)

// Subject is one reading of a text that names packages, as dnf's command line and its exclude lists
// take it: parts of a NEVRA, each a pattern (see Glob), or empty where it may be anything.
type Subject struct {
	Name, Epoch, Version, Release, Arch string
}

// Subjects gives the readings of a text in the order in which dnf tries them; the first one that
// fits any package counts (dnf(8), "Specifying packages"):
//
//	name-[epoch:]version-release.arch
//	name.arch
//	name
//	name-[epoch:]version-release
//	name-[epoch:]version
//
// A text that cannot name a package, such as a path or "libc.so.6()(64bit)", has none.
func Subjects(text string) []Subject {
	if text == "" || strings.ContainsAny(text, "/(=<> \t\n") {
		return nil
	}
	var all []Subject
	before, arch, dotted := cutLast(text, ".")
	dotted = dotted && !strings.ContainsAny(arch, "-:")
	if dotted {
		if s, ok := versioned(before, 2); ok {
			s.Arch = arch
			all = append(all, s)
		}
		if !strings.Contains(before, ":") {
			all = append(all, Subject{Name: before, Arch: arch})
		}
	}
	if !strings.Contains(text, ":") {
		all = append(all, Subject{Name: text})
	}
	for _, parts := range []int{2, 1} {
		if s, ok := versioned(text, parts); ok {
			all = append(all, s)
		}
	}
	return all
}

// versioned reads name-[epoch:]version-release (parts is 2) or name-[epoch:]version (1).
func versioned(text string, parts int) (s Subject, ok bool) {
	if parts == 2 {
		if text, s.Release, ok = cutLast(text, "-"); !ok || strings.Contains(s.Release, ":") {
			return s, false
		}
	}
	if s.Name, s.Version, ok = cutLast(text, "-"); !ok {
		return s, false
	}
	if epoch, version, found := strings.Cut(s.Version, ":"); found {
		n, err := strconv.ParseUint(epoch, 10, 31)
		if err != nil || version == "" {
			return s, false
		}
		s.Epoch, s.Version = strconv.FormatUint(n, 10), version
	}
	return s, !strings.Contains(s.Name, ":") && !strings.Contains(s.Version, ":")
}

// cutLast cuts at the last separator that has something on both sides.
func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i <= 0 || i == len(s)-len(sep) {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// JustName says that nothing but the name counts.
func (s Subject) JustName() bool {
	return s.Epoch == "" && s.Version == "" && s.Release == "" && s.Arch == ""
}

// Matches says whether a package is meant.
func (s Subject) Matches(n NEVRA) bool {
	return part(s.Name, n.Name) && part(s.Arch, n.Arch) && part(s.Version, n.EVR.Version) &&
		part(s.Release, n.EVR.Release) && (s.Epoch == "" || s.Epoch == strconv.Itoa(n.EVR.Epoch))
}

func part(pattern, text string) bool { return pattern == "" || pattern == text || Glob(pattern, text) }
