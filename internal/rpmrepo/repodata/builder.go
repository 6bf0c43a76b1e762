package repodata

import (
	"io"
	"sync"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Numbers of a package's row in the index, by place. Large values take two.
const (
	colName = iota
	colEpoch
	colVersion
	colRelease
	colArch
	colSource
	colLocation
	colSummary
	colLicense
	colURL
	colSize       // and the next: low half first
	colInstalled  = colSize + 2
	colBuildTime  = colInstalled + 2
	colStart      = colBuildTime + 2
	colEnd        = colStart + 2
	colSHA256     = colEnd + 2    // 8 numbers, as bytes
	colLists      = colSHA256 + 8 // where each list starts, and where the last one ends
	packageFields = colLists + listCount + 1

	dependencyFields = 5 // name, sense, epoch, version, release
)

// record is a package on its way into the index: numbers of strings and of dependencies.
type record struct {
	fields [packageFields]uint32
	lists  [listCount][]uint32
}

func (r *record) reset() {
	r.fields = [packageFields]uint32{}
	for i := range r.lists {
		r.lists[i] = r.lists[i][:0]
	}
}

func (r *record) set64(field int, v int64) {
	r.fields[field], r.fields[field+1] = uint32(v), uint32(uint64(v)>>32)
}

func (r *record) setSHA256(sum [32]byte) {
	for i := range 8 {
		r.fields[colSHA256+i] = uint32(sum[4*i]) | uint32(sum[4*i+1])<<8 | uint32(sum[4*i+2])<<16 | uint32(sum[4*i+3])<<24
	}
}

// builder collects packages and writes the index of them.
type builder struct {
	strings       *interner
	dependencies  *dependencyTable
	packages      []uint32 // packageFields for each
	lists         []uint32
	sources       []uint64 // a bit for each package: it is a source package
	supplementers []uint32
	count         uint32
}

// newBuilder reserves memory for what a primary.xml of that size mostly holds, within reason. What is
// reserved and not used costs nothing.
func newBuilder(size int64) *builder {
	n := int(min(max(size, 0), 256<<20))
	return &builder{
		strings: newInterner(n/320, n/12), dependencies: newDependencyTable(n / 320),
		packages: make([]uint32, 0, n/80), lists: make([]uint32, 0, n/100),
	}
}

// add takes a record in. The builder keeps nothing of it.
func (b *builder) add(r *record) error {
	for i, list := range r.lists {
		r.fields[colLists+i] = uint32(len(b.lists))
		b.lists = append(roomy(b.lists, len(list)), list...)
	}
	r.fields[colLists+listCount] = uint32(len(b.lists))
	b.packages = append(roomy(b.packages, packageFields), r.fields[:]...)
	if !fits(len(b.lists)) || !fits(len(b.packages)) || !fits(len(b.dependencies.keys)) {
		return errTooLarge
	}
	if int(b.count/64) == len(b.sources) {
		b.sources = append(b.sources, 0)
	}
	if isSource(string(b.strings.at(r.fields[colArch]))) {
		b.sources[b.count/64] |= 1 << (b.count % 64)
	} else if len(r.lists[listSupplements])+len(r.lists[listEnhances]) > 0 {
		b.supplementers = append(b.supplementers, b.count)
	}
	b.count++
	return b.strings.err
}

// each walks the packages that lookups find: those that are no source packages.
func (b *builder) each(yield func(n uint32, row []uint32)) {
	for n := range b.count {
		if b.sources[n/64]>>(n%64)&1 == 0 {
			yield(n, b.packages[packageFields*n:][:packageFields])
		}
	}
}

// byName walks the packages by their names.
func (b *builder) byName(yield func(posting)) {
	b.each(func(n uint32, row []uint32) { yield(posting{row[colName], n, 0}) })
}

// byFile walks the packages by their files.
func (b *builder) byFile(yield func(posting)) {
	b.each(func(n uint32, row []uint32) {
		for _, f := range b.lists[row[colLists+listFiles]:row[colLists+listFiles+1]] {
			yield(posting{f, n, 0})
		}
	})
}

// byEntry walks the dependencies of a list by their names.
func (b *builder) byEntry(list int) func(yield func(posting)) {
	return func(yield func(posting)) {
		b.each(func(n uint32, row []uint32) {
			for _, d := range b.lists[row[colLists+list]:row[colLists+list+1]] {
				yield(posting{b.dependencies.name(d), n, d})
			}
		})
	}
}

// Sections of a package index.
const (
	secSeed = iota
	secEnds
	secText
	secDependencies
	secPackages
	secLists
	secSupplementers
	secNames
	secProvides     = secNames + lookupSections
	secObsoletes    = secProvides + lookupSections
	secFiles        = secObsoletes + lookupSections
	packageSections = secFiles + lookupSections
)

// write writes the index and gives it as it lies in memory. The builder is of no use afterwards.
func (b *builder) write(w io.Writer) (*Index, error) {
	b.strings.table = hashTable{} // it has done its work, and lookups want room
	b.dependencies.table = hashTable{}
	seed := seedOf(b.strings.text)
	sections := make([]section, packageSections)
	sections[secSeed], sections[secEnds], sections[secText] = textSections(b.strings, seed)
	sections[secDependencies].numbers = b.dependencies.keys
	sections[secPackages].numbers = b.packages
	sections[secLists].numbers = b.lists
	sections[secSupplementers].numbers = b.supplementers
	put := func(at, width int, walk func(func(posting))) {
		s := buildLookup(b.strings, seed, width, walk)
		copy(sections[at:], s[:])
	}
	var provides sync.WaitGroup
	provides.Go(func() { put(secProvides, entryWidth, b.byEntry(listProvides)) })
	put(secNames, packageWidth, b.byName)
	put(secObsoletes, entryWidth, b.byEntry(listObsoletes))
	put(secFiles, packageWidth, b.byFile)
	provides.Wait()
	data := dataOf(sections)
	if err := writeContainer(w, packagesMagic, data); err != nil {
		return nil, err
	}
	return indexOf(data), nil
}

// WritePackageIndex writes the index of packages at hand, as though primary.xml had described them, and
// gives it.
func WritePackageIndex(w io.Writer, packages []Package) (*Index, error) {
	b := newBuilder(0)
	var r record
	for i := range packages {
		p := &packages[i]
		sum, err := parseSHA256([]byte(p.SHA256))
		if err != nil && p.SHA256 != "" {
			return nil, err
		}
		r.reset()
		id := func(s string) uint32 { return b.strings.id([]byte(s)) }
		r.fields = [packageFields]uint32{
			id(p.Name), uint32(p.EVR.Epoch), id(p.EVR.Version), id(p.EVR.Release), id(p.Arch),
			id(p.SourceRPM), id(p.Location), id(p.Summary), id(p.License), id(p.URL),
		}
		r.set64(colSize, p.Size)
		r.set64(colInstalled, p.InstalledSize)
		r.set64(colBuildTime, p.BuildTime)
		r.set64(colStart, p.HeaderStart)
		r.set64(colEnd, p.HeaderEnd)
		r.setSHA256(sum)
		for n, list := range p.lists() {
			for _, d := range *list {
				r.lists[n] = append(r.lists[n], b.dependencies.id(b.key(d)))
			}
		}
		for _, f := range p.Files {
			r.lists[listFiles] = append(r.lists[listFiles], id(f))
		}
		if err := b.add(&r); err != nil {
			return nil, err
		}
	}
	return b.write(w)
}

func (b *builder) key(d rpm.Dependency) dependencyKey {
	id := func(s string) uint32 { return b.strings.id([]byte(s)) }
	return dependencyKey{id(d.Name), uint32(d.Sense), uint32(d.EVR.Epoch), id(d.EVR.Version), id(d.EVR.Release)}
}
