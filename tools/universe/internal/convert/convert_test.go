package convert

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
	"github.com/slipway-build/slipway/tools/universe/internal/debtest"
)

// specs converts packages and gives the results by name.
func specs(t *testing.T, opts Options, packages ...debtest.Package) map[string]rpmwrite.Spec {
	t.Helper()
	all, err := trySpecs(t, opts, packages...)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]rpmwrite.Spec{}
	for _, spec := range all {
		byName[spec.Name+strings.TrimPrefix(spec.EVR.Release, "1")] = spec
		byName[spec.Name] = spec
	}
	return byName
}

func trySpecs(t *testing.T, opts Options, packages ...debtest.Package) ([]rpmwrite.Spec, error) {
	t.Helper()
	var debs []*debian.Deb
	for _, p := range packages {
		deb, err := debian.Open(t.Context(), debtest.Build(t, p), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = deb.Close() })
		debs = append(debs, deb)
	}
	return Specs(debs, opts)
}

func texts(list []rpm.Dependency) []string {
	out := []string{}
	for _, d := range list {
		out = append(out, d.String())
	}
	return out
}

func file(t *testing.T, spec rpmwrite.Spec, path string) rpmwrite.File {
	t.Helper()
	i := slices.IndexFunc(spec.Files, func(f rpmwrite.File) bool { return f.Path == path })
	if i < 0 {
		t.Fatalf("%s does not hold %s", spec.Name, path)
	}
	return spec.Files[i]
}

