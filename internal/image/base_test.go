package image_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// sample is a set of packages with files of every kind.
func sample() []rpmwrite.Spec {
	file := func(path string, mode uint32) rpmwrite.File {
		f := rpmwrite.Text(path, "content of "+path)
		f.Mode = rpm.ModeRegular | mode
		return f
	}
	dir := func(path string, mode uint32) rpmwrite.File {
		f := rpmwrite.Dir(path)
		f.Mode = rpm.ModeDirectory | mode
		return f
	}
	su := file("/usr/bin/su", 0o4755)
	ping := file("/usr/bin/ping", 0o755)
	ping.Caps = "cap_net_raw=ep"
	hard := rpmwrite.File{Path: "/usr/bin/two-again", HardLink: "/usr/bin/two", Mode: rpm.ModeRegular | 0o755}
	ghost := rpmwrite.File{Path: "/etc/ghost", Mode: rpm.ModeRegular | 0o644, Flags: rpm.FileGhost}
	doc := file("/usr/share/doc/tools/README", 0o644)
	doc.Flags = rpm.FileDoc
	german := file("/usr/share/locale/de/tools.mo", 0o644)
	german.Lang = "de"
	long := "/usr/share/" + strings.Repeat("long", 50)
	mail := file("/etc/mail", 0o640)
	mail.Group = "mail"
	return []rpmwrite.Spec{
		{Name: "filesystem", Files: []rpmwrite.File{
			dir("/", 0o555), dir("/usr", 0o755), dir("/usr/bin", 0o755), dir("/usr/lib", 0o755), dir("/tmp", 0o1777), dir("/root", 0o550),
			dir("/etc", 0o755), rpmwrite.Symlink("/bin", "usr/bin"), rpmwrite.Symlink("/lib", "usr/lib"), rpmwrite.Symlink("/var/run", "../run"),
		}},
		{Name: "setup", Files: []rpmwrite.File{
			rpmwrite.Text("/etc/passwd", "root:x:0:0::/root:/bin/sh\n"), rpmwrite.Text("/etc/group", "root:x:0:\nmail:x:12:\n"),
		}},
		{Name: "tools", Requires: requires("setup"), SourceRPM: "tools-1-1.src.rpm", Files: []rpmwrite.File{
			su, ping, file("/usr/bin/two", 0o755), hard, rpmwrite.Symlink("/usr/bin/three", "two"), ghost, mail,
			dir("/usr/share/doc/tools", 0o755), doc, german, file(long, 0o644), file("/usr/share/ünïcode", 0o644),
		}},
		{Name: "tools-libs", Requires: requires("filesystem"), SourceRPM: "tools-1-1.src.rpm", Files: []rpmwrite.File{
			file("/lib/libtools.so", 0o755), rpmwrite.Symlink("/lib/libtools.so.1", "libtools.so"), dir("/usr/lib/tools", 0o750), file("/usr/lib/tools/x", 0o644),
		}},
		{Name: "root-things", Files: []rpmwrite.File{file("/root/.profile", 0o600), file("/tmp/x", 0o644)}},
	}
}

func TestLayerListing(t *testing.T) {
	img := base(t, builder(t), build(t, sample()...))
	var got []string
	layers, _ := img.Layers()
	for _, l := range layers[:len(layers)-1] {
		got = append(append(got, listing(t, l)...), "")
	}
	golden(t, "listing.txt", strings.Join(got, "\n"))
}

// golden holds text against a file of testdata; SLIPWAY_UPDATE=1 writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("SLIPWAY_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("differs from %s:\n%s", path, diff)
	}
}

