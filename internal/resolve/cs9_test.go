package resolve_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/resolve/dnf"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// cs9 loads the metadata of CentOS Stream 9 that SLIPWAY_TESTDATA_CS9 names: a folder with the
// repositories baseos and appstream.
func cs9(t testing.TB) ([]*rpmrepo.Repository, []dnf.Repo) {
	t.Helper()
	folder := os.Getenv("SLIPWAY_TESTDATA_CS9")
	if folder == "" {
		t.Skip("SLIPWAY_TESTDATA_CS9 does not name a folder with CentOS Stream 9 metadata")
	}
	dir, err := cache.Open(filepath.Join(os.TempDir(), "slipway-test-cs9"))
	if err != nil {
		t.Fatal(err)
	}
	client := &rpmrepo.Client{Cache: dir}
	var loaded []*rpmrepo.Repository
	var repos []dnf.Repo
	for _, id := range []string{"baseos", "appstream"} {
		folder := onlyPrimary(t, filepath.Join(folder, id))
		config := rpmrepo.DefaultConfig(id, folder)
		config.GPGCheck = false
		r, err := client.Load(context.Background(), config)
		if err != nil {
			t.Fatal(err)
		}
		loaded = append(loaded, r)
		repos = append(repos, dnf.Repo{ID: id, URL: "file://" + folder, Priority: 99, Cost: 1000})
	}
	return loaded, repos
}

// onlyPrimary makes a repository of the primary.xml of another one: the file lists of the metadata at
// hand were emptied, and modules are not what is compared here.
func onlyPrimary(t testing.TB, folder string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "repodata", "repomd.xml"))
	if err != nil {
		t.Fatal(err)
	}
	start, end := bytes.Index(data, []byte(`<data type="primary">`)), len("</data>")
	if start < 0 {
		t.Fatal("there is no primary.xml in " + folder)
	}
	end += start + bytes.Index(data[start:], []byte("</data>"))
	primary := data[start:end]
	_, location, _ := bytes.Cut(primary, []byte(`href="`))
	location, _, _ = bytes.Cut(location, []byte(`"`))
	copied := t.TempDir()
	if err := os.Mkdir(filepath.Join(copied, "repodata"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(folder, string(location)), filepath.Join(copied, string(location))); err != nil {
		t.Fatal(err)
	}
	repomd := slices.Concat([]byte(`<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision>`), primary, []byte("</repomd>"))
	if err := os.WriteFile(filepath.Join(copied, "repodata", "repomd.xml"), repomd, 0o644); err != nil {
		t.Fatal(err)
	}
	return copied
}

// TestCS9 compares with dnf on real metadata. Names are drawn from those that dnf can install alone.
func TestCS9(t *testing.T) {
	loaded, repos := cs9(t)
	needDNF(t)
	r := rand.New(rand.NewPCG(*seed, 9))
	var names, provides, paths []string
	for _, repo := range loaded {
		for _, p := range repo.All() {
			if p.Arch != "x86_64" && p.Arch != "noarch" {
				continue
			}
			names = append(names, p.Name)
			for _, d := range p.Provides {
				if d.Name != p.Name && !strings.ContainsAny(d.Name, "*?[") { // dnf takes these for patterns
					provides = append(provides, d.String(), d.Name)
				}
			}
			paths = append(paths, p.Files...)
		}
	}
	pick := func(from []string, n int) []string {
		slices.Sort(from)
		from = slices.Compact(from)
		var picked []string
		for range n {
			picked = append(picked, from[r.IntN(len(from))])
		}
		return picked
	}
	n := *questions
	var alone []question
	for kind, from := range map[string][]string{"name": pick(names, 4*n), "provide": pick(provides, n), "path": pick(paths, n)} {
		for _, s := range from {
			alone = append(alone, question{kind, []string{s}})
		}
	}
	slices.SortFunc(alone, func(a, b question) int { return slices.Compare(a.args, b.args) })
	good := map[string][]string{}
	for i, a := range askDNF(t, dnf.World{Repos: repos, Best: true, Requests: argsOf(alone)}) {
		if a.Error == "" {
			good[alone[i].kind] = append(good[alone[i].kind], alone[i].args[0])
		}
	}
	var asked []question
	for i := range n {
		asked = append(asked, alone[r.IntN(len(alone))])
		count := 1 + i%40
		q := question{kind: fmt.Sprintf("%02d-%02d names", count/10*10, count/10*10+9)}
		for range count {
			q.args = append(q.args, good["name"][r.IntN(len(good["name"]))])
		}
		asked = append(asked, q)
		asked = append(asked, question{"mixed", []string{
			good["name"][r.IntN(len(good["name"]))], good["provide"][r.IntN(len(good["provide"]))],
			good["path"][r.IntN(len(good["path"]))],
		}})
	}
	compare(t, loaded, repos, asked, 0.99)
}
