package wheel

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// entry is a file for makeWheel.
type entry struct {
	name, content string
	mode          os.FileMode // zero is 0644
	record        string      // its line in RECORD; "" the right one, "-" none
}

var metadata = []entry{
	{name: "greet-1.0.dist-info/METADATA", content: "Metadata-Version: 2.1\nName: greet\nVersion: 1.0\n\nText: x\n"},
	{name: "greet-1.0.dist-info/WHEEL", content: "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
}

// zipOf makes a wheel's bytes; RECORD is added at the end unless an entry is one.
func zipOf(t testing.TB, entries []entry) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := zip.NewWriter(&buffer)
	var rows []recordRow
	var lines strings.Builder
	add := func(e entry) {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode == 0 {
			e.mode = 0o644
		}
		header.SetMode(e.mode)
		f, err := w.CreateHeader(header)
		if err == nil {
			_, err = f.Write([]byte(e.content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	hasRecord := false
	for _, e := range entries {
		add(e)
		hasRecord = hasRecord || strings.HasSuffix(e.name, "/RECORD")
		switch {
		case e.record == "-" || strings.HasSuffix(e.name, "/"):
		case e.record != "":
			lines.WriteString(e.record + "\n")
		default:
			rows = append(rows, rowOf(e.name, []byte(e.content)))
		}
	}
	if !hasRecord {
		rows = append(rows, recordRow{path: "greet-1.0.dist-info/RECORD"})
		add(entry{name: "greet-1.0.dist-info/RECORD", content: string(formatRecord(rows)) + lines.String()})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func openBytes(t testing.TB, name string, data []byte) (*Wheel, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return Open(path)
}

func openEntries(t testing.TB, more ...entry) (*Wheel, error) {
	t.Helper()
	return openBytes(t, "greet-1.0-py3-none-any.whl", zipOf(t, append(slices.Clone(metadata), more...)))
}

func TestOpen(t *testing.T) {
	w, err := openEntries(t, entry{name: "greet/"}, entry{name: "greet/__init__.py", content: "x"}, entry{name: "greet/run", mode: 0o755})
	if err != nil {
		t.Fatal(err)
	}
	if w.Name != "greet" || w.Version != "1.0" || !w.Purelib || !slices.Equal(w.Tags, []string{"py3-none-any"}) || len(w.Digest) != 64 {
		t.Errorf("opened %+v", w)
	}
	if m := w.find("greet/run"); m == nil || !m.exec || w.find("greet/__init__.py").exec {
		t.Errorf("executable bits are wrong: %+v", w.members)
	}
}

func TestOpenRefuses(t *testing.T) {
	without := func(name string) []entry {
		return slices.DeleteFunc(slices.Clone(metadata), func(e entry) bool { return strings.HasSuffix(e.name, name) })
	}
	instead := func(name, content string) []entry {
		return append(without(name), entry{name: "greet-1.0.dist-info/" + name, content: content})
	}
	plus := func(e ...entry) []entry { return append(slices.Clone(metadata), e...) }
	deep := strings.Repeat("d/", 1100) + "x"
	tests := map[string]struct {
		entries []entry
		want    string
	}{
		"parent folder":        {plus(entry{name: "../evil.py"}), "plain relative path"},
		"parent folder inside": {plus(entry{name: "greet/../../evil.py"}), "plain relative path"},
		"absolute":             {plus(entry{name: "/etc/passwd"}), "plain relative path"},
		"backslash":            {plus(entry{name: `..\evil.py`}), "backslash"},
		"dot":                  {plus(entry{name: "./greet.py"}), "plain relative path"},
		"empty part":           {plus(entry{name: "greet//x.py"}), "plain relative path"},
		"control characters":   {plus(entry{name: "greet/\x1b[31m.py"}), "control characters"},
		"newline":              {plus(entry{name: "greet/a\nb.py"}), "control characters"},
		"not UTF-8":            {plus(entry{name: "greet/\xff.py"}), "not UTF-8"},
		"long name":            {plus(entry{name: strings.Repeat("x", 256)}), "too long"},
		"deep name":            {plus(entry{name: deep}), "too long"},
		"twice":                {plus(entry{name: "a.py"}, entry{name: "a.py"}), "twice"},
		"file and folder":      {plus(entry{name: "a"}, entry{name: "a/b"}), "a file and a folder"},
		"symbolic link":        {plus(entry{name: "link", content: "/etc/shadow", mode: os.ModeSymlink | 0o777}), "neither a file nor a folder"},
		"device":               {plus(entry{name: "null", mode: os.ModeDevice | os.ModeCharDevice | 0o666}), "neither a file nor a folder"},
		"not in RECORD":        {plus(entry{name: "a.py", record: "-"}), `"a.py" is not in RECORD`},
		"no hash":              {plus(entry{name: "a.py", record: "a.py,,"}), "no hash"},
		"weak hash":            {plus(entry{name: "a.py", record: "a.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,0"}), "unknown or too weak"},
		"wrong hash":           {plus(entry{name: "a.py", content: "x", record: "a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,1"}), "not what RECORD says"},
		"wrong size":           {plus(entry{name: "a.py", record: "a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,7"}), "RECORD says"},
		"listed but missing":   {plus(entry{name: "a.py", record: "b.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0"}), `not in RECORD`},
		"listed twice":         {plus(entry{name: "a.py", record: "a.py,,\na.py,,"}), "twice"},
		"bad RECORD":           {plus(entry{name: "greet-1.0.dist-info/RECORD", content: "\"a\nb"}), "reading RECORD"},
		"no METADATA":          {without("METADATA"), "no METADATA"},
		"no WHEEL":             {without("WHEEL"), "no WHEEL"},
		"no dist-info":         {[]entry{{name: "a.py"}}, ""},
		"two dist-infos":       {plus(entry{name: "other-1.dist-info/METADATA"}), "two .dist-info"},
		"another name":         {instead("METADATA", "Name: other\nVersion: 1.0\n"), `names it "other"`},
		"name that climbs":     {instead("METADATA", "Name: ..\nVersion: 1.0\n"), "no project's name"},
		"another version":      {instead("METADATA", "Name: greet\nVersion: 2\n"), `version "2"`},
		"no version":           {instead("METADATA", "Name: greet\n"), "METADATA"},
		"future format":        {instead("WHEEL", "Wheel-Version: 2.0\n"), `version "2.0"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := openBytes(t, "greet-1.0-py3-none-any.whl", zipOf(t, test.entries))
			var format *FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("error %q is not fit for a terminal", err)
			}
		})
	}
}

// TestOpenRefusesSizes changes what a zip archive says about sizes.
func TestOpenRefusesSizes(t *testing.T) {
	const size = 0x0041f3a7 // bytes that are nowhere else in the archive
	bomb := zipOf(t, append(slices.Clone(metadata), entry{name: "zeros", content: strings.Repeat("\x00", size)}))
	if len(bomb) > 64<<10 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	le := func(n uint32) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)} }
	for said, want := range map[uint32]string{10: "", 5 << 20: "", 1 << 30: "larger than 512 MiB"} {
		data := bytes.ReplaceAll(bomb, le(size), le(said))
		_, err := openBytes(t, "greet-1.0-py3-none-any.whl", data)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("size %d: %v, want %q", said, err, want)
		}
	}
	for _, cut := range []int{0, 1, len(bomb) / 2, len(bomb) - 1} {
		if _, err := openBytes(t, "greet-1.0-py3-none-any.whl", bomb[:cut]); err == nil {
			t.Errorf("a wheel cut to %d bytes is accepted", cut)
		}
	}
}

func TestFilename(t *testing.T) {
	tests := map[string]string{
		"greet-1.0-py3-none-any.whl":                                          "greet 1.0 py3-none-any",
		"greet-1.0-1b-py2.py3-none-any.whl":                                   "greet 1.0 py2-none-any py3-none-any",
		"a_b.c-1!2+local.1-cp311-abi3-linux_x86_64.manylinux_2_17_x86_64.whl": "a_b.c 1!2+local.1 cp311-abi3-linux_x86_64 cp311-abi3-manylinux_2_17_x86_64",
		"greet.whl":                      "",
		"greet-1.0-py3-none-any.zip":     "",
		"greet-1.0-x-py3-none-any.whl":   "",
		"greet-1.0--none-any.whl":        "",
		"../greet-1.0-py3-none-any.whl":  "",
		"gr\x1beet-1.0-py3-none-any.whl": "",
		"greet-1.0-1-2-py3-none-any.whl": "",
	}
	for name, want := range tests {
		f, err := parseFilename(name)
		got := ""
		if err == nil {
			got = f.name + " " + f.version + " " + strings.Join(f.tags, " ")
		}
		if got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(zipOf(f, append(slices.Clone(metadata), entry{name: "greet.py", content: "x"})))
	f.Add(zipOf(f, append(slices.Clone(metadata),
		entry{name: "greet-1.0.dist-info/entry_points.txt", content: "[console_scripts]\na = b:c\n"},
		entry{name: "greet-1.0.data/scripts/x", content: "#!python\n", mode: 0o755})))
	f.Add([]byte("PK"))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &Wheel{Path: "greet-1.0-py3-none-any.whl"}
		if err := w.read(bytes.NewReader(data), int64(len(data))); err != nil {
			return
		}
		files, err := w.Install(debianScheme, Direct{URL: "https://example.com/x", Commit: "abc"})
		if err != nil {
			return
		}
		for _, file := range files {
			if !inside(file.Path) {
				t.Errorf("installs %q", file.Path)
			}
		}
	})
}

// A list of a million files is refused before it fills the memory.
func TestEndlessDirectory(t *testing.T) {
	header := make([]byte, 46, 47) // a central directory header ("APPNOTE.TXT" 4.3.12)
	copy(header, "PK\x01\x02")
	header[28] = 1 // length of the name
	data := bytes.Repeat(append(header, 'x'), 1_000_000)
	end := make([]byte, 22) // 4.3.16
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint32(end[12:], uint32(len(data)))
	binary.LittleEndian.PutUint16(end[8:], 1_000_000&0xffff)
	binary.LittleEndian.PutUint16(end[10:], 1_000_000&0xffff)
	data = append(data, end...)
	if _, err := readArchive(bytes.NewReader(data), int64(len(data))); err == nil || !strings.Contains(err.Error(), "list of files") {
		t.Errorf("got %v", err)
	}
}
