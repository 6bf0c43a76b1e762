package rpmwrite

import (
	"cmp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// dependencyTags are the parallel arrays of one kind of dependency.
type dependencyTags struct{ name, flags, version rpm.Tag }

func dependencyEntries(spec *Spec, files []*entry) []rpm.Entry {
	kinds := []struct {
		tags dependencyTags
		deps []rpm.Dependency
	}{
		{dependencyTags{rpm.TagProvideName, rpm.TagProvideFlags, rpm.TagProvideVersion}, provides(spec, files)},
		{dependencyTags{rpm.TagRequireName, rpm.TagRequireFlags, rpm.TagRequireVersion}, requires(spec, files)},
		{dependencyTags{rpm.TagConflictName, rpm.TagConflictFlags, rpm.TagConflictVersion}, spec.Conflicts},
		{dependencyTags{rpm.TagObsoleteName, rpm.TagObsoleteFlags, rpm.TagObsoleteVersion}, spec.Obsoletes},
		{dependencyTags{rpm.TagRecommendName, rpm.TagRecommendFlags, rpm.TagRecommendVersion}, spec.Recommends},
		{dependencyTags{rpm.TagSuggestName, rpm.TagSuggestFlags, rpm.TagSuggestVersion}, spec.Suggests},
		{dependencyTags{rpm.TagSupplementName, rpm.TagSupplementFlags, rpm.TagSupplementVersion}, spec.Supplements},
		{dependencyTags{rpm.TagEnhanceName, rpm.TagEnhanceFlags, rpm.TagEnhanceVersion}, spec.Enhances},
	}
	var entries []rpm.Entry
	for _, k := range kinds {
		entries = append(entries, k.tags.entries(sorted(k.deps))...)
	}
	return entries
}

func (t dependencyTags) entries(deps []rpm.Dependency) []rpm.Entry {
	if len(deps) == 0 {
		return nil
	}
	var names, versions []string
	var flags []uint32
	for _, d := range deps {
		names, flags = append(names, d.Name), append(flags, uint32(d.Sense))
		versions = append(versions, d.EVR.String())
	}
	return []rpm.Entry{
		rpm.StringArrayEntry(t.name, names),
		rpm.Int32Entry(t.flags, flags...),
		rpm.StringArrayEntry(t.version, versions),
	}
}

// sorted orders dependencies as rpmbuild does and drops repetitions.
func sorted(deps []rpm.Dependency) []rpm.Dependency {
	deps = slices.Clone(deps)
	slices.SortFunc(deps, compareDependencies)
	return slices.Compact(deps)
}

func compareDependencies(a, b rpm.Dependency) int {
	return cmp.Or(strings.Compare(a.Name, b.Name),
		strings.Compare(a.EVR.String(), b.EVR.String()), cmp.Compare(a.Sense, b.Sense))
}

// isa is what rpm's %{_isa} adds to the name of an architecture's package.
func isa(arch string) string {
	switch arch {
	case "noarch":
		return ""
	case "x86_64", "x86_64_v2", "x86_64_v3", "amd64":
		return "(x86-64)"
	case "i386", "i486", "i586", "i686":
		return "(x86-32)"
	case "aarch64":
		return "(aarch-64)"
	case "ppc64", "ppc64le":
		return "(ppc-64)"
	case "s390x":
		return "(s390-64)"
	case "riscv64":
		return "(riscv-64)"
	}
	return "(" + arch + "-32)"
}

func provides(spec *Spec, files []*entry) []rpm.Dependency {
	deps := append(slices.Clone(spec.Provides), self(spec, spec.Name, 0))
	if suffix := isa(spec.Arch); suffix != "" {
		deps = append(deps, self(spec, spec.Name+suffix, 0))
	}
	if hasConfig(files) {
		deps = append(deps, self(spec, "config("+spec.Name+")", rpm.Config))
	}
	return deps
}

func self(spec *Spec, name string, extra rpm.Sense) rpm.Dependency {
	return rpm.Dependency{Name: name, Sense: rpm.Equal | extra, EVR: spec.EVR}
}

func hasConfig(files []*entry) bool {
	return slices.ContainsFunc(files, func(e *entry) bool { return e.Flags&rpm.FileConfig != 0 })
}

func requires(spec *Spec, files []*entry) []rpm.Dependency {
	deps := slices.Clone(spec.Requires)
	if hasConfig(files) {
		deps = append(deps, self(spec, "config("+spec.Name+")", rpm.Config))
	}
	for i := range spec.Scripts {
		s := &spec.Scripts[i]
		if !s.IsLua() {
			sense := rpm.Interp
			if _, plain := tagsOf(s.Kind); plain { // triggers are not told apart
				sense |= scriptSense(s.Kind)
			}
			deps = append(deps, rpm.Dependency{Name: program(s)[0], Sense: sense})
		}
	}
	return append(deps, features(spec, files)...)
}

// features lists what an rpm must understand to install the package.
func features(spec *Spec, files []*entry) []rpm.Dependency {
	type feature struct {
		needed        bool
		name, version string
	}
	all := []feature{
		{len(files) > 0, "CompressedFileNames", "3.0.4-1"},
		{len(files) > 0, "FileDigests", "4.6.0-1"},
		{true, "PayloadFilesHavePrefix", "4.0-1"},
		{spec.Compression == "zstd", "PayloadIsZstd", "5.4.18-1"},
		{spec.Compression == "xz", "PayloadIsXz", "5.2-1"},
		{spec.Compression == "lzma", "PayloadIsLzma", "4.4.6-1"},
		{hasCaps(files), "FileCaps", "4.6.1-1"},
		{hasHardLinks(files), "PartialHardlinkSets", "4.0.4-1"},
		{large(spec, files), "LargeFiles", "4.12.0-1"},
		{slices.ContainsFunc(spec.Scripts, func(s rpm.Script) bool { return s.IsLua() }), "BuiltinLuaScripts", "4.2.2-1"},
		{slices.ContainsFunc(spec.Scripts, func(s rpm.Script) bool { return len(s.Program) > 1 }), "ScriptletInterpreterArgs", "4.0.3-1"},
		{slices.ContainsFunc(spec.Scripts, func(s rpm.Script) bool { return s.Flags&(rpm.ScriptExpand|rpm.ScriptQueryFormat) != 0 }), "ScriptletExpansion", "4.9.0-1"},
		{anyDependency(spec, rpm.Dependency.IsRich), "RichDependencies", "4.12.0-1"},
		{versionHolds(spec, "~"), "TildeInVersions", "4.10.0-1"},
		{versionHolds(spec, "^"), "CaretInVersions", "4.15.0-1"},
	}
	var deps []rpm.Dependency
	for _, f := range all {
		if f.needed {
			version, release, _ := strings.Cut(f.version, "-")
			deps = append(deps, rpm.Dependency{Name: "rpmlib(" + f.name + ")",
				Sense: rpm.RPMLib | rpm.Less | rpm.Equal, EVR: rpm.EVR{Version: version, Release: release}})
		}
	}
	return deps
}

func anyDependency(spec *Spec, is func(rpm.Dependency) bool) bool {
	for _, deps := range [][]rpm.Dependency{spec.Provides, spec.Requires, spec.Conflicts, spec.Obsoletes,
		spec.Recommends, spec.Suggests, spec.Supplements, spec.Enhances} {
		if slices.ContainsFunc(deps, is) {
			return true
		}
	}
	return false
}

func versionHolds(spec *Spec, mark string) bool {
	holds := func(evr rpm.EVR) bool { return strings.Contains(evr.Version+evr.Release, mark) }
	return holds(spec.EVR) || anyDependency(spec, func(d rpm.Dependency) bool { return holds(d.EVR) || d.IsRich() && strings.Contains(d.Name, mark) })
}
