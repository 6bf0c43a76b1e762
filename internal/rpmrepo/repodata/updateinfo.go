package repodata

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Advisory is what updateinfo.xml says of one update.
type Advisory struct {
	// ID is its name: "FEDORA-2025-1a2b3c4d5e", "RHSA-2025:1234".
	ID string `json:"id"`
	// Type is "security", "bugfix", "enhancement", "newpackage", or another word.
	Type string `json:"type,omitempty"`
	// Severity is "Critical", "Important", "Moderate", "Low", or empty.
	Severity string `json:"severity,omitempty"`
	Title    string `json:"title,omitempty"`
	// CVEs are those that it names among its references, sorted: as references of their own, or, as
	// Fedora writes them, in the titles of bugs.
	CVEs []string `json:"cves,omitempty"`
	// Packages are the builds that come with it.
	Packages []rpm.NEVRA `json:"packages,omitempty"`
}

// Bounds of updateinfo.xml.
const (
	maxAdvisories       = 200_000
	maxAdvisoryPackages = 20_000
	maxAdvisoryCVEs     = 2_000
	maxAdvisoryText     = 1_000
)

// ParseUpdateinfo reads updateinfo.xml, as a stream. Of advisories of one name, which different
// repositories' tools write twice, all are kept.
func ParseUpdateinfo(r io.Reader) ([]Advisory, error) {
	p := updateinfoParser{scanner: newScanner(r)}
	if err := p.document(); err != nil {
		return nil, fmt.Errorf("parsing updateinfo.xml: %w", err)
	}
	return p.out, nil
}

type updateinfoParser struct {
	*scanner
	out []Advisory
}

func (p *updateinfoParser) document() error {
	if err := p.root("updates"); err != nil {
		return err
	}
	err := p.each(1, func(name string) error {
		if name != "update" {
			return nil
		}
		if len(p.out) == maxAdvisories {
			return p.errorf("there are more than %d advisories", maxAdvisories)
		}
		a, err := p.advisory()
		if err != nil {
			return fmt.Errorf("advisory %.80q: %w", a.ID, err)
		}
		if a.ID == "" {
			return p.errorf("an advisory has no id")
		}
		p.out = append(p.out, a)
		return nil
	})
	if err != nil {
		return err
	}
	return p.finished()
}

func (p *updateinfoParser) advisory() (a Advisory, err error) {
	if a.Type, err = p.attribute("type"); err != nil {
		return a, err
	}
	err = p.each(2, func(name string) (err error) {
		switch name {
		case "id":
			a.ID, err = p.line()
		case "title":
			a.Title, err = p.line()
		case "severity":
			a.Severity, err = p.line()
		case "references":
			err = p.references(&a)
		case "pkglist":
			err = p.collections(&a)
		}
		return err
	})
	// Those who have nothing to say about it say "None".
	if strings.EqualFold(a.Severity, "none") {
		a.Severity = ""
	}
	slices.Sort(a.CVEs)
	a.CVEs = slices.Compact(a.CVEs)
	return a, err
}

var cve = regexp.MustCompile(`\bCVE-[0-9]{4}-[0-9]{4,10}\b`)

func (p *updateinfoParser) references(a *Advisory) error {
	return p.each(3, func(name string) error {
		if name != "reference" {
			return nil
		}
		for _, key := range []string{"id", "title"} {
			text, err := p.attribute(key)
			if err != nil {
				return err
			}
			a.CVEs = append(a.CVEs, cve.FindAllString(text, -1)...)
		}
		if len(a.CVEs) > maxAdvisoryCVEs {
			return p.errorf("it names more than %d CVEs", maxAdvisoryCVEs)
		}
		return nil
	})
}

func (p *updateinfoParser) collections(a *Advisory) error {
	return p.each(3, func(name string) error {
		if name != "collection" {
			return nil
		}
		return p.each(4, func(name string) error {
			if name != "package" {
				return nil
			}
			n, err := p.build()
			if err != nil {
				return err
			}
			if len(a.Packages) == maxAdvisoryPackages {
				return p.errorf("it has more than %d packages", maxAdvisoryPackages)
			}
			a.Packages = append(a.Packages, n)
			return nil
		})
	})
}

func (p *updateinfoParser) build() (n rpm.NEVRA, err error) {
	epoch, err := p.number("epoch")
	if err != nil {
		return n, err
	}
	if n.EVR.Epoch = int(epoch); epoch > 1<<31-1 {
		return n, p.errorf("the epoch %d is too large", epoch)
	}
	for key, into := range map[string]*string{"name": &n.Name, "version": &n.EVR.Version, "release": &n.EVR.Release, "arch": &n.Arch} {
		if *into, err = p.attribute(key); err != nil {
			return n, err
		}
	}
	if n.Name == "" || n.EVR.Version == "" {
		return n, p.errorf("a package has no name or no version")
	}
	return n, nil
}

// attribute gives the value of an attribute as a line of text; empty where there is none.
func (p *updateinfoParser) attribute(name string) (string, error) {
	value, _, err := p.attr(name)
	return tidy(value), err
}

// line gives the text of the element.
func (p *updateinfoParser) line() (string, error) {
	text, err := p.content()
	return tidy(text), err
}

// tidy makes one line of a text, of bounded length and valid.
func tidy(text []byte) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(text), "\uFFFD")), " ")
	if len(s) > maxAdvisoryText {
		s = strings.ToValidUTF8(s[:maxAdvisoryText], "") + "…"
	}
	return s
}