// TestSameDigest builds the same image in every way that must not matter.
func TestSameDigest(t *testing.T) {
	packages := build(t, append(sample(), shell(t), talkative("a"), talkative("b"))...)
	shuffled := slices.Clone(packages)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, c := range []layer.Compression{layer.Gzip, layer.Zstd} {
		var want string
		for _, run := range []struct {
			name     string
			workers  int
			packages []image.BasePackage
		}{{"first", 2, packages}, {"one worker", 1, packages}, {"shuffled", 3, shuffled}} {
			b := builder(t)
			b.Workers = run.workers
			img, err := b.Base(t.Context(), image.BaseSpec{Packages: run.packages, Arch: "x86_64", Options: image.Options{Compression: c}})
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Image(img); err != nil && c == layer.Gzip { // it reads nothing else
				t.Errorf("%s, %s: %v", c, run.name, err)
			}
			got := digest(t, img)
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%s, %s: digest %s, want %s", c, run.name, got, want)
			}
			again, err := b.Base(t.Context(), image.BaseSpec{Packages: run.packages, Arch: "x86_64", Options: image.Options{Compression: c}})
			if err != nil || digest(t, again) != want {
				t.Errorf("%s, %s: from the cache %v, %v", c, run.name, digest(t, again), err)
			}
		}
	}
}

// TestOneUpdate updates one package: one layer and the database change, the fragments of its
// neighbours are taken over, and the result is that of a build from nothing.
func TestOneUpdate(t *testing.T) {
	specs := append(sample(), rpmwrite.Spec{Name: "neighbour", SourceRPM: "tools-1-1.src.rpm", Files: []rpmwrite.File{rpmwrite.Text("/usr/n", "n")}})
	before := build(t, specs...)
	specs[3].Files = append(specs[3].Files, rpmwrite.Text("/usr/lib/tools/new", "new"))
	after := build(t, specs...)
	b := builder(t)
	first, second := base(t, b, before), base(t, b, after)
	var changed int
	have := map[v1.Hash]bool{}
	for _, l := range first.BlobLayers() {
		d, _ := l.Digest()
		have[d] = true
	}
	for _, l := range second.BlobLayers() {
		if d, _ := l.Digest(); !have[d] {
			changed++
		}
	}
	if changed != 2 {
		t.Errorf("%d layers changed, want the package's and the database's", changed)
	}
	if fresh := base(t, builder(t), after); digest(t, fresh) != digest(t, second) {
		t.Error("the updated image differs from one that is built from nothing")
	}
}

