package repodata

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

const repomdXML = `<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision> 1700000000 </revision>
  <tags><distro cpeid="cpe:/o:x">X</distro><content>y</content></tags>
  <data type="primary">
    <checksum type="sha256">AAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</checksum>
    <open-checksum type="sha512">bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb</open-checksum>
    <location href="repodata/primary.xml.gz"/>
    <timestamp>1700000001.5</timestamp>
    <size>10</size>
    <open-size>100</open-size>
  </data>
  <data type="primary_zck">
    <checksum type="sha256">aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</checksum>
    <location href="repodata/primary.xml.zck"/>
    <timestamp>1800000001</timestamp>
  </data>
  <data type="modules">
    <checksum type="sha256">cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc</checksum>
    <location xml:base="https://example.org/x" href="repodata/modules.yaml"/>
    <timestamp>1600000000</timestamp>
  </data>
</repomd>`

func TestRepomd(t *testing.T) {
	got, err := ParseRepomd([]byte(repomdXML))
	if err != nil {
		t.Fatal(err)
	}
	want := &Repomd{
		Revision: "1700000000", Timestamp: 1700000001,
		Data: []Data{
			{
				Type: "primary", Location: "repodata/primary.xml.gz", Size: 10, OpenSize: 100, Timestamp: 1700000001,
				Checksum:     Checksum{"sha256", strings.Repeat("a", 64)},
				OpenChecksum: Checksum{"sha512", strings.Repeat("b", 128)},
			},
			{
				Type: "modules", Location: "https://example.org/x/repodata/modules.yaml", Timestamp: 1600000000,
				Checksum: Checksum{"sha256", strings.Repeat("c", 64)},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d, ok := got.Find("modules"); !ok || d.Timestamp != 1600000000 {
		t.Errorf("Find gives %v, %v", d, ok)
	}
	if _, ok := got.Find("filelists"); ok {
		t.Error("there are no filelists")
	}
}

func TestRepomdErrors(t *testing.T) {
	for _, test := range []struct{ name, old, new, want string }{
		{"cut off", "</repomd>", "", "cut off"},
		{"root", "repomd", "metadata", "root element"},
		{"sha1", `<checksum type="sha256">AA`, `<checksum type="sha1">AA`, "not a sha1 checksum"},
		{"old", `<checksum type="sha256">AA` + strings.Repeat("a", 62), `<checksum type="sha">` + strings.Repeat("a", 40), "not safe"},
		{"unknown", `<checksum type="sha256">AA`, `<checksum type="crc32">AA`, "not supported"},
		{"length", ">AAaa", ">AAa", "not a sha256 checksum"},
		{"no location", `<location href="repodata/primary.xml.gz"/>`, "", "no location"},
		{"no checksum", `<checksum type="sha256">AA` + strings.Repeat("a", 62) + "</checksum>", "", "no checksum"},
		{"no type", ` type="primary"`, "", "no type"},
		{"escape", "repodata/primary.xml.gz", "../../etc/passwd", "not a path inside"},
		{"size", "<size>10<", "<size>ten<", "not a number"},
		{"many", `<data type="modules">`, strings.Repeat(`<data type="x"><checksum type="sha256">`+strings.Repeat("a", 64)+`</checksum><location href="x"/></data>`, 1001) + `<data type="modules">`, "more than 1000"},
	} {
		t.Run(test.name, func(t *testing.T) {
			xml := strings.Replace(repomdXML, test.old, test.new, 1)
			if xml == repomdXML {
				t.Fatal("the test changes nothing")
			}
			_, err := ParseRepomd([]byte(xml))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

const metalinkXML = `<?xml version="1.0" encoding="utf-8"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/" type="dynamic" xmlns:mm0="http://fedorahosted.org/mirrormanager">
 <files>
  <file name="other.xml"><size>1</size></file>
  <file name="repomd.xml">
   <mm0:timestamp>1700000002</mm0:timestamp>
   <size>4459</size>
   <verification>
    <hash type="md5">dddddddddddddddddddddddddddddddd</hash>
    <hash type="sha1">dddddddddddddddddddddddddddddddddddddddd</hash>
    <hash type="sha-256">dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd</hash>
    <hash type="sha512">eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee</hash>
   </verification>
   <mm0:alternates>
    <mm0:alternate>
     <mm0:timestamp>1600000002</mm0:timestamp>
     <size>4000</size>
     <verification><hash type="sha256">ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff</hash></verification>
    </mm0:alternate>
   </mm0:alternates>
   <resources maxconnections="1">
    <url protocol="http" type="http" location="US" preference="90">http://b.example.org/repodata/repomd.xml</url>
    <url protocol="rsync" type="rsync" location="US" preference="100">rsync://a.example.org/repodata/repomd.xml</url>
    <url protocol="https" type="https" location="DE" preference="100">https://a.example.org/repodata/repomd.xml?x=1&amp;y=2</url>
    <url protocol="https" type="https">https://c.example.org/repodata/repomd.xml</url>
    <url protocol="https" type="https" preference="90">
      https://d.example.org/repodata/repomd.xml
    </url>
   </resources>
  </file>
 </files>
</metalink>`

func TestMetalink(t *testing.T) {
	got, err := ParseMetalink([]byte(metalinkXML), "repomd.xml")
	if err != nil {
		t.Fatal(err)
	}
	want := &Metalink{
		Versions: []MetalinkVersion{
			{Timestamp: 1700000002, Size: 4459, Checksums: []Checksum{{"sha512", strings.Repeat("e", 128)}, {"sha256", strings.Repeat("d", 64)}}},
			{Timestamp: 1600000002, Size: 4000, Checksums: []Checksum{{"sha256", strings.Repeat("f", 64)}}},
		},
		URLs: []string{
			"https://a.example.org/repodata/repomd.xml?x=1&y=2",
			"http://b.example.org/repodata/repomd.xml",
			"https://d.example.org/repodata/repomd.xml",
			"https://c.example.org/repodata/repomd.xml",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMetalinkErrors(t *testing.T) {
	for _, test := range []struct{ name, old, new, want string }{
		{"html", metalinkXML, "<html></html>", "root element"},
		{"other file", `<file name="repomd.xml">`, `<file name="x">`, "does not speak of repomd.xml"},
		{"weak alone", `<hash type="sha256">ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff</hash>`, `<hash type="md5">ffffffffffffffffffffffffffffffff</hash>`, "no checksum"},
		{"bad hash", ">dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd<", ">dd<", "not a sha256"},
		{"preference", `preference="90"`, `preference="best"`, "not a number"},
		{"cut off", "</metalink>", "", "cut off"},
	} {
		t.Run(test.name, func(t *testing.T) {
			xml := strings.Replace(metalinkXML, test.old, test.new, 1)
			_, err := ParseMetalink([]byte(xml), "repomd.xml")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestMirrorList(t *testing.T) {
	got, err := ParseMirrorList([]byte("# repo = x arch = y\n\n https://a.example.org/x \r\nftp://b/\nhttp://c/\nfile:///d\nnonsense"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"https://a.example.org/x", "http://c/", "file:///d"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := ParseMirrorList(bytes.Repeat([]byte("http://x/\n"), maxMirrors+1)); err == nil {
		t.Error("too many mirrors were taken")
	}
}

func TestDecompress(t *testing.T) {
	const text = "the same text, however it is packed"
	var gz, zst, xzs bytes.Buffer
	for _, w := range []io.WriteCloser{gzip.NewWriter(&gz), must(zstd.NewWriter(&zst)), must(xz.NewWriter(&xzs))} {
		io.WriteString(w, text)
		w.Close()
	}
	// bzip2, which Go does not write.
	bz, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWajVWzUAAA+RgEAELmrdwCAAMU0yMTExCJhDIYIMPCgcHtOO80wew7KbSQ2VJY/F3JFOFCQqNVbNQA==")
	if err != nil {
		t.Fatal(err)
	}
	for name, packed := range map[string][]byte{"gzip": gz.Bytes(), "zstd": zst.Bytes(), "xz": xzs.Bytes(), "bzip2": bz, "plain": []byte(text)} {
		r, err := Decompress(bytes.NewReader(packed))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != text {
			t.Errorf("%s gives %q, %v", name, got, err)
		}
		r.Close()
		if name == "plain" {
			continue
		}
		r, err = Decompress(bytes.NewReader(packed[:len(packed)-9]))
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s, cut off, gives error %v", name, err)
		}
	}
}

func TestDecompressRefuses(t *testing.T) {
	for name, test := range map[string]struct{ packed, want string }{
		"zchunk":     {"\x00ZCK1xxxx", "zchunk"},
		"xz window":  {"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x28\x00\x00\x00", "window of 4294967295"},
		"xz window2": {"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x04\xc0\x81\x01\x82\x01\x21\x01\x23\x00", "window of 805306368"},
		"gzip":       {"\x1f\x8b\x08\xff", "gzip"},
		"xz":         {"\xfd7zXZ\x00", "xz"},
	} {
		r, err := Decompress(strings.NewReader(test.packed))
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	if r, err := Decompress(strings.NewReader("")); err != nil {
		t.Error(err)
	} else if b, err := io.ReadAll(r); len(b) > 0 || err != nil {
		t.Error(b, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
