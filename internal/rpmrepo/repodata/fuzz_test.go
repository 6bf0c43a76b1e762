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
		if err := WritePrimaryIndex(&buf, bytes.NewReader(data)); err != nil {
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
		if err := WriteFilesIndex(&buf, bytes.NewReader(data)); err != nil {
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

// otherwise writes the entries of a document in a way that only the general reader takes.
func otherwise(data []byte) []byte {
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

// FuzzPlainEntries holds the quick way to read entries against the general one: the same document, the
// same packages.
func FuzzPlainEntries(f *testing.F) {
	for _, file := range []string{"testdata/primary.xml", "testdata/entries.xml"} {
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
		var quick, general bytes.Buffer
		quickly, generally := WritePrimaryIndex(&quick, bytes.NewReader(data)), WritePrimaryIndex(&general, bytes.NewReader(otherwise(data)))
		if (quickly == nil) != (generally == nil) {
			t.Fatalf("quick: %v; general: %v", quickly, generally)
		}
		if quickly != nil {
			return
		}
		a, err := OpenIndex(quick.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		b, err := OpenIndex(general.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(packages(a), packages(b)) {
			t.Errorf("the two ways give different packages:\n%+v\n%+v", packages(a), packages(b))
		}
	})
}