func TestDamagedCache(t *testing.T) {
	packages := build(t, sample()...)
	b := builder(t)
	want := digest(t, base(t, b, packages))
	for _, damage := range []func(path string) error{
		func(path string) error { return os.Truncate(path, 10) },
		os.Remove,
	} {
		blobs, err := filepath.Glob(filepath.Join(b.Cache.Root(), "layer", "*", "*", "blob"))
		if err != nil || len(blobs) == 0 {
			t.Fatalf("no blobs: %v", err)
		}
		for _, path := range blobs {
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
		}
		if got := digest(t, base(t, b, packages)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestFilter leaves out documentation and languages, and has rpm say what it makes of that.
func TestFilter(t *testing.T) {
	oracle.Need(t, "rpm", "umoci")
	packages := build(t, sample()...)
	img, err := builder(t).Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64", Options: image.Options{NoDocs: true, Languages: []string{"en_US"}}})
	if err != nil {
		t.Fatal(err)
	}
	layers, _ := img.Layers()
	for _, l := range layers {
		for _, line := range listing(t, l) {
			if strings.Contains(line, "doc/tools") || strings.Contains(line, "tools.mo") {
				t.Errorf("is there: %s", line)
			}
		}
	}
	states := func(root string) string {
		out, err := exec.Command("rpm", "--root", root, "--dbpath", "/var/lib/rpm", "-qas").CombinedOutput()
		if err != nil {
			t.Errorf("rpm -qas: %v\n%s", err, out)
		}
		lines := strings.Split(string(out), "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	theirs := installed(t, packages, "--excludedocs", "--define", "_install_langs en_US")
	if diff := cmp.Diff(states(theirs), states(unpacked(t, img))); diff != "" {
		t.Errorf("states differ (-rpm +ours):\n%s", diff)
	}
}

// TestReaders has other programs read an image.
func TestReaders(t *testing.T) {
	oracle.Need(t, "umoci", "skopeo", "rpm")
	if os.Geteuid() != 0 {
		t.Skip("rpm --root needs root")
	}
	img := base(t, builder(t), build(t, append(sample(), shell(t), talkative("a"))...))
	root := unpacked(t, img)
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	if got := strings.Fields(run("rpm", "--root", root, "--dbpath", "/var/lib/rpm", "-qa", "--qf", "%{NAME}\n")); len(got) != 7 {
		t.Errorf("rpm -qa: %q", got)
	}
	if got := run("rpm", "--root", root, "--dbpath", "/var/lib/rpm", "-Va", "--nodeps", "--noscripts"); got != "" {
		t.Errorf("rpm -Va: %s", got)
	}
	dir := t.TempDir()
	if err := image.WriteLayout(dir, "1", img); err != nil {
		t.Fatal(err)
	}
	if got := run("skopeo", "inspect", "oci:"+dir+":1"); !strings.Contains(got, digest(t, img)) {
		t.Errorf("skopeo: %s", got)
	}
}

func TestDatabaseLocation(t *testing.T) {
	file := func(t *testing.T, options image.Options, specs ...rpmwrite.Spec) []string {
		img, err := builder(t).Base(t.Context(), image.BaseSpec{Packages: build(t, specs...), Arch: "x86_64", Options: options})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, line := range listing(t, layerOf(t, img, "RPM database")) {
			if line[0] != '5' {
				out = append(out, strings.Join(strings.Fields(line)[4:], " "))
			}
		}
		for i := range out {
			out[i], _, _ = strings.Cut(out[i], ` "`)
		}
		return out
	}
	small := rpmwrite.Spec{Name: "x", Files: []rpmwrite.File{rpmwrite.Text("/x", "x")}}
	newer := rpmwrite.Spec{Name: "rpm", EVR: rpm.EVR{Version: "4.20.1", Release: "1"}, Files: []rpmwrite.File{rpmwrite.Dir("/usr/lib/sysimage/rpm")}}
	older := rpmwrite.Spec{Name: "rpm", EVR: rpm.EVR{Version: "4.16.1", Release: "1"}, Files: []rpmwrite.File{rpmwrite.Dir("/var/lib/rpm")}}
	linked := rpmwrite.Spec{Name: "rpm", EVR: rpm.EVR{Version: "4.20.1", Release: "1"}, Files: []rpmwrite.File{
		rpmwrite.Dir("/usr/lib/sysimage/rpm"), rpmwrite.Symlink("/var/lib/rpm", "../../usr/lib/sysimage/rpm")}}
	for _, c := range []struct {
		name    string
		options image.Options
		specs   []rpmwrite.Spec
		want    []string
	}{
		{"no rpm", image.Options{}, []rpmwrite.Spec{small}, []string{"var/lib/rpm/rpmdb.sqlite"}},
		{"old", image.Options{}, []rpmwrite.Spec{older}, []string{"var/lib/rpm/rpmdb.sqlite"}},
		{"new", image.Options{}, []rpmwrite.Spec{newer}, []string{"var/lib/rpm -> ../../usr/lib/sysimage/rpm", "usr/lib/sysimage/rpm/rpmdb.sqlite"}},
		{"new with link", image.Options{}, []rpmwrite.Spec{linked}, []string{"usr/lib/sysimage/rpm/rpmdb.sqlite"}},
		{"asked for", image.Options{DBPath: "/opt/db"}, []rpmwrite.Spec{older}, []string{"opt/db/rpmdb.sqlite"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, file(t, c.options, c.specs...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefusedPackages(t *testing.T) {
	text := rpmwrite.Text
	device := rpmwrite.File{Path: "/dev/sda", Mode: rpm.ModeBlock | 0o600, Rdev: 8 << 8}
	badCaps := text("/usr/bin/x", "x")
	badCaps.Caps = "cap_nonsense=ep"
	for name, c := range map[string]struct {
		specs []rpmwrite.Spec
		want  string
	}{
		"nothing":       {nil, "no packages"},
		"deletion":      {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{text("/usr/.wh.bin", "")}}}, "package x-1-1.noarch: file path \"/usr/.wh.bin\""},
		"deletions":     {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{text("/usr/.wh..wh..opq", "")}}}, "deletion"},
		"in a deletion": {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{text("/usr/.wh.bin/x", "")}}}, "deletion"},
		"device":        {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{device}}}, "device node"},
		"capability":    {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{badCaps}}}, "cap_nonsense"},
		"old rpm":       {[]rpmwrite.Spec{{Name: "rpm", EVR: rpm.EVR{Version: "4.14.3", Release: "1"}}}, "Berkeley"},
		"file in file":  {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{text("/a", "1")}}, {Name: "y", Files: []rpmwrite.File{text("/a/b", "2")}}}, "/a"},
		"folder and file": {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{text("/a", "1")}}, {Name: "y", Files: []rpmwrite.File{rpmwrite.Dir("/a")}}},
			"different files"},
		"path twice": {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{text("/a", "1"), text("/b", "2")}, Hostile: rpmwrite.Hostile{
			Header: []rpm.Entry{rpm.StringArrayEntry(rpm.TagBaseNames, []string{"a", "a"})}}}}, "/a"},
		"huge file": {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{text("/a", "1")}, Hostile: rpmwrite.Hostile{
			Header: []rpm.Entry{rpm.Int64Entry(rpm.TagLongFileSizes, 10<<30)}, Drop: []rpm.Tag{rpm.TagFileSizes}}}}, "its files have more than"},
		"through a link of its own": {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{rpmwrite.Symlink("/a", "../../../../etc"), text("/a/passwd", "1")}},
			{Name: "y", Files: []rpmwrite.File{text("/etc/passwd", "2")}}}, "different files as /etc/passwd"},
		"link loop": {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{rpmwrite.Symlink("/a", "b"), rpmwrite.Symlink("/b", "a")}},
			{Name: "y", Files: []rpmwrite.File{text("/a/f", "2")}}}, "symbolic links"},
		"content differs": {[]rpmwrite.Spec{{Name: "x", Files: []rpmwrite.File{text("/a", "1")}, Hostile: rpmwrite.Hostile{Content: map[string][]byte{"/a": []byte("2")}}}}, "package x-1-1.noarch"},
		"payload lacks a file": {[]rpmwrite.Spec{{Name: "x", Compression: "none", Files: []rpmwrite.File{text("/a", "1")}, Hostile: rpmwrite.Hostile{
			Payload: []byte("070701" + strings.Repeat("00000000", 11) + "0000000B" + "00000000" + "TRAILER!!!\x00\x00\x00\x00")}}}, "package x-1-1.noarch"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := builder(t).Base(t.Context(), image.BaseSpec{Packages: build(t, c.specs...), Arch: "x86_64"})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestConflict(t *testing.T) {
	packages := build(t,
		rpmwrite.Spec{Name: "x", Files: []rpmwrite.File{rpmwrite.Text("/lib/f", "1"), rpmwrite.Symlink("/lib", "usr/lib")}},
		rpmwrite.Spec{Name: "y", Files: []rpmwrite.File{rpmwrite.Text("/usr/lib/f", "2")}})
	_, err := builder(t).Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64"})
	var conflict *layer.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("got %v", err)
	}
	if want := (layer.ConflictError{Path: "/usr/lib/f", First: "y-1-1.noarch", Second: "x-1-1.noarch"}); *conflict != want {
		t.Errorf("got %+v, want %+v", *conflict, want)
	}
}

// TestSameAsRPM holds an image against a root that rpm made of the same packages.
func TestSameAsRPM(t *testing.T) {
	oracle.Need(t, "rpm", "umoci")
	// The file that two packages share is that of the one that is installed first.
	shared := func(name, path string, time int64, needs ...string) rpmwrite.Spec {
		f := rpmwrite.Text(path, "shared")
		f.ModTime = time
		return rpmwrite.Spec{Name: name, Files: []rpmwrite.File{f}, Requires: requires(needs...)}
	}
	packages := build(t, append(sample(), shell(t), talkative("a"), needing(talkative("b"), requires("a")...),
		shared("s1", "/usr/share/s", 1), shared("s2", "/usr/share/s", 2, "s1"),
		shared("t1", "/usr/share/t", 1, "t2"), shared("t2", "/usr/share/t", 2))...)
	want, got := survey(t, installed(t, packages)), survey(t, unpacked(t, base(t, builder(t), packages)))
	for _, path := range slices.Sorted(keys(want, got)) {
		if want[path] != got[path] && !expected(path, want[path], got[path], buildTime) {
			t.Errorf("%s\n  rpm:  %s\n  ours: %s", path, want[path], got[path])
		}
	}
}
