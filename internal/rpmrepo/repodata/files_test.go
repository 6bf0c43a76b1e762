package repodata

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

const filelistsXML = `<?xml version="1.0" encoding="UTF-8"?>
<filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="2">
<package pkgid="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" name="lute" arch="x86_64">
  <version epoch="2" ver="1.10~rc1" rel="3.el9"/>
  <file>/usr/share/zither</file>
  <file>/usr/share/lute/frets &amp; pegs</file>
  <file type="dir">/usr/share/lute</file>
  <file type="ghost">/var/log/lute</file>
  <file>relative</file>
  <file>/</file>
</package>
<package pkgid="bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" name="wood" arch="noarch">
  <version epoch="0" ver="3" rel="1"/>
  <file type="dir">/usr/share/lute</file>
  <file>/usr/share/lute/alder</file>
  <file>/usr/share/a</file>
</package>
</filelists>`

func TestFiles(t *testing.T) {
	var buf bytes.Buffer
	if _, err := WriteFilesIndex(&buf, strings.NewReader(filelistsXML)); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFiles(buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 2 || f.SHA256(0)[0] != 0xaa || f.SHA256(1)[31] != 0xbb {
		t.Errorf("%d packages, %x, %x", f.Len(), f.SHA256(0), f.SHA256(1))
	}
	for path, want := range map[string][]int{
		"/usr/share/lute":              {0, 1},
		"/usr/share/lute/frets & pegs": {0},
		"/usr/share/lute/alder":        {1},
		"/usr/share/a":                 {1},
		"/usr/share/zither":            {0},
		"/var/log/lute":                {0},
		"/":                            {0},
		"/usr":                         nil,
		"/usr/share/":                  nil,
		"/usr/share/lute/zzz":          nil,
		"relative":                     nil,
		"":                             nil,
	} {
		if got := f.Holders(path); !slices.Equal(got, want) {
			t.Errorf("%q is held by %v, want %v", path, got, want)
		}
	}
}

func TestFilesErrors(t *testing.T) {
	for _, test := range []struct{ name, old, new, want string }{
		{"root", "<filelists", "<metadata", "root element"},
		{"cut off", "</filelists>", "", "cut off"},
		{"sha1", `pkgid="aaaaaaaa`, `pkgid="`, "not a sha256"},
		{"doctype", "<filelists", "<!DOCTYPE x><filelists", "document type"},
		{"encoding", "/var/log", "/var/\xff", "not UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := WriteFilesIndex(io.Discard, strings.NewReader(strings.Replace(filelistsXML, test.old, test.new, 1)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
