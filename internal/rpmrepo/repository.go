package rpmrepo

import (
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo/modulemd"
	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
)

// Package is one package as primary.xml describes it.
type Package = repodata.Package

// Provider is a package and the entry of it that a lookup found.
type Provider = repodata.Provider

// Advisory is what updateinfo.xml says of an update.
type Advisory = repodata.Advisory

// State says which version of a repository was read; it is what a lock records.
type State struct {
	// RepomdSHA256 is the sha256 of repomd.xml, in lowercase hex.
	RepomdSHA256 string
	// Revision is what repomd.xml calls its revision: mostly seconds since 1970, but any text.
	Revision string
	// Timestamp is the newest timestamp of its parts, in seconds since 1970.
	Timestamp int64
}

// Repository is a loaded repository. It never changes and is safe for concurrent use.
//
// Packages have numbers from 0 to Len-1, in the order of the metadata. They are decoded when first
// asked for; the same number gives the same pointer each time. Lookups leave out what the
// configuration excludes (Config.Include, Config.Exclude) and source packages; Package still knows
// them, so that an explanation can say so.
type Repository struct {
	Config Config
	State  State

	index    *repodata.Index
	decoded  []atomic.Pointer[Package]
	excluded []bool // nil when nothing is
	// hiding says of packages that Hide hid why.
	hiding  map[int]string
	modules *modulemd.Index // nil where there are none

	// loadFiles brings filelists.xml; nil where there is none.
	loadFiles func(context.Context) (*repodata.Files, error)
	filesOnce sync.Mutex
	files     *repodata.Files
	byFile    []int // number of our package for each of files, -1 where we have it not

	// loadAdvisories brings updateinfo.xml; nil where there is none.
	loadAdvisories func(context.Context) ([]Advisory, error)
}

// New makes a repository of packages at hand. Package i of it equals packages[i], but for lists
// that are empty and not nil.
func New(config Config, packages []Package) (*Repository, error) {
	index, err := repodata.WritePackageIndex(io.Discard, packages)
	if err != nil {
		return nil, err
	}
	return newRepository(config, index), nil
}

func newRepository(config Config, index *repodata.Index) *Repository {
	return &Repository{
		Config: config, index: index, excluded: excludedBy(config, index),
		decoded: make([]atomic.Pointer[Package], index.Len()),
	}
}

// Len is the number of packages, excluded ones included.
func (r *Repository) Len() int { return r.index.Len() }

// Package gives package i, also when it is excluded.
func (r *Repository) Package(i int) *Package {
	if p := r.decoded[i].Load(); p != nil {
		return p
	}
	p := r.index.Package(i)
	if !r.decoded[i].CompareAndSwap(nil, p) {
		return r.decoded[i].Load()
	}
	return p
}

// NEVRA is that of package i, which is not decoded for it.
func (r *Repository) NEVRA(i int) rpm.NEVRA { return r.index.NEVRA(i) }

// Excluded says whether the configuration hides package i.
func (r *Repository) Excluded(i int) bool { return r.excluded != nil && r.excluded[i] }

// Hiding says why package i is hidden, where Hide hid it; otherwise it is empty.
func (r *Repository) Hiding(i int) string { return r.hiding[i] }

// Modules is the repository's modular metadata, nil where it has none.
func (r *Repository) Modules() *modulemd.Index { return r.modules }

// Advisories gives what updateinfo.xml says, in its order, and whether the repository has one. It is
// brought over the network when the cache has it not.
func (r *Repository) Advisories(ctx context.Context) (list []Advisory, ok bool, err error) {
	if r.loadAdvisories == nil {
		return nil, false, nil
	}
	list, err = r.loadAdvisories(ctx)
	return list, err == nil, err
}

// All walks the packages that are not excluded, in order. Source packages are among them; see
// Package.IsSource.
func (r *Repository) All() iter.Seq2[int, *Package] {
	return func(yield func(int, *Package) bool) {
		for i := range r.Len() {
			if !r.Excluded(i) && !yield(i, r.Package(i)) {
				return
			}
		}
	}
}

// Named gives the packages of that name, in order.
func (r *Repository) Named(name string) []int { return r.visible(r.index.Named(name)) }

// NamedAtAll gives the packages of that name, in order, excluded ones too.
func (r *Repository) NamedAtAll(name string) []int { return r.index.Named(name) }

// Providers gives each Provides entry of that name, whatever its version. Files are not asked:
// see FilePackages.
func (r *Repository) Providers(name string) []Provider {
	return r.visibleEntries(r.index.Providers(name))
}

