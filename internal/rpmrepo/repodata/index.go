package repodata

import (
	"encoding/hex"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Index is the packages of a repository, read from where they lie. It is safe for concurrent use.
// Strings that it gives out share the index's memory and keep it alive.
type Index struct {
	texts
	dependencies, packages, lists     column
	supplementers                     column
	names, provides, obsoletes, files lookup

	// What Names and ProvidedNames walk, sorted when first asked for.
	sortedNames, sortedProvides sortedKeys
}

// OpenIndex opens an index that WritePrimaryIndex or WritePackageIndex wrote. data must not change
// afterwards. An index that is not whole is an error that wraps ErrDamaged.
func OpenIndex(data []byte) (*Index, error) {
	var x *Index
	err := openContainer(data, packagesMagic, packageSections, func(s [][]byte) bool {
		x = indexOf(s)
		return x.texts.valid() && x.valid()
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// indexOf makes an index of its sections, of which nothing is checked.
func indexOf(s [][]byte) *Index {
	return &Index{
		texts: newTexts(s[secSeed:]), dependencies: s[secDependencies], packages: s[secPackages], lists: s[secLists],
		supplementers: s[secSupplementers],
		names:         newLookup(s[secNames:], packageWidth), provides: newLookup(s[secProvides:], entryWidth),
		obsoletes: newLookup(s[secObsoletes:], entryWidth), files: newLookup(s[secFiles:], packageWidth),
	}
}

// valid checks every reference, so that no later call can fail.
func (x *Index) valid() bool {
	if len(x.dependencies)%(4*dependencyFields) != 0 || len(x.packages)%(4*packageFields) != 0 || len(x.lists)%4 != 0 {
		return false
	}
	strings, deps := uint32(x.texts.len()), uint32(x.dependencies.len()/dependencyFields)
	for d := x.dependencies; len(d) > 0; d = d.from(dependencyFields) {
		if d.at(0) >= strings || d.at(3) >= strings || d.at(4) >= strings {
			return false
		}
	}
	if !x.validPackages(strings, deps) || !x.supplementers.below(x.Len()) {
		return false
	}
	for _, l := range []*lookup{&x.names, &x.provides, &x.obsoletes, &x.files} {
		if !l.valid(int(strings), x.Len(), int(deps)) {
			return false
		}
	}
	return true
}

func (x *Index) validPackages(strings, deps uint32) bool {
	for p := x.packages; len(p) > 0; p = p.from(packageFields) {
		for f := colName; f <= colURL; f++ {
			if f != colEpoch && p.at(f) >= strings {
				return false
			}
		}
		// The lists of a package lie one after another, files last.
		for l := range listCount {
			if p.at(colLists+l) > p.at(colLists+l+1) {
				return false
			}
		}
		first, files, last := p.at(colLists), p.at(colLists+listFiles), p.at(colLists+listCount)
		if int64(last) > int64(x.lists.len()) || !x.lists[4*first:4*files].below(int(deps)) || !x.lists[4*files:4*last].below(int(strings)) {
			return false
		}
	}
	return true
}

// Len is the number of packages.
func (x *Index) Len() int { return x.packages.len() / packageFields }

func (x *Index) dependency(id uint32) rpm.Dependency {
	d := x.dependencies.from(dependencyFields * int(id))
	return rpm.Dependency{
		Name:  x.string(d.at(0)),
		Sense: rpm.Sense(d.at(1)),
		EVR:   rpm.EVR{Epoch: int(d.at(2)), Version: x.string(d.at(3)), Release: x.string(d.at(4))},
	}
}

func (x *Index) row(i int) column { return x.packages.from(packageFields * i) }

// NEVRA gives the name of package i without the rest of it.
func (x *Index) NEVRA(i int) rpm.NEVRA {
	r := x.row(i)
	return rpm.NEVRA{
		Name: x.string(r.at(colName)),
		EVR:  rpm.EVR{Epoch: int(r.at(colEpoch)), Version: x.string(r.at(colVersion)), Release: x.string(r.at(colRelease))},
		Arch: x.string(r.at(colArch)),
	}
}

// SHA256 gives the checksum of package i's file.
func (x *Index) SHA256(i int) [32]byte { return [32]byte(x.row(i)[4*colSHA256:]) }

// Package decodes package i.
func (x *Index) Package(i int) *Package {
	r := x.row(i)
	sum := x.SHA256(i)
	p := &Package{
		NEVRA:         x.NEVRA(i),
		SourceRPM:     x.string(r.at(colSource)),
		Location:      x.string(r.at(colLocation)),
		SHA256:        hex.EncodeToString(sum[:]),
		Size:          r.int64(colSize),
		InstalledSize: r.int64(colInstalled),
		BuildTime:     r.int64(colBuildTime),
		HeaderStart:   r.int64(colStart),
		HeaderEnd:     r.int64(colEnd),
		Summary:       x.string(r.at(colSummary)),
		License:       x.string(r.at(colLicense)),
		URL:           x.string(r.at(colURL)),
	}
	if sum == [32]byte{} {
		p.SHA256 = ""
	}
	lists := p.lists()
	first := r.at(colLists)
	all := make([]rpm.Dependency, r.at(colLists+dependencyLists)-first)
	for j := range all {
		all[j] = x.dependency(x.lists.at(int(first) + j))
	}
	for l := range dependencyLists {
		from, to := r.at(colLists+l)-first, r.at(colLists+l+1)-first
		if from < to {
			*lists[l] = all[from:to:to]
		}
	}
	for j := r.at(colLists + listFiles); j < r.at(colLists+listFiles+1); j++ {
		p.Files = append(p.Files, x.string(x.lists.at(int(j))))
	}
	return p
}

// Named gives the packages of that name, in order. Like all lookups it leaves out source packages.
func (x *Index) Named(name string) []int { return x.found(&x.names, name) }

// WithFile gives the packages for which primary.xml lists that path.
func (x *Index) WithFile(path string) []int { return x.found(&x.files, path) }

// Providers gives each Provides entry of that name, whatever its version.
func (x *Index) Providers(name string) []Provider { return x.entries(&x.provides, name) }

// Obsoleters gives each Obsoletes entry of that name.
func (x *Index) Obsoleters(name string) []Provider { return x.entries(&x.obsoletes, name) }

// Supplementers gives the packages that have Supplements or Enhances.
func (x *Index) Supplementers() []int {
	out := make([]int, x.supplementers.len())
	for i := range out {
		out[i] = int(x.supplementers.at(i))
	}
	return out
}

// Names walks the names of packages in order of their bytes, each once.
func (x *Index) Names() iter.Seq[string] { return x.sortedNames.all(x, &x.names) }

// ProvidedNames walks what is provided, by name, in order of their bytes, each once.
func (x *Index) ProvidedNames() iter.Seq[string] { return x.sortedProvides.all(x, &x.provides) }

func (x *Index) found(l *lookup, key string) []int {
	first, last := l.find(key, &x.texts)
	if first == last {
		return nil
	}
	out := make([]int, 0, last-first)
	for i := first; i < last; i++ {
		out = append(out, int(l.entries.at(i)))
	}
	return out
}

func (x *Index) entries(l *lookup, key string) []Provider {
	first, last := l.find(key, &x.texts)
	if first == last {
		return nil
	}
	out := make([]Provider, 0, last-first)
	for i := first; i < last; i++ {
		out = append(out, Provider{int(l.entries.at(2 * i)), x.dependency(l.entries.at(2*i + 1))})
	}
	return out
}

// sortedKeys are the keys of a lookup in order of their bytes. Only explanations of what went wrong
// want them so.
type sortedKeys struct {
	once sync.Once
	ids  []uint32
}

func (k *sortedKeys) all(x *Index, l *lookup) iter.Seq[string] {
	k.once.Do(func() {
		k.ids = make([]uint32, l.keys.len())
		for i := range k.ids {
			k.ids[i] = l.keys.at(i)
		}
		slices.SortFunc(k.ids, func(a, b uint32) int { return strings.Compare(x.string(a), x.string(b)) })
	})
	return func(yield func(string) bool) {
		for _, id := range k.ids {
			if !yield(x.string(id)) {
				return
			}
		}
	}
}

// Arch gives the architecture of package i.
func (x *Index) Arch(i int) string { return x.string(x.row(i).at(colArch)) }

// EachMatching calls yield for each Provides entry that meets a dependency which is not rich, with its
// package, in order: several times for a package that has several such.
func (x *Index) EachMatching(d rpm.Dependency, yield func(i int)) {
	first, last := x.provides.find(d.Name, &x.texts)
	for e := first; e < last; e++ {
		if d.Sense&rpm.RangeMask == 0 || d.MatchedBy(x.dependency(x.provides.entries.at(2*e+1))) {
			yield(int(x.provides.entries.at(2 * e)))
		}
	}
}
