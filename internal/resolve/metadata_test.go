package resolve_test

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/resolve/dnf"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// writeMetadata writes repositories as metadata that dnf reads, and says where they are.
func writeMetadata(t testing.TB, dir string, repos []*rpmrepo.Repository) []dnf.Repo {
	t.Helper()
	var written []dnf.Repo
	for _, r := range repos {
		folder := filepath.Join(dir, r.Config.ID)
		if err := os.MkdirAll(filepath.Join(folder, "repodata"), 0o755); err != nil {
			t.Fatal(err)
		}
		primary := primaryOf(r)
		repomd := fmt.Sprintf(`<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision><data type="primary">`+
			`<checksum type="sha256">%x</checksum><location href="repodata/primary.xml"/><size>%d</size></data></repomd>`,
			sha256.Sum256([]byte(primary)), len(primary))
		for name, content := range map[string]string{"primary.xml": primary, "repomd.xml": repomd} {
			if err := os.WriteFile(filepath.Join(folder, "repodata", name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		written = append(written, dnf.Repo{
			ID: r.Config.ID, URL: "file://" + folder, Priority: r.Config.Priority, Cost: r.Config.Cost,
			Exclude: r.Config.Exclude, Include: r.Config.Include,
		})
	}
	return written
}

func primaryOf(r *rpmrepo.Repository) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="%d">`, r.Len())
	for i := range r.Len() {
		p := r.Package(i)
		fmt.Fprintf(&b, `<package type="rpm"><name>%s</name><arch>%s</arch><version epoch="%d" ver="%s" rel="%s"/>`,
			p.Name, p.Arch, p.EVR.Epoch, p.EVR.Version, p.EVR.Release)
		fmt.Fprintf(&b, `<checksum type="sha256" pkgid="YES">%s</checksum><summary/><description/><packager/><url/>`, p.SHA256)
		fmt.Fprintf(&b, `<time file="1" build="1"/><size package="1" installed="1" archive="1"/><location href="%s"/><format>`, escape(p.Location))
		b.WriteString(`<rpm:license/><rpm:vendor/><rpm:group/><rpm:buildhost/><rpm:sourcerpm/><rpm:header-range start="1" end="2"/>`)
		for name, deps := range map[string][]rpm.Dependency{
			"provides": p.Provides, "requires": p.Requires, "conflicts": p.Conflicts, "obsoletes": p.Obsoletes,
			"recommends": p.Recommends, "suggests": p.Suggests, "supplements": p.Supplements, "enhances": p.Enhances,
		} {
			writeEntries(&b, name, deps)
		}
		for _, f := range p.Files {
			fmt.Fprintf(&b, "<file>%s</file>", escape(f))
		}
		b.WriteString("</format></package>")
	}
	b.WriteString("</metadata>")
	return b.String()
}

func writeEntries(b *strings.Builder, name string, deps []rpm.Dependency) {
	fmt.Fprintf(b, "<rpm:%s>", name)
	for _, d := range deps {
		fmt.Fprintf(b, `<rpm:entry name="%s"`, escape(d.Name))
		if flags := map[string]string{"<": "LT", "<=": "LE", "=": "EQ", ">=": "GE", ">": "GT"}[d.Operator()]; flags != "" {
			fmt.Fprintf(b, ` flags="%s" epoch="%d" ver="%s"`, flags, d.EVR.Epoch, d.EVR.Version)
			if d.EVR.Release != "" {
				fmt.Fprintf(b, ` rel="%s"`, d.EVR.Release)
			}
		}
		b.WriteString("/>")
	}
	fmt.Fprintf(b, "</rpm:%s>", name)
}

func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err) // a strings.Builder does not fail
	}
	return b.String()
}
