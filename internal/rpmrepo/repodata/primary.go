package repodata

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strings"
)

// Bounds of a repository and of one package in it.
const (
	maxPackages = 2 << 20
	maxEntries  = 1 << 20 // dependencies of one kind, or files, of one package
)

// WritePrimaryIndex reads primary.xml, writes the index of it and gives it, as OpenIndex would give it
// of what was written. It reads to the end of r, so that a checksum can be taken on the way.
func WritePrimaryIndex(w io.Writer, r io.Reader) (*Index, error) {
	p := primaryParser{scanner: newScanner(r), builder: newBuilder(sizeOf(r)), memo: newMemo()}
	if err := p.document(); err != nil {
		return nil, fmt.Errorf("parsing primary.xml: %w", err)
	}
	p.scanner, p.memo = nil, nil // they have done their work, and the index wants room
	return p.builder.write(w)
}

// sizeOf is how long a document is, where its reader knows; it need not be true.
func sizeOf(r io.Reader) int64 {
	if s, ok := r.(interface{ Size() int64 }); ok {
		return s.Size()
	}
	return 0
}

type primaryParser struct {
	*scanner
	builder *builder
	memo    *memo
	record  record
	// last has the strings of the package before, lastVersion and lastRelease those of the dependency
	// before.
	last                     [colURL + 1]uint32
	lastVersion, lastRelease uint32
	known                    uint8 // which of the fields that a package must have were seen
}

// Fields without which a package is of no use.
const (
	sawName uint8 = 1 << iota
	sawArch
	sawVersion
	sawChecksum
	sawLocation
	sawAll = sawName | sawArch | sawVersion | sawChecksum | sawLocation
)

func (p *primaryParser) document() error {
	if err := p.root("metadata"); err != nil {
		return err
	}
	for {
		more, err := p.child(1)
		if err != nil {
			return err
		}
		if !more {
			return p.finished()
		}
		if string(p.name) != "package" {
			continue
		}
		if p.builder.count == maxPackages {
			return errTooLarge
		}
		if err := p.pkg(); err != nil {
			return err
		}
	}
}

func (p *primaryParser) pkg() error {
	p.forget()
	if p.end-p.pos < plainRoom {
		if _, err := p.fill(); err != nil {
			return err
		}
	}
	if p.plainPackage() {
		return p.named(p.builder.add(&p.record))
	}
	p.forget()
	for {
		more, err := p.child(2)
		if err == nil && more {
			err = p.field()
		}
		if err != nil {
			return p.named(err)
		}
		if !more {
			break
		}
	}
	if p.known != sawAll {
		return p.named(p.errorf("it lacks a name, arch, version, checksum or location"))
	}
	return p.named(p.builder.add(&p.record))
}

// forget makes room for the next package.
func (p *primaryParser) forget() {
	p.record.reset()
	p.known = 0
}

// named says in which package something is wrong. A string that could not be taken in comes first:
// what else is found may follow from it.
func (p *primaryParser) named(err error) error {
	if p.builder.strings.err != nil {
		err = p.builder.strings.err
	}
	if name := p.builder.strings.at(p.record.fields[colName]); err != nil && len(name) > 0 {
		return fmt.Errorf("package %.100q: %w", name, err)
	}
	return err
}

// field reads a child of <package>.
func (p *primaryParser) field() error {
	switch string(p.name) {
	case "name":
		return p.word(colName, sawName)
	case "arch":
		return p.word(colArch, sawArch)
	case "version":
		return p.version()
	case "checksum":
		return p.checksum()
	case "summary":
		return p.rare(colSummary)
	case "url":
		return p.rare(colURL)
	case "time":
		return p.numbers(colBuildTime, "build", -1, "")
	case "size":
		return p.numbers(colSize, "package", colInstalled, "installed")
	case "location":
		return p.location()
	case "format":
		return p.format()
	}
	p.pass()
	return nil
}

// format reads what <format> holds.
func (p *primaryParser) format() error {
	for {
		more, err := p.child(3)
		if err != nil || !more {
			return err
		}
		switch name := text(p.name); name {
		case "license":
			err = p.rare(colLicense)
		case "sourcerpm":
			err = p.rare(colSource)
		case "header-range":
			err = p.numbers(colStart, "start", colEnd, "end")
		case "file":
			err = p.file()
		default:
			if list, ok := listOf(name); ok {
				err = p.entries(list)
			} else {
				p.pass()
			}
		}
		if err != nil {
			return err
		}
	}
}

func listOf(element string) (list int, ok bool) {
	switch element {
	case "provides":
		return listProvides, true
	case "requires":
		return listRequires, true
	case "conflicts":
		return listConflicts, true
	case "obsoletes":
		return listObsoletes, true
	case "recommends":
		return listRecommends, true
	case "suggests":
		return listSuggests, true
	case "supplements":
		return listSupplements, true
	case "enhances":
		return listEnhances, true
	}
	return 0, false
}

