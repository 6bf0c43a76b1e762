package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
	"github.com/slipway-build/slipway/tools/universe/internal/convert"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
)

const listedParagraphs = `Package: lute
Version: 1:1.2-3+b1
Architecture: amd64
Provides: instrument
Depends: strings (>= 2), wood | plywood, noise
Conflicts: instrument, wood (<< 1)
Recommends: songbook
Description: Strings & <pegs>
 a long text
Size: 100
SHA256: ` + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" + `

Package: installed-only
Version: 1

Package: wood
Source: forest (1)
Version: 3
Architecture: all
SHA256: ` + "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" + `
`

// TestListed writes metadata of package lists and reads it back.
func TestListed(t *testing.T) {
	controls, err := debian.ParseControls(strings.NewReader(listedParagraphs))
	if err != nil {
		t.Fatal(err)
	}
	packages, err := convert.Listed(controls, 3)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := writeRepodata(dir, packages); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(dir, "repodata", "primary.xml.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	xml, err := repodata.Decompress(file)
	if err != nil {
		t.Fatal(err)
	}
	var index bytes.Buffer
	if _, err := repodata.WritePrimaryIndex(&index, xml); err != nil {
		t.Fatal(err)
	}
	x, err := repodata.OpenIndex(index.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range x.Len() {
		p := x.Package(i)
		line := []string{p.NEVRA.String(), p.SourceRPM, p.Summary}
		for _, d := range p.Provides {
			line = append(line, "+", d.String())
		}
		for _, d := range p.Requires {
			line = append(line, ">", d.String())
		}
		for _, d := range p.Conflicts {
			line = append(line, "!", d.String())
		}
		for _, d := range p.Recommends {
			line = append(line, "?", d.String())
		}
		got = append(got, strings.Join(line, " "))
	}
	want := `lute-1:1.2-3+b1.x86_64 lute-1.2-3+b1.src.rpm Strings & <pegs> + lute = 1:1.2-3+b1 + instrument > strings >= 2-0 > (wood or plywood) > noise ! wood < 1-0 ? songbook
wood-3-0.noarch forest-3-0.src.rpm  + wood = 3-0
lute-1:1.2-0~older.x86_64 lute-1.2-3+b1.src.rpm Strings & <pegs> + lute = 1:1.2-0~older > strings >= 2-0 > (wood or plywood) > noise ! wood < 1-0 ? songbook`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	data, err := os.ReadFile(filepath.Join(dir, "repodata", "repomd.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if md, err := repodata.ParseRepomd(data); err != nil || len(md.Data) != 1 || md.Data[0].OpenChecksum.IsZero() {
		t.Errorf("repomd.xml: %+v, %v", md, err)
	}
}
