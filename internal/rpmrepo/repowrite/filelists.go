package repowrite

import (
	"encoding/xml"

	"github.com/slipway-build/slipway/internal/rpm"
)

// filelists is the document filelists.xml: every file of every package.
type filelists struct {
	XMLName   xml.Name          `xml:"filelists"`
	Namespace string            `xml:"xmlns,attr"`
	Count     int               `xml:"packages,attr"`
	Packages  []filelistPackage `xml:"package"`
}

// packageID names a package in filelists.xml and other.xml.
type packageID struct {
	ID      string  `xml:"pkgid,attr"`
	Name    string  `xml:"name,attr"`
	Arch    string  `xml:"arch,attr"`
	Version version `xml:"version"`
}

type filelistPackage struct {
	packageID
	Files []file `xml:"file"`
}

// otherdata is the document other.xml: changelogs.
type otherdata struct {
	XMLName   xml.Name       `xml:"otherdata"`
	Namespace string         `xml:"xmlns,attr"`
	Count     int            `xml:"packages,attr"`
	Packages  []otherPackage `xml:"package"`
}

type otherPackage struct {
	packageID
	Changelog []change `xml:"changelog"`
}

type change struct {
	Author string `xml:"author,attr"`
	Date   uint32 `xml:"date,attr"`
	Text   string `xml:",chardata"`
}

func idOf(p *scanned) packageID {
	nevra := p.NEVRA()
	return packageID{ID: p.sha256, Name: nevra.Name, Arch: nevra.Arch, Version: versionOf(nevra.EVR)}
}

func filelistsDocument(packages []scanned) filelists {
	doc := filelists{Namespace: "http://linux.duke.edu/metadata/filelists", Count: len(packages)}
	for i := range packages {
		p := filelistPackage{packageID: idOf(&packages[i])}
		for j := range packages[i].files {
			p.Files = append(p.Files, fileOf(&packages[i].files[j]))
		}
		doc.Packages = append(doc.Packages, p)
	}
	return doc
}

// maxChanges is how many entries of a changelog are kept, the newest.
const maxChanges = 10

func otherDocument(packages []scanned) otherdata {
	doc := otherdata{Namespace: "http://linux.duke.edu/metadata/other", Count: len(packages)}
	for i := range packages {
		p := &packages[i]
		out := otherPackage{packageID: idOf(p)}
		times, authors, texts := p.Uint32s(rpm.TagChangelogTime), p.Strings(rpm.TagChangelogName), p.Strings(rpm.TagChangelogText)
		n := min(len(times), len(authors), len(texts), maxChanges)
		for j := n - 1; j >= 0; j-- { // the header has the newest first
			out.Changelog = append(out.Changelog, change{authors[j], times[j], texts[j]})
		}
		doc.Packages = append(doc.Packages, out)
	}
	return doc
}
