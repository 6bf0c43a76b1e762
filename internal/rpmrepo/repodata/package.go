package repodata

import "github.com/slipway-build/slipway/internal/rpm"

// Package is one package as primary.xml describes it. Packages of a repository are shared: nobody
// changes them.
type Package struct {
	rpm.NEVRA

	// SourceRPM is the file name of the source package; empty for a source package.
	SourceRPM string
	// Location is the path of the file below the repository's base URL, or, where the metadata has
	// an xml:base, the whole URL.
	Location string
	// SHA256 of the whole file, lowercase hex.
	SHA256 string
	// Size of the file and InstalledSize of its content, in bytes.
	Size, InstalledSize int64
	// BuildTime in seconds since 1970.
	BuildTime int64
	// HeaderStart and HeaderEnd are the byte range of the main header in the file.
	HeaderStart, HeaderEnd int64

	Summary, License, URL string

	// Requires that scripts have (pre="1") carry rpm.Prereq in their Sense.
	Provides, Requires, Conflicts, Obsoletes    []rpm.Dependency
	Recommends, Suggests, Supplements, Enhances []rpm.Dependency

	// Files are the paths that primary.xml lists: commands and configuration.
	Files []string
}

// IsSource says whether it is a source package, which lookups leave out: nothing can be installed
// of it.
func (p *Package) IsSource() bool { return isSource(p.Arch) }

func isSource(arch string) bool { return arch == "src" || arch == "nosrc" }

// lists are the dependency lists in the order that the index has them in.
func (p *Package) lists() [dependencyLists]*[]rpm.Dependency {
	return [dependencyLists]*[]rpm.Dependency{
		&p.Provides, &p.Requires, &p.Conflicts, &p.Obsoletes,
		&p.Recommends, &p.Suggests, &p.Supplements, &p.Enhances,
	}
}

// The lists of a package, by their place in the index. Files follow the dependencies.
const (
	listProvides = iota
	listRequires
	listConflicts
	listObsoletes
	listRecommends
	listSuggests
	listSupplements
	listEnhances
	dependencyLists
	listFiles = dependencyLists
	listCount = dependencyLists + 1
)

// Provider is a package and the entry of it that a lookup found.
type Provider struct {
	Package int
	Entry   rpm.Dependency
}
