package rpmrepo_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

func TestLoad(t *testing.T) {
	for _, compression := range []string{"gz", "xz", "zstd", "none"} {
		dir := repository(t, nil, repowrite.Options{Compression: compression, Revision: "rev 7"})
		s := serve(t, dir)
		for _, base := range []string{dir, "file://" + dir, s.URL, s.URL + "/"} {
			r := load(t, client(t), rpmrepo.DefaultConfig("test", base))
			if got := names(r); !slices.Equal(got, allNames) {
				t.Errorf("%s from %s has %v", compression, base, got)
			}
			repomd := sha256.Sum256(read(t, filepath.Join(dir, "repodata/repomd.xml")))
			want := rpmrepo.State{RepomdSHA256: fmt.Sprintf("%x", repomd), Revision: "rev 7", Timestamp: 1_700_000_002}
			if r.State != want {
				t.Errorf("state is %+v, want %+v", r.State, want)
			}
			lute := r.Package(r.Named("lute")[0])
			sum := sha256.Sum256(read(t, filepath.Join(dir, lute.Location)))
			if lute.SHA256 != fmt.Sprintf("%x", sum) || lute.SourceRPM != "lute-1.2-1.src.rpm" || !slices.Equal(lute.Files, []string{"/usr/bin/lute"}) {
				t.Errorf("lute is %+v", lute)
			}
			if got := len(r.Providers("instrument")); got != 2 {
				t.Errorf("%d instruments", got)
			}
			if again := r.Package(r.Named("lute")[0]); again != lute {
				t.Error("a package has two pointers")
			}
		}
	}
}

// What the index holds is what the packages' own headers say.
func TestLoadAgreesWithHeaders(t *testing.T) {
	dir := repository(t, nil, repowrite.Options{})
	r := load(t, client(t), rpmrepo.DefaultConfig("test", dir))
	for _, got := range r.All() {
		p, err := rpm.Open(filepath.Join(dir, got.Location))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if got.NEVRA != p.NEVRA() {
			t.Errorf("%v, not %v", got.NEVRA, p.NEVRA())
		}
		same := func(got, want []rpm.Dependency) bool {
			return slices.EqualFunc(got, want, func(a, b rpm.Dependency) bool { return a.String() == b.String() })
		}
		if !same(got.Provides, p.Provides()) {
			t.Errorf("%s provides %v, not %v", got.Name, got.Provides, p.Provides())
		}
		start, end := p.HeaderRange()
		if got.HeaderStart != start || got.HeaderEnd != end {
			t.Errorf("%s has its header at %d-%d, not %d-%d", got.Name, got.HeaderStart, got.HeaderEnd, start, end)
		}
	}
}

// The second load reads the index and nothing else but repomd.xml.
func TestLoadWarm(t *testing.T) {
	s := serve(t, repository(t, nil, repowrite.Options{}))
	c := client(t)
	config := rpmrepo.DefaultConfig("test", s.URL)
	load(t, c, config)
	load(t, clientAt(t, c.Cache.Root()), config)
	if n := s.times("primary.xml.gz"); n != 1 {
		t.Errorf("primary was asked for %d times", n)
	}
	if n := s.times("repomd.xml"); n != 2 {
		t.Errorf("repomd.xml was asked for %d times", n)
	}
	if n := s.times("filelists.xml.gz"); n != 0 {
		t.Errorf("filelists were asked for %d times", n)
	}
}

