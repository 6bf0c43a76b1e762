package repodata

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
)

// maxFiles bounds the paths of a repository; the largest distribution has 2 % of it.
const maxFiles = 1 << 28

// Sections of a files index.
const (
	fsecSeed = iota
	fsecEnds
	fsecText     // names of folders and of files in them, interned together
	fsecSums     // sha256 of each package's file, 8 numbers
	fsecFolders  // a lookup: under the folder, name and package of each file, sorted by name
	fileSections = fsecFolders + lookupSections
)

// WriteFilesIndex reads filelists.xml, writes the index of it and gives it, as OpenFiles would give it
// of what was written. It reads to the end of r.
func WriteFilesIndex(w io.Writer, r io.Reader) (*Files, error) {
	p := filesParser{scanner: newScanner(r), strings: newInterner(0, 0)}
	if err := p.document(); err != nil {
		return nil, fmt.Errorf("parsing filelists.xml: %w", err)
	}
	return p.write(w)
}

type filesParser struct {
	*scanner
	strings *interner
	sums    []uint32
	count   uint32
	// files has folder, name and package of each file.
	files []fileEntry
}

type fileEntry struct{ folder, name, pkg uint32 }

func (p *filesParser) document() error {
	if err := p.root("filelists"); err != nil {
		return err
	}
	err := p.each(1, func(name string) error {
		if name != "package" {
			return nil
		}
		if p.count == maxPackages {
			return errTooLarge
		}
		return p.pkg()
	})
	if err != nil {
		return err
	}
	return p.finished()
}

func (p *filesParser) pkg() error {
	id, _, err := p.attr("pkgid")
	if err != nil {
		return err
	}
	sum, err := parseSHA256(id)
	if err != nil {
		return p.errorf("%v", err)
	}
	var r record
	r.setSHA256(sum)
	p.sums = append(p.sums, r.fields[colSHA256:colSHA256+8]...)
	first := len(p.files)
	err = p.each(2, func(name string) error {
		if name != "file" {
			return nil
		}
		if len(p.files)-first == maxEntries || len(p.files) == maxFiles {
			return p.errorf("there are too many files")
		}
		text, err := p.content()
		if err != nil {
			return err
		}
		return p.file(text)
	})
	p.count++
	return err
}

// file takes a path in, cut at its last slash: most files share their folder with many.
func (p *filesParser) file(path []byte) error {
	cut := bytes.LastIndexByte(path, '/')
	if cut < 0 {
		return nil // no path that anything could ask for
	}
	p.files = append(roomy(p.files, 1), fileEntry{p.strings.id(path[:cut+1]), p.strings.id(path[cut+1:]), p.count})
	return p.strings.err
}

func (p *filesParser) write(w io.Writer) (*Files, error) {
	p.strings.table = hashTable{}
	seed := seedOf(p.strings.text)
	folders := buildLookup(p.strings, seed, entryWidth, func(yield func(posting)) {
		for _, f := range p.files {
			yield(posting{f.folder, f.name, f.pkg})
		}
	})
	p.sortNames(folders[2].numbers, folders[3].numbers)
	sections := make([]section, fileSections)
	sections[fsecSeed], sections[fsecEnds], sections[fsecText] = textSections(p.strings, seed)
	sections[fsecSums].numbers = p.sums
	copy(sections[fsecFolders:], folders[:])
	data := dataOf(sections)
	if err := writeContainer(w, filesMagic, data); err != nil {
		return nil, err
	}
	return filesOf(data), nil
}

// sortNames sorts the entries of each folder by name.
func (p *filesParser) sortNames(starts, entries []uint32) {
	type entry struct{ name, pkg uint32 }
	var buf []entry
	for i := range starts[1:] {
		of := entries[2*starts[i] : 2*starts[i+1]]
		buf = buf[:0]
		for j := 0; j < len(of); j += 2 {
			buf = append(buf, entry{of[j], of[j+1]})
		}
		slices.SortFunc(buf, func(a, b entry) int {
			if a.name != b.name {
				return bytes.Compare(p.strings.at(a.name), p.strings.at(b.name))
			}
			return cmp.Compare(a.pkg, b.pkg)
		})
		for j, e := range buf {
			of[2*j], of[2*j+1] = e.name, e.pkg
		}
	}
}

// Files says which packages hold a path. It is safe for concurrent use. Its packages have numbers of
// their own, from 0 to Len-1; SHA256 tells which they are.
type Files struct {
	texts
	sums    column
	folders lookup
}

// OpenFiles opens an index that WriteFilesIndex wrote. data must not change afterwards. An index
// that is not whole is an error that wraps ErrDamaged.
func OpenFiles(data []byte) (*Files, error) {
	var f *Files
	err := openContainer(data, filesMagic, fileSections, func(s [][]byte) bool {
		f = filesOf(s)
		// In this lookup the first number of an entry is a string and the second a package.
		return f.texts.valid() && len(f.sums)%32 == 0 && f.folders.valid(f.texts.len(), f.texts.len(), f.Len())
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// filesOf makes an index of its sections, of which nothing is checked.
func filesOf(s [][]byte) *Files {
	return &Files{texts: newTexts(s[fsecSeed:]), sums: s[fsecSums], folders: newLookup(s[fsecFolders:], entryWidth)}
}

// Len is the number of packages.
func (f *Files) Len() int { return len(f.sums) / 32 }

// SHA256 gives the checksum of package n's file.
func (f *Files) SHA256(n int) [32]byte { return [32]byte(f.sums[32*n:]) }

// Holders gives the packages that hold a file or folder of that path, in order.
func (f *Files) Holders(path string) []int {
	cut := strings.LastIndexByte(path, '/')
	if cut < 0 {
		return nil
	}
	folder, name := path[:cut+1], path[cut+1:]
	first, last := f.folders.find(folder, &f.texts)
	at := func(i int) string { return f.string(f.folders.entries.at(2 * (first + i))) }
	var found []int
	for i := sort.Search(last-first, func(i int) bool { return at(i) >= name }); i < last-first && at(i) == name; i++ {
		found = append(found, int(f.folders.entries.at(2*(first+i)+1)))
	}
	return found
}

// HoldersLike gives the packages that hold a file or folder whose path fits, in no order, some
// perhaps more than once. It looks at every path of the folders that could have one: those that
// start as the pattern does up to its first special character.
func (f *Files) HoldersLike(start string, fits func(path string) bool) []int {
	var found []int
	for k := range f.folders.keys.len() {
		folder := f.string(f.folders.keys.at(k))
		if n := min(len(folder), len(start)); folder[:n] != start[:n] {
			continue
		}
		first, last := int(f.folders.starts.at(k)), int(f.folders.starts.at(k+1))
		for i := first; i < last; i++ {
			if fits(folder + f.string(f.folders.entries.at(2*i))) {
				found = append(found, int(f.folders.entries.at(2*i+1)))
			}
		}
	}
	return found
}
