package wheel

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestSurvey(t *testing.T) {
	base := map[string]string{"a.py": "1", "b/c*": "2", "l": "-> b/c"}
	key := func(files map[string]string) string {
		t.Helper()
		s, err := takeSurvey(project(files), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return s.key
	}
	want := key(base)
	tree := project(base)
	for _, f := range tree { // what git does not keep does not count
		f.ModTime = time.Now()
		if f.Mode.IsRegular() {
			f.Mode ^= 0o022
		}
	}
	if got, err := takeSurvey(tree, 1<<20); err != nil || got.key != want {
		t.Errorf("other times and modes: %s, want %s (%v)", got.key, want, err)
	}
	for name, files := range map[string]map[string]string{
		"content":    {"a.py": "9", "b/c*": "2", "l": "-> b/c"},
		"executable": {"a.py": "1", "b/c": "2", "l": "-> b/c"},
		"link":       {"a.py": "1", "b/c*": "2", "l": "-> a.py"},
		"name":       {"b.py": "1", "b/c*": "2", "l": "-> b/c"},
		"file more":  {"a.py": "1", "b/c*": "2", "l": "-> b/c", "m": ""},
		"not a link": {"a.py": "1", "b/c*": "2", "l": "b/c"},
	} {
		if key(files) == want {
			t.Errorf("%s does not count", name)
		}
	}
}

func TestTar(t *testing.T) {
	var first, second bytes.Buffer
	tree := project(map[string]string{"a.py": "1", "b/c*": "22", "b/l": "-> ../a.py"})
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := writeTar(b, tree, epoch, 1<<20); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("twice is not the same")
	}
	var got []string
	for r := tar.NewReader(&first); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(time.Unix(epoch, 0)) {
			t.Errorf("%s has the time %s", h.Name, h.ModTime)
		}
		got = append(got, h.Name+" "+h.FileInfo().Mode().String())
	}
	if want := "a.py -rw-r--r--, b/ drwxr-xr-x, b/c -rwxr-xr-x, b/l Lrw-r--r--"; strings.Join(got, ", ") != want {
		t.Errorf("archive holds %s", strings.Join(got, ", "))
	}
}

func TestTreeRefuses(t *testing.T) {
	for name, tree := range map[string]fstest.MapFS{
		"link out":      project(map[string]string{"a/b": "-> ../../etc/passwd"}),
		"absolute link": project(map[string]string{"a": "-> /etc/shadow"}),
		"link to above": project(map[string]string{"a": "-> .."}),
		"too large":     project(map[string]string{"a": strings.Repeat("x", 2000)}),
		"device":        {"a": {Mode: fs.ModeDevice}},
		"pipe":          {"a": {Mode: fs.ModeNamedPipe}},
	} {
		if _, err := takeSurvey(tree, 1000); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// changing is a tree whose Python files are longer when they are read than they were when they were listed.
type changing struct{ fstest.MapFS }

type changingFile struct {
	fs.File
	content io.Reader
}

func (f changingFile) Read(p []byte) (int, error) { return f.content.Read(p) }

func (c changing) Open(name string) (fs.File, error) {
	f, err := c.MapFS.Open(name)
	if strings.HasSuffix(name, ".py") {
		f = changingFile{f, strings.NewReader("longer than it said")}
	}
	return f, err
}

func TestTreeThatChanges(t *testing.T) {
	err := writeTar(io.Discard, changing{project(map[string]string{"a.py": "1"})}, epoch, 1<<20)
	if err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("error %v", err)
	}
}