func TestFilePackages(t *testing.T) {
	s := serve(t, repository(t, nil, repowrite.Options{}))
	c := client(t)
	r := load(t, c, rpmrepo.DefaultConfig("test", s.URL))
	find := func(path string) string {
		t.Helper()
		found, err := r.FilePackages(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, i := range found {
			out = append(out, r.Package(i).Name)
		}
		return strings.Join(out, " ")
	}
	if got := find("/usr/bin/lute"); got != "lute" || s.times("filelists.xml.gz") != 0 {
		t.Errorf("%q, %d", got, s.times("filelists.xml.gz"))
	}
	for path, want := range map[string]string{"/usr/share/lute/songs": "lute", "/usr/share/wood": "wood", "/nothing": ""} {
		if got := find(path); got != want {
			t.Errorf("%s is held by %q, want %q", path, got, want)
		}
	}
	if n := s.times("filelists.xml.gz"); n != 1 {
		t.Errorf("filelists were asked for %d times", n)
	}

	// The next process has it in the cache.
	s.on("filelists.xml.gz", status(404))
	r = load(t, clientAt(t, c.Cache.Root()), rpmrepo.DefaultConfig("test", s.URL))
	if got := find("/usr/share/wood"); got != "wood" {
		t.Errorf("got %q", got)
	}
}

func TestNew(t *testing.T) {
	r, err := rpmrepo.New(rpmrepo.Config{ID: "literal", Exclude: []string{"viol"}}, []rpmrepo.Package{
		{NEVRA: rpm.NEVRA{Name: "lute", Arch: "noarch"}, Files: []string{"/usr/bin/lute"}},
		{NEVRA: rpm.NEVRA{Name: "viol", Arch: "noarch"}, Files: []string{"/usr/bin/lute"}, Obsoletes: []rpm.Dependency{{Name: "vihuela"}}},
		{NEVRA: rpm.NEVRA{Name: "wood", Arch: "noarch"}, Enhances: []rpm.Dependency{{Name: "lute"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(r); !slices.Equal(got, []string{"lute", "wood"}) || r.Len() != 3 || !r.Excluded(1) || r.Excluded(0) {
		t.Errorf("it has %v", got)
	}
	if r.Named("viol") != nil && len(r.Named("viol")) > 0 || len(r.Obsoleters("vihuela")) > 0 {
		t.Error("an excluded package is found")
	}
	found, err := r.FilePackages(t.Context(), "/usr/bin/lute")
	if err != nil || !slices.Equal(found, []int{0}) {
		t.Errorf("%v, %v", found, err)
	}
	if found, err = r.FilePackages(t.Context(), "/nothing"); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	if got := r.Supplementers(); !slices.Equal(got, []int{2}) {
		t.Errorf("supplementers are %v", got)
	}
	if got := slices.Collect(r.Names()); !slices.Equal(got, []string{"lute", "viol", "wood"}) {
		t.Errorf("names are %v", got)
	}
}

// flip changes a bit in the middle of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	data := read(t, path)
	data[len(data)/2] ^= 0x20
	write(t, path, data)
}

func cut(t *testing.T, path string) {
	t.Helper()
	data := read(t, path)
	write(t, path, data[:len(data)/2])
}

// Damage to metadata is an error that names it.
func TestLoadDamaged(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		want   string
	}{
		{"no repomd", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "repodata/repomd.xml")) }, "repomd.xml does not exist"},
		{"repomd cut", func(t *testing.T, dir string) { cut(t, filepath.Join(dir, "repodata/repomd.xml")) }, "cut off"},
		{"repomd empty", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "repodata/repomd.xml"), nil) }, "cut off"},
		{"repomd html", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "repodata/repomd.xml"), []byte("<html>Sorry</html>"))
		}, "HTML page"},
		{"repomd huge", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "repodata/repomd.xml"), make([]byte, 17<<20))
		}, "larger than"},
		{"no primary in repomd", func(t *testing.T, dir string) {
			path := filepath.Join(dir, "repodata/repomd.xml")
			write(t, path, bytes.Replace(read(t, path), []byte(`type="primary"`), []byte(`type="primary_db"`), 1))
		}, "names no primary"},
		{"primary missing", func(t *testing.T, dir string) { os.Remove(part(t, dir, "primary")) }, "primary.xml.gz does not exist"},
		{"primary cut", func(t *testing.T, dir string) { cut(t, part(t, dir, "primary")) }, "its size is"},
		{"primary flipped", func(t *testing.T, dir string) { flip(t, part(t, dir, "primary")) }, "its sha256 is"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := repository(t, nil, repowrite.Options{})
			test.damage(t, dir)
			_, err := client(t).Load(t.Context(), rpmrepo.DefaultConfig("test", dir))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "repository test") {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	t.Run("filelists flipped", func(t *testing.T) {
		dir := repository(t, nil, repowrite.Options{})
		flip(t, part(t, dir, "filelists"))
		r := load(t, client(t), rpmrepo.DefaultConfig("test", dir))
		_, err := r.FilePackages(t.Context(), "/usr/share/wood")
		if _, ok := errors.AsType[*rpmrepo.ChecksumError](err); !ok {
			t.Errorf("got %v", err)
		}
	})
}

