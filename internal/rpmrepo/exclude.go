package rpmrepo

import (
	"path"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
)

// excludedBy says for each package whether the configuration hides it; nil if it hides none. What
// Exclude names is hidden even when Include names it.
func excludedBy(config Config, index *repodata.Index) []bool {
	if len(config.Include)+len(config.Exclude) == 0 {
		return nil
	}
	hidden := make([]bool, index.Len())
	if len(config.Include) > 0 {
		for i := range hidden {
			hidden[i] = true
		}
		for _, pattern := range config.Include {
			matching(index, pattern, func(i int) { hidden[i] = false })
		}
	}
	for _, pattern := range config.Exclude {
		matching(index, pattern, func(i int) { hidden[i] = true })
	}
	return hidden
}

// matching calls do for each package that a pattern means. dnf reads a pattern in the first of
// these ways in which it fits any package: name-[epoch:]version-release.arch, name.arch, name,
// name-[epoch:]version-release, name-[epoch:]version.
func matching(index *repodata.Index, pattern string, do func(int)) {
	for _, form := range subjectForms {
		p, ok := form(pattern)
		if !ok || !p.valid() {
			continue
		}
		found := false
		for i := range index.Len() {
			if p.matches(index.NEVRA(i)) {
				found = true
				do(i)
			}
		}
		if found {
			return
		}
	}
}

// subject is a pattern taken apart; each part is a glob, and empty where it may be anything.
type subject struct {
	name, version, release, arch string
	epoch                        string
}

var subjectForms = [...]func(string) (subject, bool){
	func(s string) (subject, bool) {
		s, arch, ok := cutLast(s, ".")
		p, ok2 := withVersion(s, true)
		p.arch = arch
		return p, ok && ok2
	},
	func(s string) (subject, bool) {
		name, arch, ok := cutLast(s, ".")
		return subject{name: name, arch: arch}, ok
	},
	func(s string) (subject, bool) { return subject{name: s}, true },
	func(s string) (subject, bool) { return withVersion(s, true) },
	func(s string) (subject, bool) { return withVersion(s, false) },
}

// withVersion reads name-[epoch:]version, with -release if that is wanted.
func withVersion(s string, release bool) (p subject, ok bool) {
	if release {
		if s, p.release, ok = cutLast(s, "-"); !ok {
			return p, false
		}
	}
	if p.name, p.version, ok = cutLast(s, "-"); !ok {
		return p, false
	}
	if epoch, version, ok := strings.Cut(p.version, ":"); ok {
		if _, err := strconv.ParseUint(epoch, 10, 32); err != nil {
			return p, false
		}
		p.epoch, p.version = epoch, version
	}
	return p, true
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i <= 0 || i == len(s)-1 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func (p subject) valid() bool {
	for _, glob := range []string{p.name, p.version, p.release, p.arch} {
		if _, err := path.Match(glob, ""); err != nil {
			return false
		}
	}
	return true
}

func (p subject) matches(n rpm.NEVRA) bool {
	return glob(p.name, n.Name) && glob(p.arch, n.Arch) && glob(p.version, n.EVR.Version) &&
		glob(p.release, n.EVR.Release) && (p.epoch == "" || p.epoch == strconv.Itoa(n.EVR.Epoch))
}

// glob matches as fnmatch(3) does for names, which have no slashes. An empty pattern fits anything.
func glob(pattern, s string) bool {
	if pattern == "" || pattern == s {
		return true
	}
	ok, err := path.Match(pattern, s)
	return ok && err == nil
}
