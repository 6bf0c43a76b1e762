package rpmrepo_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

// dnfDump prints each package of a repository as dnf sees it, a line each. Arguments are the folder,
// a cache, and what is excluded: each further argument is a run of its own, ended by an empty line.
const dnfDump = `
import sys, json, dnf, hawkey
names = ["provides", "requires", "conflicts", "obsoletes", "recommends", "suggests", "supplements", "enhances"]
for exclude in sys.argv[3:]:
    base = dnf.Base()
    base.conf.cachedir, base.conf.reposdir = sys.argv[2], []
    base.conf.substitutions["releasever"] = "9"
    repo = base.repos.add_new_repo("test", base.conf, baseurl=["file://" + sys.argv[1]])
    repo.excludepkgs = exclude.split()
    base.fill_sack(load_system_repo=False)
    for p in base.sack.query(flags=hawkey.IGNORE_MODULAR_EXCLUDES):
        d = {n.capitalize(): list(map(str, getattr(p, n))) for n in names}
        d.update(Name=p.name, Epoch=p.epoch, Version=p.version, Release=p.release, Arch=p.arch, Location=p.location,
            SHA256=p.chksum[1].hex(), Size=p.downloadsize, Installed=p.installsize, BuildTime=p.buildtime, HeaderEnd=p.hdr_end,
            Source=p.sourcerpm or "", License=p.license or "", URL=p.url or "", Summary=p.summary or "")
        print(json.dumps(d))
    print()
    base.close()
`

// plain writes a rich dependency without the parentheses that change nothing, which dnf leaves out.
func plain(t *testing.T, dependency string) string {
	t.Helper()
	if !strings.HasPrefix(dependency, "(") {
		return dependency
	}
	r, err := rpm.ParseRich(dependency)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("(", "", ")", "").Replace(r.String())
}

// described is a package in the words of dnfDump.
type described struct {
	Name, Version, Release, Arch, Location, SHA256, Source, License, URL, Summary string
	Epoch                                                                         int
	Size, Installed, BuildTime, HeaderEnd                                         int64
	Provides, Requires, Conflicts, Obsoletes                                      []string
	Recommends, Suggests, Supplements, Enhances                                   []string
}

func texts(deps []rpm.Dependency) []string {
	out := []string{}
	for _, d := range deps {
		out = append(out, d.String())
	}
	return out
}

// sort puts both sides' lists, which have other orders and repetitions, into one form.
func (d *described) sort(t *testing.T) {
	t.Helper()
	for _, list := range []*[]string{
		&d.Provides, &d.Requires, &d.Conflicts, &d.Obsoletes, &d.Recommends, &d.Suggests, &d.Supplements, &d.Enhances,
	} {
		for i, text := range *list {
			(*list)[i] = plain(t, text)
		}
		sort.Strings(*list)
		*list = slices.Compact(*list)
	}
}

func describe(p *rpmrepo.Package) described {
	return described{
		Name: p.Name, Epoch: p.EVR.Epoch, Version: p.EVR.Version, Release: p.EVR.Release, Arch: p.Arch,
		Location: p.Location, SHA256: p.SHA256, Source: p.SourceRPM, License: p.License, URL: p.URL, Summary: p.Summary,
		Size: p.Size, Installed: p.InstalledSize, BuildTime: p.BuildTime, HeaderEnd: p.HeaderEnd,
		Provides: texts(p.Provides), Requires: texts(p.Requires), Conflicts: texts(p.Conflicts), Obsoletes: texts(p.Obsoletes),
		Recommends: texts(p.Recommends), Suggests: texts(p.Suggests), Supplements: texts(p.Supplements), Enhances: texts(p.Enhances),
	}
}

func needDNF(t *testing.T) {
	t.Helper()
	oracle.Need(t, "/usr/bin/python3")
	if exec.Command("/usr/bin/python3", "-c", "import dnf").Run() != nil {
		oracle.Missing(t, "python3-dnf is not installed (.ci/run installs it)")
	}
}

// dnfSees gives the packages by checksum, for each list of what is excluded.
func dnfSees(t *testing.T, dir string, excludes ...string) (runs []map[string]described) {
	t.Helper()
	cmd := exec.Command("/usr/bin/python3", append([]string{"-c", dnfDump, dir, t.TempDir()}, excludes...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	run := map[string]described{}
	for line := range bytes.Lines(out) {
		if len(line) == 1 {
			runs = append(runs, run)
			run = map[string]described{}
			continue
		}
		var d described
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatal(err)
		}
		d.sort(t)
		run[d.SHA256] = d
	}
	if len(runs) != len(excludes) {
		t.Fatalf("dnf ran %d times, not %d", len(runs), len(excludes))
	}
	return runs
}

func weSee(t *testing.T, dir, exclude string) map[string]described {
	t.Helper()
	config := rpmrepo.DefaultConfig("test", dir)
	config.Exclude = strings.Fields(exclude)
	all := map[string]described{}
	for _, p := range load(t, client(t), config).All() {
		d := describe(p)
		d.sort(t)
		all[p.SHA256] = d
	}
	return all
}

// Repositories that createrepo_c makes read as dnf reads them.
func TestLoadAgreesWithDNF(t *testing.T) {
	needDNF(t)
	oracle.Need(t, "createrepo_c")
	dir := repository(t, key(t), repowrite.Options{})
	for _, compression := range []string{"gz", "bz2", "xz"} {
		if err := os.RemoveAll(filepath.Join(dir, "repodata")); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("createrepo_c", "--quiet", "--general-compress-type="+compression, dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if diff := cmp.Diff(dnfSees(t, dir, "")[0], weSee(t, dir, "")); diff != "" {
			t.Errorf("%s (-dnf +ours)\n%s", compression, diff)
		}
	}
	excludes := []string{
		"lute", "*o*", "*.noarch", "lute-1.2-1.x86_64 viol-4-1", "lute-0:1.2-1.x86_64 viol-0:4", "viol-4",
		"lute-1:1.2-1.x86_64 viol-4-2", "[lv]*", "l?te", "instrument", "/usr/bin/lute", "*-*", "*-*-*", "*.*", "wood-3*",
	}
	for i, theirs := range dnfSees(t, dir, excludes...) {
		if diff := cmp.Diff(theirs, weSee(t, dir, excludes[i])); diff != "" {
			t.Errorf("without %s (-dnf +ours)\n%s", excludes[i], diff)
		}
	}
}