// Any bit of repomd.xml that changes is noticed, or changes nothing that is used.
func TestLoadRepomdBitFlips(t *testing.T) {
	dir := repository(t, nil, repowrite.Options{})
	path := filepath.Join(dir, "repodata/repomd.xml")
	good := read(t, path)
	c := client(t)
	for i := 0; i < len(good); i += 3 {
		bad := slices.Clone(good)
		bad[i] ^= 1 << (i % 8)
		write(t, path, bad)
		r, err := c.Load(t.Context(), rpmrepo.DefaultConfig("test", dir))
		if err == nil && !slices.Equal(names(r), allNames) {
			t.Fatalf("byte %d changed gives %v", i, names(r))
		}
	}
}

// replacePrimary puts another primary.xml in place, with a repomd.xml that fits, but for what edit
// changes.
func replacePrimary(t *testing.T, dir string, xml []byte, edit func(repomd string) string) {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(xml)
	z.Close()
	write(t, filepath.Join(dir, "repodata/p.xml.gz"), packed.Bytes())
	repomd := fmt.Sprintf(`<repomd><revision>1</revision><data type="primary"><checksum type="sha256">%x</checksum>`+
		`<open-checksum type="sha512">%x</open-checksum><location href="repodata/p.xml.gz"/><size>%d</size><open-size>%d</open-size></data></repomd>`,
		sha256.Sum256(packed.Bytes()), sha512.Sum512(xml), packed.Len(), len(xml))
	write(t, filepath.Join(dir, "repodata/repomd.xml"), []byte(edit(repomd)))
}

func same(s string) string { return s }

