package local

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLogRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	l, err := openLog(path, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := &follower{path: path}
	defer f.close()
	var followed []string
	for i := range 50 {
		fmt.Fprintf(l, "line %d\n", i)
		lines, err := f.lines()
		if err != nil {
			t.Fatal(err)
		}
		followed = append(followed, lines...)
	}
	for _, name := range []string{path, path + rotatedSuffix} {
		if info, err := os.Stat(name); err != nil || info.Size() > 100 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	if len(followed) != 50 || followed[0] != "line 0" || followed[49] != "line 49" {
		t.Errorf("followed %d lines: %q", len(followed), followed)
	}
	got, err := tail(path, 12)
	if err != nil || len(got) != 12 || got[0] != "line 38" || got[11] != "line 49" {
		t.Errorf("tail: %q %v", got, err)
	}
}

// What a full disk has no room for is lost; a workload must neither notice nor
// stay without a log when there is room again.
func TestLogOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web.log")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	l, err := openLog(path, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	write := func(text string) {
		t.Helper()
		if n, err := fmt.Fprintln(l, text); n != len(text)+1 || err != nil {
			t.Errorf("writing %q: %d %v", text, n, err)
		}
	}
	write("lost")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l.file.Close() // as after a rotation that found no room for the new file
	l.file = nil
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	write("lost too")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write("kept")
	if data, err := os.ReadFile(path); err != nil || string(data) != "kept\n" {
		t.Errorf("%q %v", data, err)
	}
	// A file that can't be moved away does not grow either.
	if err := os.Mkdir(path+rotatedSuffix, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		write(fmt.Sprint("line ", i))
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 || info.Size() > 100 {
		t.Errorf("%v %v", info, err)
	}
}

func TestFollowerOfAnEndlessLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.log")
	f := &follower{path: path}
	defer f.close()
	if err := os.WriteFile(path, make([]byte, 2*maxLine), 0o600); err != nil {
		t.Fatal(err)
	}
	if lines, err := f.lines(); err != nil || len(lines) != 1 || len(f.partial) != 0 {
		t.Errorf("%d lines, %d bytes kept, %v", len(lines), len(f.partial), err)
	}
}

func TestTail(t *testing.T) {
	for _, test := range []struct {
		content string
		n       int
		want    []string
	}{
		{"", 10, nil},
		{"a\nb\nc\n", 2, []string{"b", "c"}},
		{"a\nb\nc\n", -1, []string{"a", "b", "c"}},
		{"a\nb\nc\n", 0, nil},
		{"a\nunfinished", 10, []string{"a", "unfinished"}},
		{"a\n\n\n", 2, []string{"", ""}},
		{strings.Repeat("x", 5000) + "\nlast\n", 1, []string{"last"}},
	} {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := tail(path, test.n)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%q, %d: %q %v", test.content, test.n, got, err)
		}
	}
	if got, err := tail(filepath.Join(t.TempDir(), "absent"), 5); err != nil || got != nil {
		t.Errorf("absent: %q %v", got, err)
	}
}

func TestFollowerKeepsUnfinishedLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write := func(text string) {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	f := &follower{path: path}
	defer f.close()
	for _, step := range []struct {
		write string
		want  []string
	}{{"", nil}, {"one\ntw", []string{"one"}}, {"o", nil}, {"\nthree\n", []string{"two", "three"}}} {
		write(step.write)
		got, err := f.lines()
		if err != nil || !slices.Equal(got, step.want) {
			t.Errorf("after %q: %q %v", step.write, got, err)
		}
	}
}

func TestEnviron(t *testing.T) {
	got := environ([]string{"PATH=/bin", "B=1", "broken"}, map[string]string{"B": "2", "A": "x=y"})
	if want := []string{"A=x=y", "B=2", "PATH=/bin"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
