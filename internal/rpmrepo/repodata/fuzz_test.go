package repodata

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
)

// flat writes what a document holds, one token a line: the same for the same document, whoever reads
// it.
type flat struct {
	out  strings.Builder
	text strings.Builder
}

func (f *flat) flush() {
	if f.text.Len() > 0 {
		fmt.Fprintf(&f.out, "%q\n", f.text.String())
		f.text.Reset()
	}
}

func (f *flat) start(name string, attrs ...string) {
	f.flush()
	fmt.Fprintf(&f.out, "<%s %q>\n", name, attrs)
}

func (f *flat) end(name string) {
	f.flush()
	fmt.Fprintf(&f.out, "</%s>\n", name)
}

func ours(data []byte) (string, error) {
	s := newScanner(bytes.NewReader(data))
	var f flat
	for {
		tok, err := s.next()
		if err != nil {
			return "", err
		}
		switch tok {
		case endOfDocument:
			return f.out.String(), nil
		case startTag:
			var attrs []string
			for _, a := range s.attrs {
				value, err := s.unescape(a.value)
				if err != nil {
					return "", err
				}
				attrs = append(attrs, string(a.name), newlines(string(value)))
			}
			f.start(string(s.name), attrs...)
		case endTag:
			f.end(string(s.name))
		case textRun:
			text := s.text
			if !s.cdata {
				if text, err = s.unescape(text); err != nil {
					return "", err
				}
			}
			f.text.WriteString(newlines(string(text)))
		}
	}
}

// newlines undoes the one thing that the standard library does and the scanner does not: XML wants
// line ends to be \n (section 2.11), which matters for nothing in a repository's metadata.
func newlines(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

func theirs(data []byte) (string, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	var f flat
	depth, roots := 0, 0
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) && depth == 0 && roots == 1 {
			return f.out.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				roots++
			}
			var attrs []string
			for _, a := range tok.Attr {
				attrs = append(attrs, a.Name.Local, newlines(a.Value))
			}
			f.start(tok.Name.Local, attrs...)
		case xml.EndElement:
			depth--
			f.end(tok.Name.Local)
		case xml.CharData:
			if depth > 0 {
				f.text.WriteString(newlines(string(tok)))
			}
		}
	}
}

// FuzzScanner holds the scanner against the standard library: what both take, both read the same way.
func FuzzScanner(f *testing.F) {
	f.Add([]byte(primaryXML(f)))
	f.Add([]byte(repomdXML))
	f.Add([]byte(metalinkXML))
	f.Add([]byte(filelistsXML))
	f.Add([]byte("<a b='>'><!-- <c> --><![CDATA[<d>]]>&lt;<e/></a>\n<!-- end -->"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ours(data)
		if err != nil {
			return
		}
		want, err := theirs(data)
		if err != nil {
			return
		}
		if got != want {
			t.Errorf("read\n%s\nwant\n%s", got, want)
		}
	})
}

func FuzzPrimary(f *testing.F) {
	f.Add([]byte(primaryXML(f)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var buf bytes.Buffer
		if _, err := WritePrimaryIndex(&buf, bytes.NewReader(data)); err != nil {
			return
		}
		x, err := OpenIndex(buf.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		use(x)
		for _, p := range packages(x) {
			if p.Name == "" || p.Location == "" || strings.ContainsAny(p.Name+p.Arch+p.EVR.Version+p.EVR.Release, "/\n") {
				t.Errorf("package %+v", p)
			}
			if !strings.Contains(p.Location, "://") && !ValidLocation(p.Location) {
				t.Errorf("location %q", p.Location)
			}
		}
	})
}

func FuzzFilelists(f *testing.F) {
	f.Add([]byte(filelistsXML))
	f.Fuzz(func(t *testing.T, data []byte) {
		var buf bytes.Buffer
		if _, err := WriteFilesIndex(&buf, bytes.NewReader(data)); err != nil {
			return
		}
		files, err := OpenFiles(buf.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		useFiles(files)
	})
}

func FuzzRepomd(f *testing.F) {
	f.Add([]byte(repomdXML))
	f.Fuzz(func(t *testing.T, data []byte) {
		md, err := ParseRepomd(data)
		if err != nil {
			return
		}
		for _, d := range md.Data {
			if _, ok := NewHash(d.Checksum.Kind); !ok || d.Location == "" || d.Size < 0 || d.OpenSize < 0 {
				t.Errorf("data %+v", d)
			}
		}
	})
}

func FuzzMetalink(f *testing.F) {
	f.Add([]byte(metalinkXML))
	f.Fuzz(func(t *testing.T, data []byte) {
		link, err := ParseMetalink(data, "repomd.xml")
		if err != nil {
			return
		}
		if len(link.Versions) == 0 {
			t.Error("it vouches for nothing")
		}
		for _, v := range link.Versions {
			if len(v.Checksums) == 0 || !Trusted(v.Checksums[0].Kind) {
				t.Errorf("version %+v", v)
			}
		}
	})
}

// otherwise writes the packages of a document and their entries in a way that only the general reader
// takes.
func otherwise(data []byte) []byte {
	data = bytes.ReplaceAll(data, []byte("<arch>"), []byte("<arch >"))
	return bytes.ReplaceAll(data, []byte(plainTag), []byte(`<rpm:entry  name="`))
}

// onlyTags says whether every < of a document begins a tag, but for a first line <?xml…?>.
func onlyTags(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte("<?xml"))
	if bytes.Contains(data, []byte("<!")) || bytes.Contains(data, []byte("<?")) {
		return false
	}
	s := newScanner(bytes.NewReader(data))
	for {
		tok, err := s.next()
		if err != nil || tok == endOfDocument {
			return true
		}
		for _, a := range s.attrs {
			if bytes.IndexByte(a.value, '<') >= 0 {
				return false
			}
		}
	}
}

// FuzzPlain holds the quick way to read packages and their entries against the general one: the same
// document, the same packages.
func FuzzPlain(f *testing.F) {
	for _, file := range []string{"testdata/primary.xml", "testdata/entries.xml", "testdata/plain.xml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if !onlyTags(data) {
			return // what looks like an entry may be text, or in an attribute's value
		}
		samePackages(t, data, otherwise(data))
	})
}

