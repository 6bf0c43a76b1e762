package rpm

import "strings"

// NEVRA is the package's identity. A source package has the architecture "src".
func (h *Header) NEVRA() NEVRA {
	n := NEVRA{
		Name: h.String(TagName),
		EVR:  EVR{Version: h.String(TagVersion), Release: h.String(TagRelease)},
		Arch: h.String(TagArch),
	}
	if epoch, ok := h.Uint32(TagEpoch); ok {
		n.EVR.Epoch = int(epoch)
	}
	if h.IsSource() {
		n.Arch = "src"
	}
	return n
}

// IsSource says whether this is a source package: it cannot be installed.
func (h *Header) IsSource() bool { return h.Has(TagSourcePackage) || !h.Has(TagSourceRPM) }

// SourceRPM is the file name of the source package that this one was built
// from, "" for a source package.
func (h *Header) SourceRPM() string { return h.String(TagSourceRPM) }

// InstalledSize is the sum of the sizes of all files, in bytes.
func (h *Header) InstalledSize() int64 {
	if n, ok := h.Uint64(TagLongSize); ok {
		return int64(n)
	}
	n, _ := h.Uint32(TagSize)
	return int64(n)
}

// Provides gives what the package provides, as the methods that follow give its
// other dependencies: in the header's order. Arrays of different lengths count as far as the names go.
func (h *Header) Provides() []Dependency {
	return h.dependencies(TagProvideName, TagProvideFlags, TagProvideVersion)
}

// Requires gives what must be there, for the package or one of its scripts.
func (h *Header) Requires() []Dependency {
	return h.dependencies(TagRequireName, TagRequireFlags, TagRequireVersion)
}

// OrderWithRequires gives what is to be installed before the package, if it is installed at all.
func (h *Header) OrderWithRequires() []Dependency {
	return h.dependencies(TagOrderName, TagOrderFlags, TagOrderVersion)
}

// Conflicts gives what may not be there.
func (h *Header) Conflicts() []Dependency {
	return h.dependencies(TagConflictName, TagConflictFlags, TagConflictVersion)
}

// Obsoletes gives the packages, by name, that this one replaces.
func (h *Header) Obsoletes() []Dependency {
	return h.dependencies(TagObsoleteName, TagObsoleteFlags, TagObsoleteVersion)
}

// Recommends gives what should be there (weak).
func (h *Header) Recommends() []Dependency {
	return h.dependencies(TagRecommendName, TagRecommendFlags, TagRecommendVersion)
}

// Suggests gives what could be there (a hint).
func (h *Header) Suggests() []Dependency {
	return h.dependencies(TagSuggestName, TagSuggestFlags, TagSuggestVersion)
}

// Supplements gives what should bring this package in (weak).
func (h *Header) Supplements() []Dependency {
	return h.dependencies(TagSupplementName, TagSupplementFlags, TagSupplementVersion)
}

// Enhances gives what this package is useful with (a hint).
func (h *Header) Enhances() []Dependency {
	return h.dependencies(TagEnhanceName, TagEnhanceFlags, TagEnhanceVersion)
}

func (h *Header) dependencies(name, flags, version Tag) []Dependency {
	return joinDependencies(h.Strings(name), h.Uint32s(flags), h.Strings(version))
}

func joinDependencies(names []string, flags []uint32, versions []string) []Dependency {
	if len(names) == 0 {
		return nil
	}
	deps := make([]Dependency, len(names))
	for i, name := range names {
		deps[i].Name = name
		if i < len(flags) {
			deps[i].Sense = Sense(flags[i])
		}
		if i < len(versions) {
			deps[i].EVR = splitEVR(versions[i])
		}
	}
	return deps
}

const (
	maxComponent = 255  // NAME_MAX of Linux
	maxPath      = 4095 // PATH_MAX of Linux, without the final NUL
)

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '/' }) < 0
}

func containsAny(s, chars string) bool { return strings.ContainsAny(s, chars) }