// What a valid checksum stands for can still be made to harm.
func TestLoadHostile(t *testing.T) {
	const laughs = `<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><metadata>&b;</metadata>`
	for _, test := range []struct {
		name, xml string
		edit      func(string) string
		want      string
	}{
		{"entities", laughs, same, "document type declaration"},
		{"nested", strings.Repeat("<metadata>", 100_000), same, "nested deeper"},
		{"attribute", `<metadata a="` + strings.Repeat("x", 10<<20) + `"/>`, same, "longer than"},
		{"text", `<metadata>` + strings.Repeat("x", 10<<20) + `</metadata>`, same, "longer than"},
		{"zeros", "<metadata>" + strings.Repeat("\x00", 10<<20), same, "longer than"},
		{"open size", `<metadata>` + strings.Repeat(" ", 1<<20) + `</metadata>`, func(s string) string {
			return strings.Replace(s, "<open-size>1", "<open-size>", 1)
		}, "decompresses to more than it should"},
		{"escape", `<metadata></metadata>`, func(s string) string { return strings.Replace(s, "repodata/p", "../p", 1) }, "not a path inside"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			replacePrimary(t, dir, []byte(test.xml), test.edit)
			_, err := client(t).Load(t.Context(), rpmrepo.DefaultConfig("test", dir))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// A file of this machine is not read because a repository on the network says so.
func TestLoadForeignLocation(t *testing.T) {
	dir := t.TempDir()
	replacePrimary(t, dir, []byte("<metadata></metadata>"), func(s string) string {
		return strings.Replace(s, "<location ", `<location xml:base="file://`+dir+`" `, 1)
	})
	load(t, client(t), rpmrepo.DefaultConfig("test", dir))
	if _, err := client(t).Load(t.Context(), rpmrepo.DefaultConfig("test", serve(t, dir).URL)); err == nil {
		t.Error("a file was read")
	}
}

// An index that is damaged is made anew.
func TestLoadDamagedIndex(t *testing.T) {
	dir := repository(t, nil, repowrite.Options{})
	c := client(t)
	config := rpmrepo.DefaultConfig("test", dir)
	load(t, c, config)
	indexes, err := filepath.Glob(filepath.Join(c.Cache.Root(), "index/*/*"))
	if err != nil || len(indexes) != 1 {
		t.Fatal(indexes, err)
	}
	for _, damage := range []func(*testing.T, string){flip, cut, func(t *testing.T, path string) { write(t, path, nil) }} {
		good := read(t, indexes[0])
		damage(t, indexes[0])
		if got := names(load(t, clientAt(t, c.Cache.Root()), config)); !slices.Equal(got, allNames) {
			t.Errorf("it has %v", got)
		}
		if !bytes.Equal(read(t, indexes[0]), good) {
			t.Error("the index was not made anew")
		}
	}
}

// A repository that is changed between repomd.xml and primary.xml is read once more.
func TestLoadChanging(t *testing.T) {
	before, after := repository(t, nil, repowrite.Options{Revision: "before"}), repository(t, nil, repowrite.Options{Revision: "after", Compression: "zstd"})
	s := serve(t, after)
	old := read(t, filepath.Join(before, "repodata/repomd.xml"))
	var asked atomic.Int32
	s.on("repomd.xml", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			w.Write(old)
			return
		}
		if r.Header.Get("Cache-Control") != "no-cache" {
			t.Error("a cache on the way may answer with the old one")
		}
		http.ServeFile(w, r, filepath.Join(after, "repodata/repomd.xml"))
	})
	r := load(t, client(t), rpmrepo.DefaultConfig("test", s.URL))
	if r.State.Revision != "after" || asked.Load() != 2 {
		t.Errorf("revision %s after %d requests", r.State.Revision, asked.Load())
	}

	// One that changes all the time is left with a clear error.
	s.on("repomd.xml", func(w http.ResponseWriter, r *http.Request) {
		w.Write(bytes.Replace(old, []byte("before"), fmt.Append(nil, asked.Add(1)), 1))
	})
	_, err := client(t).Load(t.Context(), rpmrepo.DefaultConfig("test", s.URL))
	if changed, ok := errors.AsType[*rpmrepo.ChangedError](err); !ok || !strings.Contains(changed.Error(), "try again in a while") {
		t.Errorf("got %v", err)
	}

	// One that simply lacks its primary.xml did not change.
	s.on("repomd.xml", content(old))
	_, err = client(t).Load(t.Context(), rpmrepo.DefaultConfig("test", s.URL))
	if _, ok := errors.AsType[*rpmrepo.NotFoundError](err); !ok {
		t.Errorf("got %v", err)
	}
	if _, ok := errors.AsType[*rpmrepo.ChangedError](err); ok {
		t.Errorf("got %v", err)
	}
}

func TestLoadSigned(t *testing.T) {
	trusted := key(t)
	good := repository(t, nil, repowrite.Options{Signer: trusted})
	unsigned := repository(t, nil, repowrite.Options{})
	forged := repository(t, nil, repowrite.Options{Signer: key(t)})
	changed := repository(t, nil, repowrite.Options{Signer: trusted})
	path := filepath.Join(changed, "repodata/repomd.xml")
	write(t, path, append(read(t, path), '\n'))

	config := rpmrepo.DefaultConfig("test")
	config.RepoGPGCheck, config.GPGKey = true, []string{keyFile(t, trusted)}
	with := func(bases ...string) rpmrepo.Config {
		c := config
		c.BaseURL = bases
		return c
	}
	load(t, client(t), with(good))
	load(t, client(t), with(serve(t, good).URL))
	load(t, client(t), with(serve(t, good).URL+"/?token=x"))
	for name, dir := range map[string]string{"unsigned": unsigned, "forged": forged, "changed": changed} {
		_, err := client(t).Load(t.Context(), with(dir))
		e, ok := errors.AsType[*rpmrepo.SignatureError](err)
		if !ok || e.File != "repomd.xml" || e.Repository != "test" {
			t.Errorf("%s: got %v", name, err)
		}
		// Another mirror may do better.
		load(t, client(t), with(dir, good))
	}
	// A cache filled without the check is of no use with it.
	c := client(t)
	load(t, c, rpmrepo.DefaultConfig("test", unsigned))
	if _, err := c.Load(t.Context(), with(unsigned)); err == nil {
		t.Error("an unsigned repository was taken")
	}
	config.GPGKey = nil
	if _, err := client(t).Load(t.Context(), with(good)); err == nil || !strings.Contains(err.Error(), "no gpgkey") {
		t.Errorf("got %v", err)
	}
	config.GPGKey = []string{path}
	if _, err := client(t).Load(t.Context(), with(good)); err == nil || !strings.Contains(err.Error(), "reading key") {
		t.Errorf("got %v", err)
	}
}

func metalink(repomd []byte, alternate []byte, urls ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `<metalink><files><file name="repomd.xml"><size>%d</size><verification><hash type="sha256">%x</hash></verification>`, len(repomd), sha256.Sum256(repomd))
	if alternate != nil {
		fmt.Fprintf(&b, `<alternates><alternate><verification><hash type="sha512">%x</hash></verification></alternate></alternates>`, sha512.Sum512(alternate))
	}
	b.WriteString("<resources>")
	for i, u := range urls {
		fmt.Fprintf(&b, `<url preference="%d">%s/repodata/repomd.xml</url>`, 100-i, u)
	}
	b.WriteString("</resources></file></files></metalink>")
	return []byte(b.String())
}

