package repodata

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
)

func indexBytes(t testing.TB) (packages, files []byte) {
	t.Helper()
	var p, f bytes.Buffer
	if _, err := WritePrimaryIndex(&p, strings.NewReader(primaryXML(t))); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteFilesIndex(&f, strings.NewReader(filelistsXML)); err != nil {
		t.Fatal(err)
	}
	return p.Bytes(), f.Bytes()
}

// use calls all there is, so that a reference that leads nowhere would be found.
func use(x *Index) {
	for i := range x.Len() {
		p := x.Package(i)
		x.WithFile(p.Location)
	}
	for name := range x.Names() {
		x.Named(name)
		x.WithFile(name)
	}
	for name := range x.ProvidedNames() {
		x.Providers(name)
		x.Obsoleters(name)
	}
	x.Supplementers()
}

func useFiles(f *Files) {
	for i := range f.Len() {
		f.SHA256(i)
	}
	for _, path := range []string{"/", "/usr/share/lute", "/usr/share/a", "x"} {
		f.Holders(path)
	}
}

// Any bit that changes, and any byte that is lacking, is noticed.
func TestDamagedIndex(t *testing.T) {
	packages, files := indexBytes(t)
	for name, data := range map[string][]byte{"packages": packages, "files": files} {
		open := func(b []byte) (err error) {
			if name == "files" {
				_, err = OpenFiles(b)
			} else {
				_, err = OpenIndex(b)
			}
			return err
		}
		if err := open(data); err != nil {
			t.Fatal(err)
		}
		for i := range data {
			bad := slices.Clone(data)
			bad[i] ^= 1 << (i % 8)
			if err := open(bad); !errors.Is(err, ErrDamaged) {
				t.Fatalf("%s: byte %d changed: %v", name, i, err)
			}
			if err := open(data[:i]); !errors.Is(err, ErrDamaged) {
				t.Fatalf("%s: cut at byte %d: %v", name, i, err)
			}
		}
		if err := open(append(slices.Clone(data), 0)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: a byte too many: %v", name, err)
		}
	}
	if _, err := OpenIndex(files); !errors.Is(err, ErrDamaged) {
		t.Error("an index of files was opened as one of packages")
	}
}

// reseal gives data a checksum that fits, as no accident would.
func reseal(data []byte) []byte {
	if len(data) < 4 {
		return data
	}
	body := data[:len(data)-4]
	return binary.LittleEndian.AppendUint32(slices.Clone(body), crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

// Even with a checksum that fits, no reference leads outside.
func TestForgedIndex(t *testing.T) {
	packages, files := indexBytes(t)
	for i := range len(packages) - 4 {
		for _, b := range []byte{0x00, 0x7f, 0xff, packages[i] + 1} {
			bad := slices.Clone(packages)
			bad[i] = b
			if x, err := OpenIndex(reseal(bad)); err == nil {
				use(x)
			}
		}
	}
	for i := range len(files) - 4 {
		for _, b := range []byte{0x00, 0x7f, 0xff, files[i] + 1} {
			bad := slices.Clone(files)
			bad[i] = b
			if f, err := OpenFiles(reseal(bad)); err == nil {
				useFiles(f)
			}
		}
	}
}

func FuzzOpenIndex(f *testing.F) {
	packages, files := indexBytes(f)
	f.Add(packages)
	f.Add(files)
	f.Fuzz(func(t *testing.T, data []byte) {
		if x, err := OpenIndex(reseal(data)); err == nil {
			use(x)
		}
		if x, err := OpenFiles(reseal(data)); err == nil {
			useFiles(x)
		}
	})
}
