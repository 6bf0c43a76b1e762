package rpmrepo_test

import (
	"compress/gzip"
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// stream9Dir is the folder with the metadata of CentOS Stream 9, which is not part of the project.
func stream9Dir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SLIPWAY_TESTDATA_CS9")
	if dir == "" {
		t.Skip("SLIPWAY_TESTDATA_CS9 does not name the folder of CentOS Stream 9's metadata")
	}
	return dir
}

// CentOS Stream 9 reads as dnf reads it.
func TestLoadStream9AgreesWithDNF(t *testing.T) {
	data := stream9Dir(t)
	needDNF(t)
	for _, name := range []string{"baseos", "appstream"} {
		dir := filepath.Join(data, name)
		ours, theirs := weSee(t, dir, ""), dnfSees(t, dir, "")[0]
		differing := 0
		for sum, want := range theirs {
			if diff := cmp.Diff(want, ours[sum]); diff != "" {
				if differing++; differing <= 5 {
					t.Errorf("%s (-dnf +ours)\n%s", want.Name, diff)
				}
			}
		}
		if len(ours) != len(theirs) || differing > 0 {
			t.Errorf("%s: %d packages, dnf has %d, %d differ", name, len(ours), len(theirs), differing)
		}
	}
}

// Every path of filelists.xml leads to its package.
func TestFilePackagesStream9(t *testing.T) {
	dir := filepath.Join(stream9Dir(t), "baseos")
	f, err := os.Open(part(t, dir, "filelists"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var lists struct {
		Packages []struct {
			ID    string   `xml:"pkgid,attr"`
			Files []string `xml:"file"`
		} `xml:"package"`
	}
	if err := xml.NewDecoder(z).Decode(&lists); err != nil {
		t.Fatal(err)
	}
	r := load(t, client(t), rpmrepo.DefaultConfig("baseos", dir))
	n := 0
	for _, p := range lists.Packages {
		for _, path := range p.Files {
			found, err := r.FilePackages(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(found, func(i int) bool { return r.Package(i).SHA256 == p.ID }) {
				t.Errorf("%s does not lead to %s", path, p.ID)
			}
			n++
		}
	}
	if n < 10_000 {
		t.Errorf("only %d paths were tried", n)
	}
}

func stream9(b *testing.B) (configs []rpmrepo.Config) {
	dir := stream9Dir(b)
	for _, name := range []string{"baseos", "appstream"} {
		configs = append(configs, rpmrepo.DefaultConfig(name, filepath.Join(dir, name)))
	}
	return configs
}