func TestLoadMetalink(t *testing.T) {
	newer, older := repository(t, nil, repowrite.Options{Revision: "newer"}), repository(t, nil, repowrite.Options{Revision: "older"})
	repomd := func(dir string) []byte { return read(t, filepath.Join(dir, "repodata/repomd.xml")) }
	fresh, stale := serve(t, newer), serve(t, older)
	var link []byte
	links := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(link) }))
	t.Cleanup(links.Close)
	config := rpmrepo.DefaultConfig("test")
	config.Metalink = links.URL + "/metalink?repo=x"

	revision := func() string {
		t.Helper()
		return load(t, client(t), config).State.Revision
	}
	link = metalink(repomd(newer), nil, fresh.URL)
	if got := revision(); got != "newer" {
		t.Errorf("got %s", got)
	}
	// A mirror whose repomd.xml is not the one of the metalink is passed over.
	link = metalink(repomd(newer), nil, stale.URL, fresh.URL)
	if got := revision(); got != "newer" {
		t.Errorf("got %s", got)
	}
	// One that is named as an alternate will do.
	link = metalink(repomd(newer), repomd(older), stale.URL, fresh.URL)
	if got := revision(); got != "older" {
		t.Errorf("got %s", got)
	}
	link = metalink(repomd(newer), nil, stale.URL)
	_, err := client(t).Load(t.Context(), config)
	if _, ok := errors.AsType[*rpmrepo.ChecksumError](err); !ok {
		t.Errorf("got %v", err)
	}
	// dnf takes a metalink for a mirror list, too.
	link = metalink(repomd(newer), nil, stale.URL, fresh.URL)
	config.Metalink, config.MirrorList = "", config.Metalink
	if got := revision(); got != "newer" {
		t.Errorf("got %s", got)
	}
	link = []byte("<html></html>")
	if _, err := client(t).Load(t.Context(), config); err == nil || !strings.Contains(err.Error(), "HTML") {
		t.Errorf("got %v", err)
	}
	link = []byte("# no mirror today\n")
	if _, err := client(t).Load(t.Context(), config); err == nil || !strings.Contains(err.Error(), "no mirror of it is known") {
		t.Errorf("got %v", err)
	}
}

func TestLoadMirrorList(t *testing.T) {
	good, bad := serve(t, repository(t, nil, repowrite.Options{})), serve(t, t.TempDir())
	list := filepath.Join(t.TempDir(), "mirrors")
	write(t, list, []byte("# mirrors\n"+bad.URL+"\n"+good.URL+"/\n"))
	config := rpmrepo.DefaultConfig("test")
	config.MirrorList = list
	load(t, client(t), config)

	// With a base URL, the mirror list may be missing.
	config.MirrorList, config.BaseURL = list+"x", []string{good.URL}
	load(t, client(t), config)
	config.BaseURL = nil
	if _, err := client(t).Load(t.Context(), config); err == nil {
		t.Error("there is no mirror")
	}
}

// Mirrors that misbehave are left for the next.
func TestLoadNextMirror(t *testing.T) {
	dir := repository(t, nil, repowrite.Options{})
	for name, h := range map[string]http.HandlerFunc{
		"missing": status(404), "broken": status(500), "html": html,
		"hangs": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"loops": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
	} {
		for _, end := range []string{"repomd.xml", "primary.xml.gz"} {
			t.Run(name+" "+end, func(t *testing.T) {
				bad, good := serve(t, dir), serve(t, dir)
				bad.on(end, h)
				c := client(t)
				if name == "hangs" {
					c.Stall, c.Attempts = 200*time.Millisecond, 10
				}
				load(t, c, rpmrepo.DefaultConfig("test", bad.URL, good.URL))
			})
		}
	}
}