func content(t *testing.T, f rpmwrite.File) string {
	t.Helper()
	r, err := f.Content()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var (
	thing = debtest.Package{
		Control: "Package: thing\nVersion: 1:1.0-2+deb12u1\nSection: utils\nHomepage: https://thing.example/\n" +
			"Description: does things\n Well.\n .\n Mostly.\n" +
			"Depends: library (>= 1.2), library (<< 1.3~), awk | original-awk, debconf (>= 1) | debconf-2.0\n" +
			"Recommends: extra | other\nBreaks: library (<< 1.0), gone (<< 2.0-1), awk (<< 3)\nReplaces: gone\nConflicts: rival, third\n",
		Files: map[string]string{
			"/bin/thing": "#!/bin/interp -x\n", "/usr/bin/env-thing": "#!/usr/bin/nowhere\n", "/etc/thing.conf": "a=1\n",
			"/usr/share/doc/thing/copyright": "free\n", "/usr/share/doc/thing/README": "#!/bin/interp\n",
			"/usr/share/locale/de/LC_MESSAGES/thing.mo": "", "/usr/share/thing/data": "1",
			"/usr/lib/python3/dist-packages/Thing_One-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Thing.One\nVersion: 1.0.0rc1\n\nText\n",
		},
		Modes:   map[string]os.FileMode{"/bin/thing": 0o755, "/usr/bin/env-thing": 0o755, "/usr/share/doc/thing/README": 0o755},
		Links:   map[string]string{"/usr/bin/thing": "/bin/thing", "/lib/thing/helper": "../../usr/share/thing/data"},
		Scripts: map[string]string{"conffiles": "/etc/thing.conf\n"},
	}
	library = debtest.Package{
		Control: "Package: library\nVersion: 1.2\nProvides: virtual-library (= 1.2), rival\n",
		Files:   map[string]string{"/bin/interp": "", "/usr/share/thing/more": "2"},
	}
	awk = debtest.Package{
		Control: "Package: mawk\nVersion: 1\nProvides: awk\n",
		Files:   map[string]string{"/usr/bin/mawk": "", "/usr/share/man/man1/mawk.1.gz": ""},
		Scripts: map[string]string{"postinst": "#!/bin/sh\nupdate-alternatives --quiet \\\n  --install /usr/bin/awk awk /usr/bin/mawk 5 \\\n" +
			"  --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz\n"},
	}
	gawk = debtest.Package{
		Control: "Package: gawk\nVersion: 1\nProvides: awk\n",
		Files:   map[string]string{"/usr/bin/gawk": ""},
		Scripts: map[string]string{"postinst": "#!/bin/sh\nupdate-alternatives --install /usr/bin/awk awk /usr/bin/gawk 10\n"},
	}
)

func TestDependencies(t *testing.T) {
	skip := []string{"debconf"}
	plain := specs(t, Options{Skip: skip}, thing, library, awk)["thing"]
	if got, want := texts(plain.Requires), []string{"/bin/interp", "awk", "library < 1.3~-0", "library >= 1.2-0"}; !slices.Equal(got, want) {
		t.Errorf("requires %q, want %q", got, want)
	}
	if got, want := texts(plain.Provides), []string{"/bin/thing", "python3.11dist(thing-one) = 1~rc1", "python3dist(thing-one) = 1~rc1"}; !slices.Equal(got, want) {
		t.Errorf("provides %q, want %q", got, want)
	}
	// awk and rival are provided by others, so that a conflict would hit these.
	if got, want := texts(plain.Conflicts), []string{"gone < 2.0-1", "library < 1.0-0", "third"}; !slices.Equal(got, want) {
		t.Errorf("conflicts %q, want %q", got, want)
	}
	if len(plain.Recommends)+len(plain.Obsoletes) > 0 {
		t.Errorf("recommends %q, obsoletes %q", texts(plain.Recommends), texts(plain.Obsoletes))
	}

	rich := specs(t, Options{Skip: skip, Rich: true}, thing, library, awk)["thing"]
	if got := texts(rich.Requires); !slices.Contains(got, "(awk or original-awk)") {
		t.Errorf("requires %q", got)
	}
	if got, want := texts(rich.Recommends), []string{"(extra or other)"}; !slices.Equal(got, want) {
		t.Errorf("recommends %q, want %q", got, want)
	}
	if got, want := texts(rich.Obsoletes), []string{"gone < 2.0-1"}; !slices.Equal(got, want) {
		t.Errorf("obsoletes %q, want %q", got, want)
	}
}

func TestFiles(t *testing.T) {
	all := specs(t, Options{Skip: []string{"debconf"}}, thing, library, awk)
	spec := all["thing"]
	if spec.EVR.String() != "1:1.0-2+deb12^u1" || spec.Arch != "noarch" || spec.SourceRPM != "thing-1.0-2+deb12^u1.src.rpm" ||
		spec.Description != "Well.\n\nMostly." || spec.BuildTime != 1_700_000_000 {
		t.Errorf("%s %s from %s, built at %d: %q", spec.EVR, spec.Arch, spec.SourceRPM, spec.BuildTime, spec.Description)
	}
	if f := file(t, spec, "/usr/bin/thing"); f.Mode != rpm.ModeRegular|0o755 || content(t, f) != "#!/bin/interp -x\n" {
		t.Errorf("the program that a link pointed to became %o %q", f.Mode, f.Link)
	}
	if f := file(t, spec, "/usr/lib/thing/helper"); f.Link != "../../share/thing/data" {
		t.Errorf("the link that moved leads to %s", f.Link)
	}
	for path, want := range map[string]rpm.FileFlags{
		"/etc/thing.conf": rpm.FileConfig | rpm.FileNoReplace, "/usr/share/doc/thing/copyright": rpm.FileLicense,
		"/usr/share/doc/thing/README": rpm.FileDoc, "/usr/share/thing/data": 0,
	} {
		if got := file(t, spec, path).Flags; got != want {
			t.Errorf("%s has flags %b, want %b", path, got, want)
		}
	}
	if got := file(t, spec, "/usr/share/locale/de/LC_MESSAGES/thing.mo").Lang; got != "de" {
		t.Errorf("the catalogue's language is %q", got)
	}
	if link := file(t, all["filesystem"], "/lib64"); link.Link != "usr/lib64" {
		t.Errorf("/lib64 leads to %q", link.Link)
	}
	file(t, all["filesystem"], "/usr/share/thing") // two packages share it
	file(t, spec, "/usr/share/doc/thing")          // one package alone has it
	if f := file(t, all["mawk"], "/usr/bin/awk"); f.Link != "mawk" {
		t.Errorf("awk leads to %q", f.Link)
	}
	if len(all["mawk"].Scripts) > 0 {
		t.Error("a link that one package alone offers needs no script")
	}
}

func TestContestedAlternatives(t *testing.T) {
	for lua, program := range map[bool]string{false: "/bin/sh", true: "<lua>"} {
		all := specs(t, Options{Rich: lua}, awk, gawk)
		for _, name := range []string{"mawk", "gawk"} {
			scripts := all[name].Scripts
			if len(scripts) != 1 || scripts[0].Kind != rpm.ScriptPost || scripts[0].Program[0] != program || !strings.Contains(scripts[0].Body, "/usr/bin/awk") {
				t.Errorf("%s has scripts %+v", name, scripts)
			}
		}
	}
}

func TestAmendments(t *testing.T) {
	packages := []debtest.Package{}
	for _, name := range []string{"libc6", "libc-bin", "ca-certificates", "coreutils", "python3", "iputils-ping", "login", "passwd", "python3-waitress"} {
		packages = append(packages, debtest.Package{
			Control: "Package: " + name + "\nVersion: 1\n", Files: map[string]string{"/bin/ping": ""}})
		if name != "iputils-ping" {
			packages[len(packages)-1].Files = nil
		}
	}
	all := specs(t, Options{}, packages...)
	if got := texts(all["libc6"].Provides); !slices.Contains(got, "rtld(GNU_HASH)") || !slices.Contains(got, "glibc = 1-0") {
		t.Errorf("libc6 provides %q", got)
	}
	if f := file(t, all["iputils-ping"], "/usr/bin/ping"); f.Caps != "cap_net_raw=ep" {
		t.Errorf("ping has capabilities %q", f.Caps)
	}
	if f := file(t, all["libc-bin"], "/etc/ld.so.cache"); f.Flags&rpm.FileGhost == 0 {
		t.Error("the linker's cache is no ghost")
	}
	kinds := map[string]rpm.ScriptKind{
		"libc-bin": rpm.ScriptTransFileTriggerIn, "ca-certificates": rpm.ScriptPost, "python3-waitress": rpm.ScriptPre,
	}
	for name, kind := range kinds {
		if scripts := all[name].Scripts; len(scripts) == 0 || scripts[0].Kind != kind {
			t.Errorf("%s has scripts %+v", name, scripts)
		}
	}
	if got := all["ca-certificates"].Requires; !slices.Contains(got, rpm.Dependency{Name: "coreutils", Sense: rpm.Post}) {
		t.Errorf("ca-certificates requires %q", texts(got))
	}
	// The line in sysusers.d, padded so that its base64 has no "=".
	if got := texts(all["greeter-accounts"].Provides); len(got) != 2 || !strings.HasPrefix(got[1], "user(greeter) = dSBncmVldGVyIDEwMDE") || strings.HasSuffix(got[1], "=") {
		t.Errorf("greeter-accounts provides %q", got)
	}
	if got := texts(all["python3-devel"].Requires); !slices.Contains(got, "python(abi) = 3.11") {
		t.Errorf("python3-devel requires %q", got)
	}
}

func TestSetup(t *testing.T) {
	base := debtest.Package{
		Control: "Package: base-passwd\nVersion: 3\n",
		Files: map[string]string{
			"/usr/share/base-passwd/passwd.master": "root:*:0:0:root:/root:/bin/bash\nmail:*:8:8:mail:/var/mail:/usr/sbin/nologin\n",
			"/usr/share/base-passwd/group.master":  "root:*:0:\nmail:*:8:\n",
		},
	}
	all := specs(t, Options{Skip: []string{"base-passwd"}}, base)
	if _, ok := all["base-passwd"]; ok {
		t.Error("a skipped package was converted")
	}
	for path, want := range map[string]string{
		"/etc/passwd":  "root:x:0:0:root:/root:/bin/bash\nmail:x:8:8:mail:/var/mail:/usr/sbin/nologin\n",
		"/etc/group":   "root:x:0:\nmail:x:8:\n",
		"/etc/shadow":  "root:*:19000:0:99999:7:::\nmail:*:19000:0:99999:7:::\n",
		"/etc/gshadow": "root:*::\nmail:*::\n",
	} {
		if diff := cmp.Diff(want, content(t, file(t, all["setup"], path))); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestOlderBuilds(t *testing.T) {
	all := specs(t, Options{Older: []string{"library"}}, library)
	older, newer := all["library0~older"], all["library0"]
	if older.EVR.Compare(newer.EVR) >= 0 {
		t.Errorf("%s is not older than %s", older.EVR, newer.EVR)
	}
	if got, want := texts(older.Provides), []string{"/bin/interp", "rival", "virtual-library = 1.2-0~older"}; !slices.Equal(got, want) {
		t.Errorf("the older build provides %q, want %q", got, want)
	}
	if len(older.Files) != len(newer.Files) || len(older.Files) == 0 {
		t.Errorf("%d files, and %d in the older build", len(newer.Files), len(older.Files))
	}
}

func TestRefused(t *testing.T) {
	for name, test := range map[string]struct {
		packages []debtest.Package
		want     string
	}{
		"not closed": {[]debtest.Package{{Control: "Package: a\nVersion: 1\nDepends: b (>= 2)\n"}, {Control: "Package: b\nVersion: 1\n"}},
			"a requires b >= 2-0"},
		"same path": {[]debtest.Package{
			{Control: "Package: a\nVersion: 1\n", Files: map[string]string{"/bin/x": ""}},
			{Control: "Package: b\nVersion: 1\n", Files: map[string]string{"/usr/bin/x": ""}},
		}, "a and b both hold /usr/bin/x"},
		"twice": {[]debtest.Package{{Control: "Package: a\nVersion: 1\n", Files: map[string]string{"/bin/x": "", "/usr/bin/x": ""}}},
			"holds /usr/bin/x twice"},
		"architecture": {[]debtest.Package{{Control: "Package: a\nVersion: 1\nArchitecture: m68k\n"}}, "m68k"},
		"relation":     {[]debtest.Package{{Control: "Package: a\nVersion: 1\nProvides: B (= 1)\n"}}, "B (= 1)"},
	} {
		if _, err := trySpecs(t, Options{}, test.packages...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error that says %q", name, err, test.want)
		}
	}
}

func TestMergedLink(t *testing.T) {
	for _, test := range []struct{ from, target, want string }{
		{"/lib/x/libz.so", "libz.so.1", "libz.so.1"},
		{"/lib/x/libz.so", "../y/libz.so.1", "../y/libz.so.1"},
		{"/lib/x/libz.so", "../../usr/lib/y/z", "../y/z"},
		{"/bin/sh", "../usr/bin/dash", "dash"},
		{"/lib64/ld.so", "/lib/x/ld.so", "/lib/x/ld.so"},
		{"/usr/lib/x/libz.so", "../../../lib/x/libz.so.1", "../../../lib/x/libz.so.1"},
		{"/sbin/a", "../etc/alternatives/a", "../../etc/alternatives/a"},
	} {
		if got := mergedLink(test.from, test.target); got != test.want {
			t.Errorf("%s -> %s becomes %s, want %s", test.from, test.target, got, test.want)
		}
	}
}

func TestPythonEVR(t *testing.T) {
	for version, want := range map[string]string{
		"2.2.2": "2.2.2", "1.0": "1", "1.0.0": "1", "0.0": "0", "2022.09.24": "2022.9.24", "1!2.0": "1:2", "v1.2": "1.2",
		"1.0b1": "1~b1", "1.0.alpha-2": "1~a2", "1.0rc": "1~rc0", "1.0c3": "1~rc3", "1.0.dev5": "1~~dev5", "1.0.post2": "1^post2",
		"1.0-1": "1^post1", "1.0b1.dev2": "1~b1", "1.2+local.1": "1.2", "23.0.1+dfsg": "23.0.1", "1.0RC2": "1~rc2",
	} {
		if got, err := pythonEVR(version); err != nil || got.String() != want {
			t.Errorf("%s becomes %s, %v; want %s", version, got, err, want)
		}
	}
	for _, version := range []string{"", "x", "1.0-", "1..0", "1.0 (final)", "99999999999!1"} {
		if got, err := pythonEVR(version); err == nil {
			t.Errorf("%q becomes %s, want an error", version, got)
		}
	}
}
