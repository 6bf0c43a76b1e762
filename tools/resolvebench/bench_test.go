package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const primary = `<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm">` +
	`<package type="rpm"><name>a</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/>` +
	`<checksum type="sha256" pkgid="YES">aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</checksum>` +
	`<location href="a.rpm"/><format><rpm:requires><rpm:entry name="b"/></rpm:requires></format></package>` +
	`<package type="rpm"><name>b</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/>` +
	`<checksum type="sha256" pkgid="YES">bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb</checksum>` +
	`<location href="b.rpm"/><format/></package>` +
	`<package type="rpm"><name>c</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/>` +
	`<checksum type="sha256" pkgid="YES">cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc</checksum>` +
	`<location href="c.rpm"/><format><rpm:requires><rpm:entry name="nothing"/></rpm:requires></format></package></metadata>`

// repository writes a repository that names file lists which are not there.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(primary)))
	repomd := `<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="filelists"><checksum type="sha256">` + sum +
		`</checksum><location href="repodata/filelists.xml"/></data><data type="primary"><checksum type="sha256">` + sum +
		`</checksum><location href="repodata/primary.xml"/></data></repomd>`
	if err := os.Mkdir(filepath.Join(dir, "repodata"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"primary.xml": primary, "repomd.xml": repomd} {
		if err := os.WriteFile(filepath.Join(dir, "repodata", name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestChild has the process that is measured draw requests and solve them.
func TestChild(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "only-primary")
	if err := onlyPrimary(repository(t), folder); err != nil {
		t.Fatal(err)
	}
	do := func(task task) (o outcome) {
		text, err := json.Marshal(task)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := child(t.Context(), string(text), &out); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	o := do(task{Repos: []string{folder}, Cache: t.TempDir(), Draw: 5, Seed: 1})
	if o.Packages != 3 || len(o.Requests) != 5 {
		t.Fatalf("got %+v", o)
	}
	for n, names := range o.Requests {
		if len(names) != n+1 || slices.Contains(names, "c") {
			t.Errorf("request %d is %q", n, names)
		}
	}
	o = do(task{Repos: []string{folder}, Cache: t.TempDir(), Requests: [][]string{{"a"}, {"b"}, {"c"}}})
	var sizes []int
	for _, s := range o.Solved {
		sizes = append(sizes, s.Install)
	}
	if !slices.Equal(sizes, []int{2, 1, 0}) {
		t.Errorf("answers have %d packages", sizes)
	}
}

func TestReport(t *testing.T) {
	r := newRow("thing", "other")
	r.Ours.add(1, 0.5)
	r.Ours.add(3, 0.5)
	r.Theirs.add(8, 2)
	r.Theirs.add(8, 3)
	r.conclude()
	if r.Ours.Wall != 2 || r.Theirs.CPU != 2.5 || r.WallRatio != 4 || r.CPURatio != 5 {
		t.Errorf("got %+v", r)
	}
	alone := newRow("alone", "other")
	alone.Ours.add(1, 1)
	alone.conclude()
	var out strings.Builder
	if err := writeText(&out, &report{Sets: []measuredSet{{Name: "set", Packages: 3, Requests: 2, Rows: []row{*r, *alone}}}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"set: 3 packages, 2 requests", "other 8000.00 ms", "4.0", "5.0"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, args := range [][]string{{"x"}, {"-n", "0"}, {"-requests", "1"}, {"-format", "csv"}, {"-slipway", "/nonexistent"}} {
		if err := run(t.Context(), args, &strings.Builder{}, &strings.Builder{}); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
