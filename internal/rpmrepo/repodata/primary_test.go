package repodata

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/rpm"
)

func index(t testing.TB, xml string) *Index {
	t.Helper()
	var buf bytes.Buffer
	if _, err := WritePrimaryIndex(&buf, strings.NewReader(xml)); err != nil {
		t.Fatal(err)
	}
	x, err := OpenIndex(buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func primaryXML(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/primary.xml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func dep(name string) rpm.Dependency { return rpm.Dependency{Name: name} }

func ranged(name string, sense rpm.Sense, epoch int, version, release string) rpm.Dependency {
	return rpm.Dependency{Name: name, Sense: sense, EVR: rpm.EVR{Epoch: epoch, Version: version, Release: release}}
}

// handmade is what testdata/primary.xml says.
var handmade = []Package{
	{
		NEVRA:     rpm.NEVRA{Name: "lute", EVR: rpm.EVR{Epoch: 2, Version: "1.10~rc1", Release: "3.el9"}, Arch: "x86_64"},
		SourceRPM: "lute-1.10~rc1-3.el9.src.rpm",
		Location:  "Packages/l/lute-1.10~rc1-3.el9.x86_64.rpm",
		SHA256:    strings.Repeat("a", 64),
		Size:      5_000_000_000, InstalledSize: 12345, BuildTime: 1700000000,
		HeaderStart: 4504, HeaderEnd: 9000,
		Summary: "Strings & pegs — <plucked>", License: "MIT", URL: "https://example.org/lute?a=1&b=2",
		Provides: []rpm.Dependency{ranged("lute", rpm.Equal, 2, "1.10~rc1", "3.el9"), dep("instrument")},
		Requires: []rpm.Dependency{
			{Name: "/bin/sh", Sense: rpm.Prereq}, dep("/bin/sh"), dep("libgut.so.1()(64bit)"),
			ranged("wood", rpm.Greater|rpm.Equal, 0, "3", ""), dep("(peg if wood >= 2)"),
		},
		Conflicts:   []rpm.Dependency{ranged("noise", rpm.Less, 1, "0", "")},
		Obsoletes:   []rpm.Dependency{ranged("cithara", rpm.Less|rpm.Equal, 0, "9", "1")},
		Recommends:  []rpm.Dependency{dep("songbook")},
		Suggests:    []rpm.Dependency{dep("viol")},
		Supplements: []rpm.Dependency{dep("(consort and wood)")},
		Enhances:    []rpm.Dependency{ranged("voice", rpm.Greater, 0, "1", "")},
		Files:       []string{"/usr/bin/lute", "/etc/lute", "/etc/lute/tuning's"},
	},
	{
		NEVRA:    rpm.NEVRA{Name: "wood", EVR: rpm.EVR{Version: "3", Release: "1"}, Arch: "noarch"},
		Location: "https://example.org/other/wood-3-1.noarch.rpm",
		SHA256:   strings.Repeat("b", 64),
		Provides: []rpm.Dependency{ranged("wood", rpm.Equal, 0, "3", "1"), ranged("instrument", rpm.Equal, 0, "1", "")},
		Files:    []string{"/usr/bin/lute"},
	},
	{
		NEVRA:    rpm.NEVRA{Name: "lute", EVR: rpm.EVR{Epoch: 2, Version: "1.10~rc1", Release: "3.el9"}, Arch: "src"},
		Location: "Source/lute-1.10~rc1-3.el9.src.rpm",
		SHA256:   strings.Repeat("c", 64),
		Provides: []rpm.Dependency{ranged("lute", rpm.Equal, 2, "1.10~rc1", "3.el9")},
		Files:    []string{"/usr/bin/lute"},
	},
}

func packages(x *Index) []Package {
	var out []Package
	for i := range x.Len() {
		out = append(out, *x.Package(i))
	}
	return out
}

func TestPrimary(t *testing.T) {
	x := index(t, primaryXML(t))
	if diff := cmp.Diff(handmade, packages(x)); diff != "" {
		t.Error(diff)
	}
}

func TestLookups(t *testing.T) {
	x := index(t, primaryXML(t))
	check := func(what string, got, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	check("named", x.Named("lute"), []int{0}) // not the source package
	check("named", x.Named("lut"), []int(nil))
	check("named", x.Named("zither"), []int(nil))
	check("named", x.Named(""), []int(nil))
	check("providers", x.Providers("instrument"), []Provider{
		{0, dep("instrument")}, {1, ranged("instrument", rpm.Equal, 0, "1", "")},
	})
	check("obsoleters", x.Obsoleters("cithara"), []Provider{{0, handmade[0].Obsoletes[0]}})
	check("obsoleters", x.Obsoleters("lute"), []Provider(nil))
	check("files", x.WithFile("/usr/bin/lute"), []int{0, 1})
	check("files", x.WithFile("/usr/bin"), []int(nil))
	check("supplementers", x.Supplementers(), []int{0})
	check("names", slices.Collect(x.Names()), []string{"lute", "wood"})
	check("provided names", slices.Collect(x.ProvidedNames()), []string{"instrument", "lute", "wood"})
	for range x.Names() {
		break
	}
}

// Packages at hand make the very same index.
func TestWritePackageIndex(t *testing.T) {
	var fromXML, fromPackages bytes.Buffer
	if _, err := WritePrimaryIndex(&fromXML, strings.NewReader(primaryXML(t))); err != nil {
		t.Fatal(err)
	}
	if _, err := WritePackageIndex(&fromPackages, handmade); err != nil {
		t.Fatal(err)
	}
	x, err := OpenIndex(fromPackages.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(handmade, packages(x)); diff != "" {
		t.Error(diff)
	}
	bad := []Package{{NEVRA: rpm.NEVRA{Name: "x"}, SHA256: "zz"}}
	if _, err := WritePackageIndex(io.Discard, bad); err == nil {
		t.Error("a checksum that is none was taken")
	}
	if _, err := WritePackageIndex(io.Discard, []Package{{Summary: "\xff"}}); err == nil {
		t.Error("a text that is not UTF-8 was taken")
	}
}

// The same input gives the same bytes.
func TestPrimaryIndexIsDeterministic(t *testing.T) {
	var first bytes.Buffer
	for i := range 3 {
		var buf bytes.Buffer
		if _, err := WritePrimaryIndex(&buf, strings.NewReader(primaryXML(t))); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = buf
		} else if !bytes.Equal(first.Bytes(), buf.Bytes()) {
			t.Fatal("two indexes of one document differ")
		}
	}
}

func TestPrimaryErrors(t *testing.T) {
	good := primaryXML(t)
	for _, test := range []struct{ name, old, new, want string }{
		{"cut off", "</metadata>", "", "cut off"},
		{"html", good, "<html><body/></html>", "the root element is <html>"},
		{"empty", good, "", "cut off"},
		{"text", good, "Not found", "cut off"},
		{"trailing", "</metadata>", "</metadata><metadata/>", "second root"},
		{"text after", "</metadata>", "</metadata>x<", "outside of the root"},
		{"doctype", "<!-- made by hand -->", `<!DOCTYPE metadata [<!ENTITY a "aaaaaaaaaa">]>`, "document type declaration"},
		{"entity", "Strings &amp;", "Strings &bomb;", "&bomb; is not known"},
		{"stray &", "Strings &amp;", "Strings &", "starts no entity"},
		{"character 0", "&#x2014;", "&#0;", "not known"},
		{"surrogate", "&#x2014;", "&#xD800;", "not known"},
		{"encoding", `encoding="UTF-8"`, `encoding="ISO-8859-1"`, "only UTF-8"},
		{"not UTF-8", "MIT", "\xff", "not UTF-8"},
		{"no name", "<name>lute</name>", "", "lacks a name"},
		{"empty name", "<name>lute</name>", "<name/>", "not valid as a name"},
		{"slash", "<name>lute</name>", "<name>../lute</name>", "not valid as a name"},
		{"newline", "<name>lute</name>", "<name>lu\nte</name>", "not valid as a name"},
		{"version", `ver="1.10~rc1" rel="3.el9"/>`, `ver="1/0" rel="3.el9"/>`, "not valid in a version"},
		{"no version", `<version epoch="2" ver="1.10~rc1" rel="3.el9"/>`, "", `package "lute": at byte`},
		{"epoch", `<version epoch="2"`, `<version epoch="99999999999"`, "too large for an epoch"},
		{"epoch word", `<version epoch="2"`, `<version epoch="two"`, "not a number"},
		{"negative size", `installed="12345"`, `installed="-1"`, "not a number"},
		{"huge size", `installed="12345"`, `installed="9223372036854775808"`, "not a number"},
		{"sha1", `type="sha256" pkgid="YES">aaa`, `type="sha" pkgid="YES">aaa`, "only sha256"},
		{"bad sha", "aaaaaaaaaaa</checksum>", "aaaaaaaaaag</checksum>", "not a sha256"},
		{"short sha", "aaaaaaaaaaa</checksum>", "aaaaaaaaaa</checksum>", "not a sha256"},
		{"escape", `href="Packages/`, `href="../../Packages/`, "not a path inside"},
		{"absolute", `href="Packages/`, `href="/Packages/`, "not a path inside"},
		{"url", `href="Packages/`, `href="http://example.org/`, "not a path inside"},
		{"base escape", `xml:base="https://example.org/other/"`, `xml:base="../.."`, "neither a URL nor a path"},
		{"base scheme", `xml:base="https:`, `xml:base="gopher:`, "neither a URL nor a path"},
		{"comparison", `flags="GE"`, `flags="NE"`, "no comparison"},
		{"nameless", `<rpm:entry name="songbook"/>`, "<rpm:entry/>", "has no name"},
		{"mismatch", "</rpm:license>", "</license>", "does not match"},
		{"unquoted", `name="songbook"`, `name=songbook`, "not quoted"},
		{"no value", `name="songbook"`, `name`, "malformed attribute"},
		{"deep", "<rpm:vendor>nobody", strings.Repeat("<a>", 40), "nested deeper"},
		{"long", "Not kept.", strings.Repeat("long ", 1_000_000), "longer than"},
		{"attributes", `<size `, "<size " + strings.Repeat(`a="" `, 100), "attributes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			xml := strings.Replace(good, test.old, test.new, 1)
			if xml == good {
				t.Fatal("the test changes nothing")
			}
			_, err := WritePrimaryIndex(io.Discard, strings.NewReader(xml))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := WritePrimaryIndex(io.Discard, strings.NewReader(good[:len(good)/2])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// What others write differently is read all the same.
func TestPrimaryVariants(t *testing.T) {
	good := primaryXML(t)
	for name, change := range map[string]func(string) string{
		"byte order mark": func(s string) string { return "\xef\xbb\xbf" + s },
		"no declaration":  func(s string) string { return s[strings.Index(s, "<metadata"):] },
		"other prefix":    func(s string) string { return strings.ReplaceAll(s, "rpm:", "r:") },
		"spaces":          func(s string) string { return strings.ReplaceAll(s, ` ver="`, "\n ver = \n \"") },
		"single quotes":   func(s string) string { return strings.ReplaceAll(s, `"`, `'`) },
		"long tags": func(s string) string {
			return strings.ReplaceAll(s, `<rpm:entry name="songbook"/>`, "<rpm:entry name=\"songbook\"><!-- > --></rpm:entry  >")
		},
		"comment":     func(s string) string { return strings.Replace(s, "<format>", "<!-- <format> --><format>", 1) },
		"instruction": func(s string) string { return strings.Replace(s, "<format>", "<?php > ?><format>", 1) },
		"large": func(s string) string {
			return strings.Replace(s, "Not kept.", strings.Repeat("many words ", 100_000), 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(handmade, packages(index(t, change(good)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A read may give any number of bytes.
func TestPrimaryInPieces(t *testing.T) {
	var buf bytes.Buffer
	if _, err := WritePrimaryIndex(&buf, &dribble{[]byte(primaryXML(t))}); err != nil {
		t.Fatal(err)
	}
	x, err := OpenIndex(buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(handmade, packages(x)); diff != "" {
		t.Error(diff)
	}
}

type dribble struct{ rest []byte }

func (d *dribble) Read(p []byte) (int, error) {
	if len(d.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, d.rest[:min(7, len(d.rest))])
	d.rest = d.rest[n:]
	return n, nil
}

func TestPrimaryReadError(t *testing.T) {
	bad := fmt.Errorf("the disk is on fire")
	r := io.MultiReader(strings.NewReader(primaryXML(t)[:1000]), failing{bad})
	if _, err := WritePrimaryIndex(io.Discard, r); !errors.Is(err, bad) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Many packages, and texts that cross every window.
func TestPrimaryManyPackages(t *testing.T) {
	var xml strings.Builder
	xml.WriteString(`<metadata>`)
	const n = 20_000
	for i := range n {
		fmt.Fprintf(&xml, `<package><name>p%d</name><arch>noarch</arch><version ver="%d"/><checksum type="sha256">%064x</checksum>`+
			`<location href="p%d.rpm"/><format><provides><entry name="p%d"/><entry name="all"/></provides></format></package>`, i, i, i+1, i, i)
	}
	xml.WriteString(`</metadata>`)
	x := index(t, xml.String())
	if x.Len() != n || len(x.Providers("all")) != n {
		t.Fatalf("%d packages, %d providers", x.Len(), len(x.Providers("all")))
	}
	for _, i := range []int{0, 1, 4711, n - 1} {
		if got := x.Named(fmt.Sprintf("p%d", i)); !slices.Equal(got, []int{i}) {
			t.Errorf("p%d is %v", i, got)
		}
		if p := x.Package(i); p.SHA256 != fmt.Sprintf("%064x", i+1) || p.EVR.Version != fmt.Sprint(i) {
			t.Errorf("package %d is %v", i, p)
		}
	}
}
