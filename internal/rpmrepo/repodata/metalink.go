package repodata

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Metalink is what a metalink (version 3.0, as MirrorManager serves it) says about repomd.xml.
type Metalink struct {
	// Versions are the states of repomd.xml that mirrors may have: the newest, then alternates.
	Versions []MetalinkVersion
	// URLs of repomd.xml, best first. Only https, http and file are kept.
	URLs []string
}

// MetalinkVersion is one state of the file.
type MetalinkVersion struct {
	Timestamp, Size int64
	// Checksums that can be trusted (see Trusted), strongest first.
	Checksums []Checksum
}

const (
	maxMirrors  = 10_000
	maxVersions = 1_000
)

// ParseMetalink reads a metalink and what it says about the file of that name. It must give at least
// one trusted checksum of it.
func ParseMetalink(data []byte, file string) (*Metalink, error) {
	p := metalinkParser{scanner: newScanner(bytes.NewReader(data)), wanted: file}
	if err := p.document(); err != nil {
		return nil, fmt.Errorf("parsing metalink: %w", err)
	}
	slices.SortStableFunc(p.mirrors, func(a, b mirror) int { return cmp.Compare(b.preference, a.preference) })
	for _, m := range p.mirrors {
		p.out.URLs = append(p.out.URLs, m.url)
	}
	return &p.out, nil
}

type mirror struct {
	url        string
	preference int64
}

type metalinkParser struct {
	*scanner
	wanted  string
	out     Metalink
	mirrors []mirror
}

// each calls do for every child element of the element that is open at that depth.
func (s *scanner) each(depth int, do func(name string) error) error {
	for {
		more, err := s.child(depth)
		if err != nil || !more {
			return err
		}
		if err := do(string(s.name)); err != nil {
			return err
		}
	}
}

func (p *metalinkParser) document() error {
	if err := p.root("metalink"); err != nil {
		return err
	}
	found := false
	err := p.each(1, func(name string) error {
		if name != "files" {
			return nil
		}
		return p.each(2, func(string) error {
			file, _, err := p.attr("name")
			if err != nil || string(file) != p.wanted {
				return err
			}
			found = true
			return p.file()
		})
	})
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("it does not speak of %s", p.wanted)
	}
	for _, v := range p.out.Versions {
		if len(v.Checksums) == 0 {
			return fmt.Errorf("it has no checksum of %s that can be trusted", p.wanted)
		}
	}
	return p.finished()
}

func (p *metalinkParser) file() error {
	v, err := p.version(3, func(name string, v *MetalinkVersion) error {
		switch name {
		case "alternates":
			return p.each(4, func(name string) error {
				if name != "alternate" {
					return nil
				}
				alternate, err := p.version(5, nil)
				p.out.Versions = append(p.out.Versions, alternate)
				if len(p.out.Versions) > maxVersions {
					return p.errorf("it has more than %d alternates", maxVersions)
				}
				return err
			})
		case "resources":
			return p.each(4, p.url)
		}
		return nil
	})
	p.out.Versions = slices.Insert(p.out.Versions, 0, v)
	return err
}

// version reads size, timestamp and checksums; more sees what else there is.
func (p *metalinkParser) version(depth int, more func(string, *MetalinkVersion) error) (v MetalinkVersion, err error) {
	err = p.each(depth, func(name string) error {
		switch name {
		case "timestamp":
			return p.dataNumber(&v.Timestamp)
		case "size":
			return p.dataNumber(&v.Size)
		case "verification":
			return p.each(depth+1, func(string) error { return p.hash(&v) })
		}
		if more == nil {
			return nil
		}
		return more(name, &v)
	})
	// The longest is the strongest.
	slices.SortStableFunc(v.Checksums, func(a, b Checksum) int { return cmp.Compare(len(b.Hex), len(a.Hex)) })
	return v, err
}

func (p *metalinkParser) hash(v *MetalinkVersion) error {
	kind, _, err := p.attr("type")
	if err != nil {
		return err
	}
	name := strings.ReplaceAll(string(kind), "-", "")
	text, err := p.content()
	if err != nil || !Trusted(name) {
		return err
	}
	sum, err := ParseChecksum(name, string(text))
	if err != nil {
		return p.errorf("%v", err)
	}
	if len(v.Checksums) == 10 {
		return p.errorf("it has too many checksums of one file")
	}
	v.Checksums = append(v.Checksums, sum)
	return nil
}

func (p *metalinkParser) url(name string) error {
	if name != "url" {
		return nil
	}
	preference, err := p.number("preference")
	if err != nil {
		return err
	}
	text, err := p.content()
	if err != nil {
		return err
	}
	url := strings.TrimSpace(string(text))
	scheme, _, _ := strings.Cut(url, "://")
	if !isScheme(scheme) {
		return nil
	}
	if len(p.mirrors) == maxMirrors {
		return p.errorf("it has more than %d mirrors", maxMirrors)
	}
	p.mirrors = append(p.mirrors, mirror{url, preference})
	return nil
}

// ParseMirrorList reads a list of URLs, one a line. Empty lines, comments and what is no URL of a
// kind that we know are passed over, as dnf does.
func ParseMirrorList(data []byte) ([]string, error) {
	var urls []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		scheme, _, _ := strings.Cut(line, "://")
		if !isScheme(scheme) {
			continue
		}
		if len(urls) == maxMirrors {
			return nil, fmt.Errorf("parsing mirrorlist: it has more than %d mirrors", maxMirrors)
		}
		urls = append(urls, line)
	}
	return urls, nil
}
