package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
	"github.com/slipway-build/slipway/tools/universe/internal/convert"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
)

// listedSize is the name of the size.
const listedSize = "listed"

// listedCount is how many packages the size listed has, about as many as Fedora.
const listedCount = 70_000

// buildListed gives the folder of a repository of all packages that apt's lists name: metadata only,
// for there is no RPM behind it.
func (b builder) buildListed(ctx context.Context) (string, error) {
	state, err := aptState(nil)
	if err != nil {
		return "", err
	}
	key := cache.Key("listed/1", b.tool, state)
	path, hit, err := b.cache.Tree(ctx, "listed", key, func(dir string) error {
		b.log.say("reading apt's package lists")
		controls, err := debian.Listed(ctx)
		if err != nil {
			return err
		}
		if len(controls) == 0 {
			return errors.New("apt has no package lists: apt-get update fetches them")
		}
		packages, err := convert.Listed(controls, listedCount)
		if err != nil {
			return err
		}
		b.log.say("writing metadata of %d packages", len(packages))
		return writeRepodata(dir, packages)
	})
	if hit {
		b.log.say("it is there already")
	}
	return path, err
}

// writeRepodata writes primary.xml and repomd.xml as createrepo_c does.
func writeRepodata(dir string, packages []repodata.Package) (err error) {
	if err := os.Mkdir(filepath.Join(dir, "repodata"), 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "repodata", "primary.xml.gz"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	packed := &counted{w: f, sum: sha256.New()}
	z, err := gzip.NewWriterLevel(packed, 6)
	if err != nil {
		return err
	}
	open := &counted{w: z, sum: sha256.New()}
	out := bufio.NewWriterSize(open, 1<<20)
	fmt.Fprintf(out, "%s<metadata xmlns=\"http://linux.duke.edu/metadata/common\" xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"%d\">\n", xml.Header, len(packages))
	for i := range packages {
		writePackage(out, &packages[i])
	}
	fmt.Fprintln(out, "</metadata>")
	if err := errors.Join(out.Flush(), z.Close()); err != nil {
		return err
	}
	repomd := fmt.Sprintf(`%s<repomd xmlns="http://linux.duke.edu/metadata/repo">
  <revision>1</revision>
  <data type="primary">
    <checksum type="sha256">%s</checksum>
    <open-checksum type="sha256">%s</open-checksum>
    <location href="repodata/primary.xml.gz"/>
    <timestamp>1</timestamp>
    <size>%d</size>
    <open-size>%d</open-size>
  </data>
</repomd>
`, xml.Header, packed.hex(), open.hex(), packed.size, open.size)
	return os.WriteFile(filepath.Join(dir, "repodata", "repomd.xml"), []byte(repomd), 0o644)
}

// counted writes through, and takes size and checksum on the way.
type counted struct {
	w    io.Writer
	sum  hash.Hash
	size int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.sum.Write(p[:n])
	c.size += int64(n)
	return n, err
}

func (c *counted) hex() string { return hex.EncodeToString(c.sum.Sum(nil)) }

// writePackage writes the element of one package. Errors are those of the writer's Flush.
func writePackage(w *bufio.Writer, p *repodata.Package) {
	fmt.Fprintf(w, "<package type=\"rpm\">\n  <name>%s</name>\n  <arch>%s</arch>\n  <version epoch=\"%d\" ver=\"%s\" rel=\"%s\"/>\n",
		p.Name, p.Arch, p.EVR.Epoch, escaped(p.EVR.Version), escaped(p.EVR.Release))
	fmt.Fprintf(w, "  <checksum type=\"sha256\" pkgid=\"YES\">%s</checksum>\n  <summary>%s</summary>\n  <description>%s</description>\n  <packager></packager>\n  <url>%s</url>\n",
		p.SHA256, escaped(p.Summary), escaped(p.Summary), escaped(p.URL))
	fmt.Fprintf(w, "  <time file=\"1\" build=\"1\"/>\n  <size package=\"%d\" installed=\"%d\" archive=\"%d\"/>\n  <location href=\"%s\"/>\n", p.Size, p.InstalledSize, p.InstalledSize, escaped(p.Location))
	fmt.Fprintf(w, "  <format>\n    <rpm:license>%s</rpm:license>\n    <rpm:vendor/>\n    <rpm:group>Unspecified</rpm:group>\n    <rpm:buildhost>localhost</rpm:buildhost>\n    <rpm:sourcerpm>%s</rpm:sourcerpm>\n    <rpm:header-range start=\"4504\" end=\"9000\"/>\n",
		escaped(p.License), escaped(p.SourceRPM))
	for _, l := range []struct {
		name string
		deps []rpm.Dependency
	}{
		{"provides", p.Provides},
		{"requires", p.Requires},
		{"conflicts", p.Conflicts},
		{"recommends", p.Recommends},
		{"suggests", p.Suggests},
		{"enhances", p.Enhances},
	} {
		writeDependencies(w, l.name, l.deps)
	}
	fmt.Fprint(w, "  </format>\n</package>\n")
}

var flagNames = map[string]string{"<": "LT", "<=": "LE", "=": "EQ", ">=": "GE", ">": "GT"}

func writeDependencies(w *bufio.Writer, list string, deps []rpm.Dependency) {
	if len(deps) == 0 {
		return
	}
	fmt.Fprintf(w, "    <rpm:%s>\n", list)
	for _, d := range deps {
		fmt.Fprintf(w, `      <rpm:entry name="%s"`, escaped(d.Name))
		if flags := flagNames[d.Operator()]; flags != "" {
			fmt.Fprintf(w, ` flags="%s" epoch="%d" ver="%s"`, flags, d.EVR.Epoch, escaped(d.EVR.Version))
			if d.EVR.Release != "" {
				fmt.Fprintf(w, ` rel="%s"`, escaped(d.EVR.Release))
			}
		}
		fmt.Fprint(w, "/>\n")
	}
	fmt.Fprintf(w, "    </rpm:%s>\n", list)
}

// escaped is the text as XML. What could not stand in XML is replaced.
func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
