package repodata

import (
	"io"

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
	strings      *interner
	dependencies *dependencyTable
	packages     []uint32
	lists        []uint32

	names, provides, obsoletes, files []posting
	supplementers                     []uint32
	count                             uint32
}

func newBuilder() *builder {
	return &builder{strings: newInterner(), dependencies: newDependencyTable()}
}

// add takes a record in. The builder keeps nothing of it.
func (b *builder) add(r *record) error {
	for i, list := range r.lists {
		r.fields[colLists+i] = uint32(len(b.lists))
		b.lists = append(roomy(b.lists, len(list)), list...)
	}
	r.fields[colLists+listCount] = uint32(len(b.lists))
	b.packages = append(roomy(b.packages, packageFields), r.fields[:]...)
	if !fits(len(b.lists)) || !fits(len(b.packages)) || !fits(dependencyFields*len(b.dependencies.keys)) {
		return errTooLarge
	}
	if !isSource(string(b.strings.at(r.fields[colArch]))) {
		b.post(r)
	}
	b.count++
	return b.strings.err
}

// post enters a package into the lookups.
func (b *builder) post(r *record) {
	n := b.count
	b.names = append(b.names, posting{r.fields[colName], n, 0})
	for _, d := range r.lists[listProvides] {
		b.provides = append(roomy(b.provides, 1), posting{b.dependencies.keys[d].name, n, d})
	}
	for _, d := range r.lists[listObsoletes] {
		b.obsoletes = append(b.obsoletes, posting{b.dependencies.keys[d].name, n, d})
	}
	for _, f := range r.lists[listFiles] {
		b.files = append(b.files, posting{f, n, 0})
	}
	if len(r.lists[listSupplements])+len(r.lists[listEnhances]) > 0 {
		b.supplementers = append(b.supplementers, n)
	}
}

// Sections of a package index.
const (
	secEnds = iota
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

func (b *builder) write(w io.Writer) error {
	sections := make([][]byte, packageSections)
	sections[secEnds] = encode(b.strings.ends)
	sections[secText] = b.strings.text
	sections[secDependencies] = b.dependencies.encode()
	sections[secPackages] = encode(b.packages)
	sections[secLists] = encode(b.lists)
	sections[secSupplementers] = encode(b.supplementers)
	put := func(at int, postings []posting, width int) {
		for i, c := range buildLookup(b.strings, postings, width) {
			sections[at+i] = c
		}
	}
	put(secNames, b.names, packageWidth)
	put(secProvides, b.provides, entryWidth)
	put(secObsoletes, b.obsoletes, entryWidth)
	put(secFiles, b.files, packageWidth)
	return writeContainer(w, packagesMagic, sections)
}

// WritePackageIndex writes the index of packages at hand, as though primary.xml had described them.
func WritePackageIndex(w io.Writer, packages []Package) error {
	b := newBuilder()
	var r record
	for i := range packages {
		p := &packages[i]
		sum, err := parseSHA256([]byte(p.SHA256))
		if err != nil && p.SHA256 != "" {
			return err
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
			return err
		}
	}
	return b.write(w)
}

func (b *builder) key(d rpm.Dependency) dependencyKey {
	id := func(s string) uint32 { return b.strings.id([]byte(s)) }
	return dependencyKey{id(d.Name), uint32(d.Sense), uint32(d.EVR.Epoch), id(d.EVR.Version), id(d.EVR.Release)}
}