func TestLoadOffline(t *testing.T) {
	signer := key(t)
	s := serve(t, repository(t, nil, repowrite.Options{Signer: signer}))
	config := rpmrepo.DefaultConfig("test", s.URL)
	config.RepoGPGCheck, config.GPGKey = true, []string{keyFile(t, signer)}
	online := client(t)

	offline := func() *rpmrepo.Client {
		c := clientAt(t, online.Cache.Root())
		c.Offline = true
		return c
	}
	_, err := offline().Load(t.Context(), config)
	if e, ok := errors.AsType[*rpmrepo.OfflineError](err); !ok || !strings.Contains(e.Error(), "metadata of repository test") {
		t.Errorf("got %v", err)
	}
	want := load(t, online, config)
	s.Close()
	got := load(t, offline(), config)
	if got.State != want.State || !slices.Equal(names(got), allNames) {
		t.Errorf("%v, %v", got.State, names(got))
	}
	_, err = got.FilePackages(t.Context(), "/usr/share/wood")
	if e, ok := errors.AsType[*rpmrepo.OfflineError](err); !ok || !strings.Contains(e.Error(), "filelists metadata of repository test") {
		t.Errorf("got %v", err)
	}
	// What is on this machine is no network.
	dir := repository(t, nil, repowrite.Options{})
	load(t, offline(), rpmrepo.DefaultConfig("local", "https://example.invalid/x", dir))
	// What we remember may be damaged.
	remembered, err := filepath.Glob(filepath.Join(online.Cache.Root(), "remembered/repomd-*"))
	if err != nil || len(remembered) != 1 {
		t.Fatal(remembered, err)
	}
	cut(t, remembered[0])
	if _, err := offline().Load(t.Context(), config); err == nil {
		t.Error("a damaged repomd.xml was taken")
	}
}

func TestLoadExcludes(t *testing.T) {
	dir := repository(t, nil, repowrite.Options{})
	for _, test := range []struct {
		include, exclude []string
		want             []string
	}{
		{nil, nil, allNames},
		{nil, []string{"lute"}, []string{"viol", "wood"}},
		{nil, []string{"lut"}, allNames},
		{nil, []string{"*o*"}, []string{"lute"}},
		{nil, []string{"[lv]*"}, []string{"wood"}},
		{nil, []string{"*.noarch"}, []string{"lute"}},
		{nil, []string{"lute-1.2-1.x86_64", "viol-4-1"}, []string{"wood"}},
		{nil, []string{"lute-0:1.2-1.x86_64", "viol-0:4"}, []string{"wood"}},
		{nil, []string{"lute-1:1.2-1.x86_64", "viol-4-2", "wood-x:3"}, allNames},
		{nil, []string{"instrument", "/usr/bin/lute"}, allNames}, // neither provides nor files
		{[]string{"lute", "wood"}, nil, []string{"lute", "wood"}},
		{[]string{"*"}, []string{"wood-3*"}, []string{"lute", "viol"}},
		{[]string{"nothing"}, nil, nil},
	} {
		config := rpmrepo.DefaultConfig("test", dir)
		config.Include, config.Exclude = test.include, test.exclude
		if got := names(load(t, client(t), config)); !slices.Equal(got, test.want) {
			t.Errorf("include %v, exclude %v gives %v, want %v", test.include, test.exclude, got, test.want)
		}
	}
}

// Configurations of one place share what is fetched, and nothing else.
func TestLoadSharedSite(t *testing.T) {
	c := client(t)
	all := rpmrepo.DefaultConfig("test", repository(t, nil, repowrite.Options{}))
	some := all
	some.Exclude, some.Priority = []string{"viol"}, 7
	for range 2 {
		if r := load(t, c, all); r.Config.Priority != 99 || !slices.Equal(names(r), allNames) {
			t.Errorf("priority %d, %v", r.Config.Priority, names(r))
		}
		if r := load(t, c, some); r.Config.Priority != 7 || !slices.Equal(names(r), []string{"lute", "wood"}) {
			t.Errorf("priority %d, %v", r.Config.Priority, names(r))
		}
	}
}

