package repowrite_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

const built = 1_700_000_000

func deps(t testing.TB, all ...string) []rpm.Dependency {
	t.Helper()
	var list []rpm.Dependency
	for _, s := range all {
		d, err := rpm.ParseDependency(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	return list
}

func with(d rpm.Dependency, sense rpm.Sense) rpm.Dependency {
	d.Sense |= sense
	return d
}

// packages is what the repositories of the tests hold, by path.
func packages(t testing.TB) map[string]rpmwrite.Spec {
	t.Helper()
	config := rpmwrite.Text("/etc/alpha.conf", "x")
	config.Flags = rpm.FileConfig
	ghost := rpmwrite.File{Path: "/etc/alpha.cache", Flags: rpm.FileGhost}
	alpha := rpmwrite.Spec{
		Name: "alpha", EVR: rpm.EVR{Epoch: 1, Version: "1.0~rc1", Release: "1"}, Arch: "x86_64", BuildTime: built,
		Summary: `A <b> & "c" in 'd'`, Description: "Two\nlines with ümläuts.", License: "MIT and GPL", URL: "https://example.com/?a=1&b=2",
		Vendor: "Vendor", Packager: "Somebody <x@example.com>", Group: "System", BuildHost: "builder",
		Provides: deps(t, "libalpha.so.1()(64bit)", "alpha-api = 2:3", "python3dist(alpha) = 1~rc1"),
		Requires: append(deps(t, "libc.so.6()(64bit)", "libc.so.6(GLIBC_2.4)(64bit)", "libc.so.6(GLIBC_2.34)(64bit)", "libc.so.6(GLIBC_2.17)(64bit)",
			"libalpha.so.1()(64bit)", "foo >= 1:2-3", "bar < 2", "(a >= 1 or b)", "/usr/bin/env", "/etc/alpha.conf", "/usr/share/alpha/x", "alpha-api >= 3", "alpha", "alpha = 1:1.0~rc1-1"),
			with(deps(t, "foo >= 1:2-3")[0], rpm.Pre), with(deps(t, "baz")[0], rpm.PreUn), with(deps(t, "baz")[0], rpm.PostUn), with(deps(t, "late")[0], rpm.Post)),
		Conflicts: deps(t, "old-alpha < 1"), Obsoletes: deps(t, "old-alpha <= 0.9-1"),
		Recommends: deps(t, "nice"), Suggests: deps(t, "maybe > 1"), Supplements: deps(t, "(x if y)"), Enhances: deps(t, "other = 1-1"),
		Files: []rpmwrite.File{
			config, ghost, rpmwrite.Dir("/etc/alpha.d"), rpmwrite.Text("/usr/bin/alpha", "x"), rpmwrite.Dir("/usr/bin/alpha.d"), rpmwrite.Text("/usr/bin/alpha.d/x", "x"),
			rpmwrite.Text("/usr/sbin/alpha", "x"), rpmwrite.Text("/usr/lib/sendmail", "x"), rpmwrite.Text("/usr/share/alpha/x", "x"),
			rpmwrite.Text("/usr/share/cabin/x", "x"), rpmwrite.Text("/opt/a & b/<c>", "x"), rpmwrite.Symlink("/usr/share/alpha/link", "x"),
		},
		Scripts:   []rpm.Script{{Kind: rpm.ScriptPost, Body: "true"}, {Kind: rpm.ScriptPreUn, Body: "true"}},
		Changelog: []rpmwrite.Change{{Time: built, Author: "B <b@example.com> - 2", Text: "- newer & better"}, {Time: built - 100, Author: "A <a@example.com> - 1", Text: "- older"}},
	}
	return map[string]rpmwrite.Spec{
		"a/alpha-1.0~rc1-1.x86_64.rpm": alpha,
		"beta-2-1.noarch.rpm":          {Name: "beta", EVR: rpm.EVR{Version: "2", Release: "1"}, Arch: "noarch", BuildTime: built - 1000, Compression: "gzip"},
		"z/gamma-1-1.i686.rpm":         {Name: "gamma", EVR: rpm.EVR{Version: "1", Release: "1"}, Arch: "i686", BuildTime: built - 1000, Compression: "xz", LargeFiles: true},
	}
}

func fill(t testing.TB, dir string) {
	t.Helper()
	for path, spec := range packages(t) {
		full := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := rpmwrite.WriteFile(full, spec); err != nil {
			t.Fatal(err)
		}
	}
}

// node is an XML element without what makes no difference.
type node struct {
	Name     string
	Attrs    map[string]string
	Text     string
	Children []*node
}

func parse(t testing.TB, r io.Reader) *node {
	t.Helper()
	d := xml.NewDecoder(r)
	stack := []*node{{}}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return stack[0].Children[0]
		}
		if err != nil {
			t.Fatal(err)
		}
		top := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			n := &node{Name: token.Name.Space + " " + token.Name.Local, Attrs: map[string]string{}}
			for _, a := range token.Attr {
				n.Attrs[a.Name.Space+" "+a.Name.Local] = a.Value
			}
			if token.Name.Local == "time" {
				delete(n.Attrs, " file") // createrepo_c takes the file system's
			}
			top.Children = append(top.Children, n)
			stack = append(stack, n)
		case xml.EndElement:
			if len(top.Children) > 0 {
				top.Text = "" // white space between elements
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.Text += string(token)
		}
	}
}