// Obsoleters gives each Obsoletes entry of that name.
func (r *Repository) Obsoleters(name string) []Provider {
	return r.visibleEntries(r.index.Obsoleters(name))
}

// Supplementers gives the packages that have Supplements or Enhances, the only ones that
// ask to be installed because of others.
func (r *Repository) Supplementers() []int { return r.visible(r.index.Supplementers()) }

// Names walks the names of packages in order of their bytes, each once. Names of which all packages
// are excluded are among them.
func (r *Repository) Names() iter.Seq[string] { return r.index.Names() }

// ProvidedNames walks what is provided, by name, in order of their bytes, each once. It takes no
// notice of what is excluded.
func (r *Repository) ProvidedNames() iter.Seq[string] { return r.index.ProvidedNames() }

// FilePackages gives the packages that hold the file or folder of that path. It looks into the
// files of primary.xml first, which has all commands and configuration; only for another path that
// is not there does it load filelists.xml, over the network where necessary.
func (r *Repository) FilePackages(ctx context.Context, path string) ([]int, error) {
	if found := r.index.WithFile(path); len(found) > 0 || InPrimary(path) || r.loadFiles == nil {
		return r.visible(found), nil
	}
	files, err := r.filelists(ctx)
	if err != nil {
		return nil, err
	}
	var found []int
	for _, n := range files.Holders(path) {
		if i := r.byFile[n]; i >= 0 {
			found = append(found, i)
		}
	}
	slices.Sort(found)
	return r.visible(slices.Compact(found)), nil
}

// FilePackagesLike gives the packages that hold a file or folder whose path fits a pattern (rpm.Glob).
// It has to look at all of them, in filelists.xml where there is one.
func (r *Repository) FilePackagesLike(ctx context.Context, pattern string) ([]int, error) {
	fits := func(path string) bool { return rpm.Glob(pattern, path) }
	var found []int
	for i, pkg := range r.All() {
		if !pkg.IsSource() && slices.ContainsFunc(pkg.Files, fits) {
			found = append(found, i)
		}
	}
	if r.loadFiles != nil {
		files, err := r.filelists(ctx)
		if err != nil {
			return nil, err
		}
		start := pattern[:strings.IndexAny(pattern+"*", `*?[\`)]
		for _, n := range files.HoldersLike(start, fits) {
			if i := r.byFile[n]; i >= 0 {
				found = append(found, i)
			}
		}
	}
	slices.Sort(found)
	return r.visible(slices.Compact(found)), nil
}

// InPrimary says whether primary.xml lists every file of such a path (createrepo_c, cr_is_primary).
func InPrimary(path string) bool {
	return strings.Contains(path, "bin/") || strings.HasPrefix(path, "/etc/") || path == "/usr/lib/sendmail"
}

// filelists loads filelists.xml once. When it fails, the next call tries again.
func (r *Repository) filelists(ctx context.Context) (*repodata.Files, error) {
	r.filesOnce.Lock()
	defer r.filesOnce.Unlock()
	if r.files != nil {
		return r.files, nil
	}
	files, err := r.loadFiles(ctx)
	if err != nil {
		return nil, err
	}
	numbers := make(map[[32]byte]int, r.Len())
	for i := range r.Len() {
		if !isSource(r.index, i) {
			numbers[r.index.SHA256(i)] = i
		}
	}
	r.byFile = make([]int, files.Len())
	for n := range r.byFile {
		i, ok := numbers[files.SHA256(n)]
		if !ok {
			i = -1
		}
		r.byFile[n] = i
	}
	r.files = files
	return files, nil
}

func isSource(x *repodata.Index, i int) bool {
	p := Package{NEVRA: x.NEVRA(i)}
	return p.IsSource()
}

// Artifact is what Client.Fetch needs to bring package i.
func (r *Repository) Artifact(i int) Artifact {
	p := r.Package(i)
	return Artifact{Config: r.Config, Location: p.Location, SHA256: p.SHA256, Size: p.Size}
}

func (r *Repository) visible(found []int) []int {
	if r.excluded == nil {
		return found
	}
	return slices.DeleteFunc(found, r.Excluded)
}

func (r *Repository) visibleEntries(found []Provider) []Provider {
	if r.excluded == nil {
		return found
	}
	return slices.DeleteFunc(found, func(p Provider) bool { return r.excluded[p.Package] })
}