// samePackages reads two documents and wants the same of them: an error or the same packages.
func samePackages(t *testing.T, quick, general []byte) {
	t.Helper()
	var a, b bytes.Buffer
	made, quickly := WritePrimaryIndex(&a, bytes.NewReader(quick))
	_, generally := WritePrimaryIndex(&b, bytes.NewReader(general))
	if (quickly == nil) != (generally == nil) {
		t.Fatalf("quick: %v; general: %v", quickly, generally)
	}
	if quickly != nil {
		return
	}
	x, err := OpenIndex(a.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	y, err := OpenIndex(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if x.Len() != y.Len() {
		t.Fatalf("%d packages, and %d the general way", x.Len(), y.Len())
	}
	for i := range x.Len() {
		want := y.Package(i)
		if got := made.Package(i); !reflect.DeepEqual(got, want) {
			t.Fatalf("what was made is not what is opened:\n%+v\n%+v", got, want)
		}
		if got := x.Package(i); !reflect.DeepEqual(got, want) {
			t.Fatalf("the two ways give different packages:\n%+v\n%+v", got, want)
		}
	}
}

// Real metadata is read the same in both ways.
func TestPlainStream9(t *testing.T) {
	for _, file := range cs9(t, "*-primary.xml.gz") {
		r, err := Decompress(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		samePackages(t, data, otherwise(data))
	}
}

// What createrepo_c writes is read the quick way, but for what no plain package has.
func TestPlainPackage(t *testing.T) {
	data, err := os.ReadFile("testdata/plain.xml")
	if err != nil {
		t.Fatal(err)
	}
	samePackages(t, data, otherwise(data))
	for name, test := range map[string]struct {
		old, new string
		plain    bool
	}{
		"as it is":       {"", "", true},
		"entity":         {"A first package", "A &lt;first&gt; package", true},
		"unknown entity": {"A first package", "A &first; package", false},
		"no url":         {"<url>https://example.org/a</url>", "<url/>", true},
		"comment":        {"<format>", "<!-- --><format>", false},
		"other checksum": {`type="sha256"`, `type="sha512"`, false},
		"xml:base":       {`<location href`, `<location xml:base="https://example.org" href`, false},
		"leaves":         {`href="Packages`, `href="../Packages`, false},
		"name":           {"<name>a</name>", "<name>a/b</name>", false},
		"epoch":          {`epoch="0" ver="1.2"`, `epoch="4294967296" ver="1.2"`, false},
		"unknown":        {"<packager>", "<keeper/><packager>", false},
		"cut off":        {"</format>", "", false},
		"wrong end":      {"</package>", "</metadata>", false},
		"lacks a name":   {"<name>a</name>", "", false},
	} {
		p := primaryParser{scanner: newScanner(strings.NewReader(strings.Replace(string(data), test.old, test.new, 1))), builder: newBuilder(0), memo: newMemo()}
		if err := p.root("metadata"); err != nil {
			t.Fatal(err)
		}
		if more, err := p.child(1); !more || err != nil {
			t.Fatal(more, err)
		}
		p.forget()
		if got := p.plainPackage(); got != test.plain {
			t.Errorf("%s: plain is %v", name, got)
		}
	}
}