// A load that is cancelled leaves nothing half done.
func TestLoadCancelled(t *testing.T) {
	s := serve(t, repository(t, nil, repowrite.Options{}))
	ctx, cancel := cancelling(t)
	s.on("primary.xml.gz", func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	c := client(t)
	if _, err := c.Load(ctx, rpmrepo.DefaultConfig("test", s.URL)); !errors.Is(err, ctx.Err()) {
		t.Errorf("got %v", err)
	}
	s.on("primary.xml.gz", nil)
	load(t, c, rpmrepo.DefaultConfig("test", s.URL))
}

const modulesYAML = `document: modulemd
version: 2
data: {name: strings, stream: "1.10", version: 1, artifacts: {rpms: ["lute-0:1.2-1.x86_64"]}}
`

// Modules and advisories are read, kept, and refused when they are damaged.
func TestLoadModulesAndAdvisories(t *testing.T) {
	update := []byte(`<updates><update type="security"><id>A-1</id></update></updates>`)
	dir := repository(t, nil, repowrite.Options{Modules: []byte(modulesYAML), UpdateInfo: update})
	s := serve(t, dir)
	root := filepath.Join(t.TempDir(), "cache")
	for range 2 {
		r := load(t, clientAt(t, root), rpmrepo.DefaultConfig("test", s.URL))
		if m := r.Modules(); m == nil || len(m.Streams) != 1 || m.Streams[0].NameStream() != "strings:1.10" {
			t.Errorf("modules are %+v", m)
		}
		list, ok, err := r.Advisories(t.Context())
		if err != nil || !ok || len(list) != 1 || list[0].ID != "A-1" {
			t.Errorf("advisories are %+v, %v, %v", list, ok, err)
		}
		hidden := r.Hide(map[int]string{r.Named("wood")[0]: "is of another stream"})
		if got := names(hidden); !slices.Equal(got, []string{"lute", "viol"}) || hidden.Hiding(r.Named("wood")[0]) != "is of another stream" || hidden.Modules() != r.Modules() {
			t.Errorf("%v are seen", got)
		}
	}
	for _, part := range []string{"modules.yaml.gz", "updateinfo.xml.gz"} {
		if n := s.times(part); n != 1 {
			t.Errorf("%s was fetched %d times", part, n)
		}
	}
	offline := clientAt(t, root)
	offline.Offline = true
	r := load(t, offline, rpmrepo.DefaultConfig("test", s.URL))
	if list, ok, err := r.Advisories(t.Context()); r.Modules() == nil || !ok || err != nil || len(list) != 1 {
		t.Errorf("offline: %v %v %v %v", r.Modules(), list, ok, err)
	}

	if _, ok, err := load(t, client(t), rpmrepo.DefaultConfig("test", repository(t, nil, repowrite.Options{}))).Advisories(t.Context()); ok || err != nil {
		t.Errorf("a repository without advisories has some: %v", err)
	}
	flip(t, part(t, dir, "updateinfo"))
	if _, _, err := load(t, client(t), rpmrepo.DefaultConfig("test", dir)).Advisories(t.Context()); err == nil || !strings.Contains(err.Error(), "advisories of repository test") {
		t.Errorf("got %v", err)
	}
	flip(t, part(t, dir, "modules"))
	if _, err := client(t).Load(t.Context(), rpmrepo.DefaultConfig("test", dir)); err == nil || !strings.Contains(err.Error(), "modules.yaml.gz is not the file") {
		t.Errorf("got %v", err)
	}
	dir = repository(t, nil, repowrite.Options{Modules: []byte("document: modulemd\nversion: 2\n")})
	if _, err := client(t).Load(t.Context(), rpmrepo.DefaultConfig("test", dir)); err == nil || !strings.Contains(err.Error(), "line 1: name is") {
		t.Errorf("got %v", err)
	}
}

// TestOpenChecksum: a wrong open-checksum of a file that is the right one does no harm, as for dnf.
func TestOpenChecksum(t *testing.T) {
	dir := t.TempDir()
	replacePrimary(t, dir, []byte(`<metadata></metadata>`), func(s string) string {
		return strings.Replace(s, fmt.Sprintf("%x", sha512.Sum512([]byte(`<metadata></metadata>`))), strings.Repeat("ab", 64), 1)
	})
	if _, err := client(t).Load(t.Context(), rpmrepo.DefaultConfig("test", dir)); err != nil {
		t.Error(err)
	}
}