// document opens a repository's primary, filelists or other, as repomd.xml
// names it.
func document(t testing.TB, dir, kind string) *node {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "repodata", "repomd.xml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, data := range parse(t, f).Children {
		if data.Attrs[" type"] != kind {
			continue
		}
		for _, child := range data.Children {
			if strings.HasSuffix(child.Name, " location") {
				return parse(t, open(t, filepath.Join(dir, child.Attrs[" href"])))
			}
		}
	}
	t.Fatalf("repomd.xml names no %s", kind)
	return nil
}

func open(t testing.TB, path string) io.Reader {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	var r io.Reader = f
	switch filepath.Ext(path) {
	case ".gz":
		r, err = gzip.NewReader(f)
	case ".zst":
		r, err = zstd.NewReader(f)
	case ".xz":
		r, err = xz.NewReader(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAgainstCreaterepo compares all three documents with createrepo_c's, for
// the same packages.
func TestAgainstCreaterepo(t *testing.T) {
	oracle.Need(t, "createrepo_c")
	theirs, ours := t.TempDir(), t.TempDir()
	fill(t, theirs)
	fill(t, ours)
	if out, err := exec.Command("createrepo_c", "--quiet", "--no-database", theirs).CombinedOutput(); err != nil {
		t.Fatalf("createrepo_c: %v: %s", err, out)
	}
	for _, compression := range []string{"", "gz", "zstd", "xz", "none"} {
		if err := repowrite.Write(ours, repowrite.Options{Compression: compression}); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"primary", "filelists", "other"} {
			if diff := cmp.Diff(document(t, theirs, kind), document(t, ours, kind)); diff != "" {
				t.Errorf("%s in %q (-createrepo_c +got):\n%s", kind, compression, diff)
			}
		}
	}
}

// TestAgainstDnf has dnf load a signed repository and answer from it.
func TestAgainstDnf(t *testing.T) {
	oracle.Need(t, "dnf")
	dir := t.TempDir()
	repo := filepath.Join(dir, "repo")
	fill(t, repo)
	key, err := rpmwrite.NewSigner("Repo <repo@example.com>", time.Unix(built, 0))
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(dir, "key")
	if err := os.WriteFile(keyFile, key.PublicKey(), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, compression := range []string{"gz", "zstd"} {
		if err := repowrite.Write(repo, repowrite.Options{Compression: compression, Signer: key}); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("dnf", "-q", "-y", "--installroot", filepath.Join(dir, "root-"+compression), "--setopt=reposdir=/dev/null", "--setopt=cachedir="+filepath.Join(dir, "cache-"+compression),
			"--repofrompath=r,file://"+repo, "--setopt=r.repo_gpgcheck=1", "--setopt=r.gpgkey=file://"+keyFile, "--releasever=1", "--forcearch=x86_64",
			"repoquery", "--qf", "%{name}-%{epoch}:%{version}-%{release}.%{arch}", "*")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("dnf: %v: %s", err, out)
		}
		for _, want := range []string{"alpha-1:1.0~rc1-1.x86_64", "beta-0:2-1.noarch", "gamma-0:1-1.i686"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("dnf finds %s, not %s", out, want)
			}
		}
	}
}

func snapshot(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "repodata"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, "repodata", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

func TestWriteIsDeterministic(t *testing.T) {
	key, err := rpmwrite.NewSigner("Repo <repo@example.com>", time.Unix(built, 0))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := rpm.ParseKeys(key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	one, two := t.TempDir(), t.TempDir()
	fill(t, one)
	fill(t, two)
	// What was there before leaves no trace.
	if err := repowrite.Write(two, repowrite.Options{Compression: "zstd", Revision: "old"}); err != nil {
		t.Fatal(err)
	}
	opts := repowrite.Options{Signer: key}
	for _, dir := range []string{one, two} {
		if err := repowrite.Write(dir, opts); err != nil {
			t.Fatal(err)
		}
	}
	first := snapshot(t, one)
	if diff := cmp.Diff(first, snapshot(t, two)); diff != "" {
		t.Errorf("two writes differ:\n%s", diff)
	}
	if len(first) != 5 {
		t.Errorf("repodata holds %d files", len(first))
	}
	if by, err := keys.VerifyDetached([]byte(first["repomd.xml"]), []byte(first["repomd.xml.asc"])); err != nil || by.Time.Unix() != built {
		t.Errorf("the signature: %+v, %v", by, err)
	}
	if !strings.Contains(first["repomd.xml"], "<revision>1700000000</revision>") {
		t.Errorf("the revision is not the newest build time:\n%s", first["repomd.xml"])
	}
	// Without a signer a signature of before would be wrong: it goes.
	if err := repowrite.Write(one, repowrite.Options{Revision: "next", Timestamp: 5}); err != nil {
		t.Fatal(err)
	}
	after := snapshot(t, one)
	if _, ok := after["repomd.xml.asc"]; ok || len(after) != 4 || !strings.Contains(after["repomd.xml"], "<revision>next</revision>") || !strings.Contains(after["repomd.xml"], "<timestamp>5</timestamp>") {
		t.Errorf("unsigned, repodata holds %d files:\n%s", len(after), after["repomd.xml"])
	}
}

func TestWriteFaults(t *testing.T) {
	dir := t.TempDir()
	if err := repowrite.Write(filepath.Join(dir, "none"), repowrite.Options{}); err == nil {
		t.Error("a folder that is not there becomes a repository")
	}
	if err := repowrite.Write(dir, repowrite.Options{Compression: "rar"}); err == nil {
		t.Error("an unknown compression is taken")
	}
	if err := repowrite.Write(dir, repowrite.Options{}); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x.rpm"), []byte("no package"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := repowrite.Write(dir, repowrite.Options{}); err == nil || !strings.Contains(err.Error(), "x.rpm") {
		t.Errorf("what is no package: %v", err)
	}
}
