package repowrite

import (
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// The documents of a repository, as createrepo_c writes them. Prefixed names
// are written as they stand: encoding/xml makes no prefixes of its own.

const rpmNamespace = "http://linux.duke.edu/metadata/rpm"

type repomd struct {
	XMLName   xml.Name     `xml:"repomd"`
	Namespace string       `xml:"xmlns,attr"`
	RPM       string       `xml:"xmlns:rpm,attr"`
	Revision  string       `xml:"revision"`
	Data      []repomdData `xml:"data"`
}

type repomdData struct {
	Type         string   `xml:"type,attr"`
	Checksum     checksum `xml:"checksum"`
	OpenChecksum checksum `xml:"open-checksum"`
	Location     location `xml:"location"`
	Timestamp    int64    `xml:"timestamp"`
	Size         int      `xml:"size"`
	OpenSize     int      `xml:"open-size"`
}

type checksum struct {
	Type  string `xml:"type,attr"`
	PkgID string `xml:"pkgid,attr,omitempty"`
	Value string `xml:",chardata"`
}

type location struct {
	Href string `xml:"href,attr"`
}

type version struct {
	Epoch   int    `xml:"epoch,attr"`
	Version string `xml:"ver,attr"`
	Release string `xml:"rel,attr"`
}

func versionOf(evr rpm.EVR) version { return version{evr.Epoch, evr.Version, evr.Release} }

// metadata is the document primary.xml.
type metadata struct {
	XMLName   xml.Name         `xml:"metadata"`
	Namespace string           `xml:"xmlns,attr"`
	RPM       string           `xml:"xmlns:rpm,attr"`
	Count     int              `xml:"packages,attr"`
	Packages  []primaryPackage `xml:"package"`
}

type primaryPackage struct {
	Type        string   `xml:"type,attr"`
	Name        string   `xml:"name"`
	Arch        string   `xml:"arch"`
	Version     version  `xml:"version"`
	Checksum    checksum `xml:"checksum"`
	Summary     string   `xml:"summary"`
	Description string   `xml:"description"`
	Packager    string   `xml:"packager"`
	URL         string   `xml:"url"`
	Time        struct {
		File  int64 `xml:"file,attr"`
		Build int64 `xml:"build,attr"`
	} `xml:"time"`
	Size struct {
		Package   int64  `xml:"package,attr"`
		Installed int64  `xml:"installed,attr"`
		Archive   uint64 `xml:"archive,attr"`
	} `xml:"size"`
	Location location `xml:"location"`
	Format   format   `xml:"format"`
}

type format struct {
	License     string      `xml:"rpm:license"`
	Vendor      string      `xml:"rpm:vendor"`
	Group       string      `xml:"rpm:group"`
	BuildHost   string      `xml:"rpm:buildhost"`
	SourceRPM   string      `xml:"rpm:sourcerpm"`
	HeaderRange headerRange `xml:"rpm:header-range"`
	Provides    *entries    `xml:"rpm:provides"`
	Requires    *entries    `xml:"rpm:requires"`
	Conflicts   *entries    `xml:"rpm:conflicts"`
	Obsoletes   *entries    `xml:"rpm:obsoletes"`
	Suggests    *entries    `xml:"rpm:suggests"`
	Enhances    *entries    `xml:"rpm:enhances"`
	Recommends  *entries    `xml:"rpm:recommends"`
	Supplements *entries    `xml:"rpm:supplements"`
	Files       []file      `xml:"file"`
}

type headerRange struct {
	Start int64 `xml:"start,attr"`
	End   int64 `xml:"end,attr"`
}

type entries struct {
	Entries []entry `xml:"rpm:entry"`
}

type entry struct {
	Name    string `xml:"name,attr"`
	Flags   string `xml:"flags,attr,omitempty"`
	Epoch   string `xml:"epoch,attr,omitempty"`
	Version string `xml:"ver,attr,omitempty"`
	Release string `xml:"rel,attr,omitempty"`
	Pre     string `xml:"pre,attr,omitempty"`
}

type file struct {
	Type string `xml:"type,attr,omitempty"`
	Path string `xml:",chardata"`
}

func primaryDocument(packages []scanned) metadata {
	m := metadata{Namespace: "http://linux.duke.edu/metadata/common", RPM: rpmNamespace, Count: len(packages)}
	for i := range packages {
		m.Packages = append(m.Packages, primaryOf(&packages[i]))
	}
	return m
}

func primaryOf(p *scanned) primaryPackage {
	nevra := p.NEVRA()
	out := primaryPackage{
		Type: "rpm", Name: nevra.Name, Arch: nevra.Arch, Version: versionOf(nevra.EVR),
		Checksum: checksum{Type: "sha256", PkgID: "YES", Value: p.sha256},
		Summary:  p.I18N(rpm.TagSummary), Description: p.I18N(rpm.TagDescription),
		Packager: p.String(rpm.TagPackager), URL: p.String(rpm.TagURL),
		Location: location{p.href},
		Format: format{
			License: p.String(rpm.TagLicense), Vendor: p.String(rpm.TagVendor),
			Group: p.I18N(rpm.TagGroup), BuildHost: p.String(rpm.TagBuildHost),
			SourceRPM: p.SourceRPM(), HeaderRange: headerRange{p.headerStart, p.headerEnd},
			Provides: entriesOf(p.Provides()), Requires: entriesOf(requirements(p)),
			Conflicts: entriesOf(p.Conflicts()), Obsoletes: entriesOf(p.Obsoletes()),
			Suggests: entriesOf(p.Suggests()), Enhances: entriesOf(p.Enhances()),
			Recommends: entriesOf(p.Recommends()), Supplements: entriesOf(p.Supplements()),
		},
	}
	out.Time.File, out.Time.Build = p.buildTime, p.buildTime
	out.Size.Package, out.Size.Installed, out.Size.Archive = p.size, p.InstalledSize(), p.archiveSize()
	for i := range p.files {
		if inPrimary(p.files[i].Path) {
			out.Format.Files = append(out.Format.Files, fileOf(&p.files[i]))
		}
	}
	return out
}

// inPrimary says which files primary.xml lists: those that dependencies name
// most often. All are in filelists.xml.
func inPrimary(path string) bool {
	return strings.HasPrefix(path, "/etc/") || strings.Contains(path, "bin/") || path == "/usr/lib/sendmail"
}

func fileOf(f *rpm.File) file {
	switch {
	case f.IsDir():
		return file{"dir", f.Path}
	case f.IsGhost():
		return file{"ghost", f.Path}
	}
	return file{"", f.Path}
}

const preSense = rpm.Prereq | rpm.Pre | rpm.Post

// requirements leaves out what says nothing to a resolver: features of rpm,
// what the package provides in the same words or has among its files in
// primary.xml, repetitions, and all versions of libc.so.6 but the highest.
func requirements(p *scanned) []rpm.Dependency {
	provided := map[rpm.Dependency]bool{}
	for _, d := range p.Provides() {
		d.Sense &= rpm.RangeMask
		provided[d] = true
	}
	files := map[string]bool{}
	for i := range p.files {
		if path := p.files[i].Path; inPrimary(path) {
			files[path] = true
		}
	}
	seen := map[rpm.Dependency]bool{}
	var kept []rpm.Dependency
	var libc *rpm.Dependency
	for _, d := range p.Requires() {
		pre := d.Sense&preSense != 0
		d.Sense &= rpm.RangeMask
		if strings.HasPrefix(d.Name, "rpmlib(") || provided[d] || files[d.Name] {
			continue
		}
		if pre {
			d.Sense |= rpm.Prereq
		}
		switch {
		case seen[d]:
		case strings.HasPrefix(d.Name, "libc.so.6"):
			if libc == nil || rpm.CompareVersion(symbolVersion(libc.Name), symbolVersion(d.Name)) < 0 {
				libc = &d
			}
		default:
			seen[d] = true
			kept = append(kept, d)
		}
	}
	if libc != nil {
		kept = append(kept, *libc)
	}
	return kept
}

// symbolVersion is "2.34" of "libc.so.6(GLIBC_2.34)(64bit)", "" without one.
func symbolVersion(name string) string {
	_, rest, _ := strings.Cut(name, "(")
	inside, _, _ := strings.Cut(rest, ")")
	return strings.TrimLeft(inside, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")
}

func entriesOf(deps []rpm.Dependency) *entries {
	if len(deps) == 0 {
		return nil
	}
	list := &entries{}
	for _, d := range deps {
		e := entry{Name: d.Name}
		if d.Sense&rpm.RangeMask != 0 {
			e.Flags = flagNames[d.Operator()]
			e.Epoch, e.Version, e.Release = strconv.Itoa(d.EVR.Epoch), d.EVR.Version, d.EVR.Release
		}
		if d.Sense&rpm.Prereq != 0 {
			e.Pre = "1"
		}
		list.Entries = append(list.Entries, e)
	}
	return list
}

var flagNames = map[string]string{"<": "LT", "<=": "LE", "=": "EQ", ">=": "GE", ">": "GT"}