// rare reads the element's text into a field that nobody looks up. Often it is that of the package
// before.
func (p *primaryParser) rare(field int) error {
	text, err := p.content()
	if err == nil {
		p.setRare(field, text)
	}
	return err
}

func (p *primaryParser) setRare(field int, text []byte) {
	if !bytes.Equal(text, p.builder.strings.at(p.last[field])) {
		p.last[field] = p.builder.strings.fresh(text)
	}
	p.record.fields[field] = p.last[field]
}

// word is string for what becomes part of file names: it is not empty and has neither slashes nor
// space nor control characters.
func (p *primaryParser) word(field int, saw uint8) error {
	text, err := p.content()
	if err != nil {
		return err
	}
	if !p.isWord(text, field, saw) {
		return p.errorf("%.100q is not valid as a name or architecture", text)
	}
	return nil
}

// isWord takes a name or architecture in, if it is valid as one.
func (p *primaryParser) isWord(text []byte, field int, saw uint8) bool {
	if len(text) == 0 || !isWord(text) {
		return false
	}
	p.record.fields[field] = p.again(text, &p.last[field])
	p.known |= saw
	return true
}

// isWord says whether a text may be part of a file name: it has neither slashes nor space nor control
// characters.
func isWord(text []byte) bool {
	for _, c := range text {
		if c <= ' ' || c == '/' || c == 0x7f {
			return false
		}
	}
	return true
}

func (p *primaryParser) version() error {
	for _, a := range p.attrs {
		value, err := p.unescape(a.value)
		if err != nil {
			return err
		}
		switch string(a.name) {
		case "epoch":
			if p.record.fields[colEpoch], err = p.epoch(value); err != nil {
				return err
			}
		case "ver", "rel":
			if !isWord(value) {
				return p.errorf("%.100q is not valid in a version", value)
			}
			field := colRelease
			if string(a.name) == "ver" {
				field = colVersion
				p.known |= sawVersion
			}
			p.record.fields[field] = p.again(value, &p.last[field])
		}
	}
	return nil
}

func (p *primaryParser) checksum() error {
	kind, _, err := p.attr("type")
	if err != nil {
		return err
	}
	if string(kind) != "sha256" {
		return p.errorf("packages are named by their %.20s; only sha256 is supported (createrepo_c --checksum sha256)", kind)
	}
	text, err := p.content()
	if err != nil {
		return err
	}
	if text = bytes.TrimSpace(text); !p.isChecksum(text) {
		return p.errorf("%.80q is not a sha256 checksum", text)
	}
	return nil
}

// isChecksum takes a checksum in, if it is one.
func (p *primaryParser) isChecksum(text []byte) bool {
	sum, err := parseSHA256(text)
	if err != nil {
		return false
	}
	p.record.setSHA256(sum)
	p.known |= sawChecksum
	return true
}

func parseSHA256(text []byte) (sum [32]byte, err error) {
	if len(text) != 64 {
		return sum, fmt.Errorf("%.80q is not a sha256 checksum", text)
	}
	if _, err := hex.Decode(sum[:], text); err != nil {
		return sum, fmt.Errorf("%.80q is not a sha256 checksum", text)
	}
	return sum, nil
}

// numbers reads one or two attributes.
func (p *primaryParser) numbers(field int, name string, field2 int, name2 string) error {
	n, err := p.number(name)
	if err != nil {
		return err
	}
	p.record.set64(field, n)
	if field2 < 0 {
		return nil
	}
	n, err = p.number(name2)
	p.record.set64(field2, n)
	return err
}

func (p *primaryParser) location() error {
	href, _, err := p.attr("href")
	if err != nil {
		return err
	}
	where, err := p.place(string(href))
	if err != nil {
		return err
	}
	p.record.fields[colLocation] = p.builder.strings.fresh([]byte(where))
	p.known |= sawLocation
	return nil
}

// ValidLocation says whether a path stays below the folder of its repository.
func ValidLocation(location string) bool {
	return plainLocation(location) || location != "" && location[0] != '/' && !hasControl([]byte(location)) &&
		!strings.ContainsAny(location, "\\?#") && !strings.Contains(location, "://") &&
		path.Clean("/"+location) == "/"+strings.TrimPrefix(path.Clean(location), "./")
}

// plainLocation says whether a path is so ordinary that it is valid without a closer look: segments
// of letters, digits and what package names have, which start with a letter or digit.
func plainLocation(location string) bool {
	begins := true
	for i := range len(location) {
		c := location[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			begins = false
		case begins:
			return false
		case c == '/':
			begins = true
		case c == '-', c == '.', c == '_', c == '+', c == '~', c == '^':
		default:
			return false
		}
	}
	return !begins
}

func (p *primaryParser) file() error {
	text, err := p.content()
	if err != nil {
		return err
	}
	if len(p.record.lists[listFiles]) == maxEntries {
		return p.errorf("it has more than %d files", maxEntries)
	}
	p.record.lists[listFiles] = append(p.record.lists[listFiles], p.builder.strings.id(text))
	return nil
}

func hasControl(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return true
		}
	}
	return false
}
