package rpm_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

const built = 1_700_000_000

// signer makes a key once for all tests that sign.
var signer = sync.OnceValues(func() (*rpmwrite.Signer, error) {
	return rpmwrite.NewEd25519Signer("Test Key <test@example.com>", time.Unix(built, 0))
})

func testSigner(t testing.TB) *rpmwrite.Signer {
	t.Helper()
	s, err := signer()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sample is a package with one of everything that a header can say.
func sample(t testing.TB) rpmwrite.Spec {
	return rpmwrite.Spec{
		Name: "sample", EVR: rpm.EVR{Epoch: 2, Version: "1.0~rc1", Release: "3.fc43"}, Arch: "x86_64",
		Summary: "A sample", Description: "A sample\nin two lines.", License: "MIT", URL: "https://example.com",
		BuildTime: built, SourceRPM: "sample-1.0~rc1-3.fc43.src.rpm",
		Provides:    deps(t, "virtual", "sample-api = 2"),
		Requires:    append(deps(t, "libc.so.6(GLIBC_2.34)(64bit)", "foo >= 1:2-3", "(a or b)", "/usr/bin/env"), rpm.Dependency{Name: "early", Sense: rpm.Pre}),
		Conflicts:   deps(t, "bad < 2"),
		Obsoletes:   deps(t, "old <= 1-1"),
		Recommends:  deps(t, "nice"),
		Suggests:    deps(t, "maybe"),
		Supplements: deps(t, "(x if y)"),
		Enhances:    deps(t, "other"),
		Files: []rpmwrite.File{
			rpmwrite.Dir("/etc/sample"),
			{Path: "/etc/sample/conf", Mode: 0o640, Group: "adm", ModTime: 1_600_000_000, Flags: rpm.FileConfig | rpm.FileNoReplace, Content: rpmwrite.Bytes([]byte("key = value\n")), Size: 12},
			{Path: "/usr/bin/sample", Mode: 0o4755, Caps: "cap_net_raw=ep", Content: rpmwrite.Bytes([]byte("#!/bin/sh\n")), Size: 10},
			rpmwrite.Symlink("/usr/bin/link", "sample"),
			rpmwrite.Text("/usr/share/sample/a", "shared"),
			{Path: "/usr/share/sample/b", HardLink: "/usr/share/sample/a"},
			{Path: "/usr/share/sample/c", HardLink: "/usr/share/sample/a"},
			{Path: "/usr/share/sample/empty"},
			{Path: "/usr/share/locale/de/x.mo", Lang: "de", Content: rpmwrite.Bytes([]byte("de")), Size: 2},
			{Path: "/usr/share/doc/sample", Flags: rpm.FileDoc, Content: rpmwrite.Bytes([]byte("doc")), Size: 3},
			{Path: "/var/log/sample", Flags: rpm.FileGhost},
			{Path: "/dev/sample", Mode: rpm.ModeChar | 0o600, Rdev: 5<<8 | 7},
		},
		Scripts: []rpm.Script{
			{Kind: rpm.ScriptPreTrans, Program: []string{"<lua>"}, Body: "print('pretrans')"},
			{Kind: rpm.ScriptPost, Body: "echo post $1\n", Flags: rpm.ScriptExpand},
			{Kind: rpm.ScriptPreUn, Program: []string{"/bin/sh", "-e"}, Body: "true"},
			{Kind: rpm.ScriptPostUn, Program: []string{"/sbin/ldconfig"}},
			{Kind: rpm.ScriptTriggerIn, Body: "echo in", Conditions: deps(t, "bar", "foo < 2")},
			{Kind: rpm.ScriptTriggerPostUn, Program: []string{"<lua>"}, Body: "print(1)", Conditions: deps(t, "bar = 1:1-1")},
			{Kind: rpm.ScriptFileTriggerIn, Body: "cat", Conditions: deps(t, "/usr/lib", "/usr/lib64"), Priority: 5},
			{Kind: rpm.ScriptTransFileTriggerIn, Body: "ldconfig", Conditions: deps(t, "/usr/lib"), Priority: rpm.DefaultPriority},
			{Kind: rpm.ScriptTransFileTriggerPostUn, Body: "ldconfig", Conditions: deps(t, "/usr/lib"), Priority: rpm.DefaultPriority},
		},
	}
}

func pack(t testing.TB, spec rpmwrite.Spec) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := rpmwrite.Write(&b, spec); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t testing.TB, data []byte) *rpm.Package {
	t.Helper()
	p, err := rpm.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func texts(list []rpm.Dependency) []string {
	var all []string
	for _, d := range list {
		all = append(all, d.String())
	}
	return all
}

func TestPackageIdentity(t *testing.T) {
	p := read(t, pack(t, sample(t)))
	if got, want := p.NEVRA().String(), "sample-2:1.0~rc1-3.fc43.x86_64"; got != want {
		t.Errorf("NEVRA = %s, want %s", got, want)
	}
	if p.IsSource() {
		t.Error("it is a source package")
	}
	if got, want := p.SourceRPM(), "sample-1.0~rc1-3.fc43.src.rpm"; got != want {
		t.Errorf("SourceRPM = %s, want %s", got, want)
	}
	if got, want := p.InstalledSize(), int64(12+10+6+2+3+len("sample")); got != want {
		t.Errorf("InstalledSize = %d, want %d", got, want)
	}
	if got := p.I18N(rpm.TagDescription); got != "A sample\nin two lines." {
		t.Errorf("description %q", got)
	}
}

func TestPackageDependencies(t *testing.T) {
	p := read(t, pack(t, sample(t)))
	for _, test := range []struct {
		kind string
		got  []rpm.Dependency
		want []string
	}{
		{"Provides", p.Provides(), []string{"config(sample) = 2:1.0~rc1-3.fc43", "sample = 2:1.0~rc1-3.fc43", "sample(x86-64) = 2:1.0~rc1-3.fc43", "sample-api = 2", "virtual"}},
		{"Conflicts", p.Conflicts(), []string{"bad < 2"}},
		{"Obsoletes", p.Obsoletes(), []string{"old <= 1-1"}},
		{"Recommends", p.Recommends(), []string{"nice"}},
		{"Suggests", p.Suggests(), []string{"maybe"}},
		{"Supplements", p.Supplements(), []string{"(x if y)"}},
		{"Enhances", p.Enhances(), []string{"other"}},
	} {
		if diff := cmp.Diff(test.want, texts(test.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.kind, diff)
		}
	}
	for _, d := range p.Requires() {
		if d.Name == "early" && d.Sense != rpm.Pre {
			t.Errorf("%s has flags %x", d, d.Sense)
		}
	}
}

// TestPackageOracle holds what is read against what rpm reads.
func TestPackageOracle(t *testing.T) {
	oracle.Need(t, "rpm")
	path := filepath.Join(t.TempDir(), "sample.rpm")
	if err := rpmwrite.WriteFile(path, sample(t)); err != nil {
		t.Fatal(err)
	}
	p, err := rpm.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	query := func(args ...string) []string {
		out, err := exec.Command("rpm", append([]string{"--define", "_dbpath " + t.TempDir(), "-qp"}, append(args, path)...)...).Output()
		if err != nil {
			t.Fatalf("rpm %v: %v", args, err)
		}
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	for _, test := range []struct {
		format string
		got    []rpm.Dependency
	}{
		{"PROVIDE", p.Provides()}, {"REQUIRE", p.Requires()}, {"CONFLICT", p.Conflicts()}, {"OBSOLETE", p.Obsoletes()},
		{"RECOMMEND", p.Recommends()}, {"SUGGEST", p.Suggests()}, {"SUPPLEMENT", p.Supplements()}, {"ENHANCE", p.Enhances()},
	} {
		var got []string
		for _, d := range test.got {
			got = append(got, fmt.Sprintf("%d %s", d.Sense, d))
		}
		want := query("--qf", "[%{"+test.format+"FLAGS} %{"+test.format+"NEVRS}\n]")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-rpm +got):\n%s", test.format, diff)
		}
	}
	files, err := p.Files()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range files {
		f := &files[i]
		got = append(got, fmt.Sprintf("%s %o %s %s %d %d %s %s %d %d %s %s %d", f.Path, f.Mode, f.Owner, f.Group, f.Size, f.ModTime,
			f.Digest, f.Link, f.Flags, f.VerifyFlags, f.Lang, f.Caps, max(1, len(f.HardLinks))))
	}
	want := query("--qf", "[%{FILENAMES} %{FILEMODES:octal} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILESIZES} %{FILEMTIMES} "+
		"%{FILEDIGESTS} %{FILELINKTOS} %{FILEFLAGS} %{FILEVERIFYFLAGS} %{FILELANGS} %{FILECAPS} %{FILENLINKS}\n]")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-rpm +got):\n%s", diff)
	}
}

func TestScripts(t *testing.T) {
	spec := sample(t)
	p := read(t, pack(t, spec))
	got, err := p.Scripts()
	if err != nil {
		t.Fatal(err)
	}
	want := spec.Scripts
	for i := range want {
		if len(want[i].Program) == 0 {
			want[i].Program = []string{"/bin/sh"}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scripts (-want +got):\n%s", diff)
	}
	if got[0].Kind.String() != "%pretrans" || !got[0].IsLua() || got[1].IsLua() {
		t.Errorf("%s runs in Lua: %v", got[0].Kind, got[0].IsLua())
	}
}

func TestScriptFaults(t *testing.T) {
	for name, entries := range map[string][]rpm.Entry{
		"index beyond the scripts": {rpm.Int32Entry(rpm.TagTriggerIndex, 0, 0, 9)},
		"index missing":            {rpm.Int32Entry(rpm.TagTriggerIndex, 0)},
		"no kind":                  {rpm.Int32Entry(rpm.TagTriggerFlags, 0, 0, 0)},
		"two kinds":                {rpm.Int32Entry(rpm.TagTriggerFlags, uint32(rpm.TriggerIn), uint32(rpm.TriggerUn), uint32(rpm.TriggerIn)), rpm.Int32Entry(rpm.TagTriggerIndex, 0, 0, 1)},
		"no condition":             {rpm.Int32Entry(rpm.TagTriggerIndex, 0, 0, 0)},
		"interpreters missing":     {rpm.StringArrayEntry(rpm.TagTriggerScriptProg, []string{"/bin/sh"})},
		"prein on files":           {rpm.Int32Entry(rpm.TagFileTriggerFlags, uint32(rpm.TriggerPreIn), uint32(rpm.TriggerPreIn))},
	} {
		spec := sample(t)
		spec.Hostile.Header = entries
		var fault *rpm.FormatError
		if got, err := read(t, pack(t, spec)).Scripts(); !errors.As(err, &fault) {
			t.Errorf("%s: scripts are %v, %v", name, got, err)
		}
	}
}

// TestReadFaults cuts and changes a package at every place where a reader could
// trip.
func TestReadFaults(t *testing.T) {
	good := pack(t, sample(t))
	p := read(t, good)
	for n := range int(p.HeaderEnd) {
		if _, err := rpm.Read(bytes.NewReader(good[:n]), int64(n)); err == nil {
			t.Fatalf("cut after %d bytes it is still read", n)
		}
	}
	for _, n := range []int{0, 4, 96, 96 + 3, int(p.HeaderStart), int(p.HeaderStart) + 8} {
		bad := bytes.Clone(good)
		bad[n] ^= 0xff
		var fault *rpm.FormatError
		if _, err := rpm.Read(bytes.NewReader(bad), int64(len(bad))); !errors.As(err, &fault) {
			t.Errorf("changed at %d: %v", n, err)
		}
	}
	if _, err := rpm.Open(filepath.Join(t.TempDir(), "none.rpm")); err == nil {
		t.Error("a file that is not there is opened")
	}
	if _, err := rpm.Read(failingReader{}, 1<<20); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("a disk's error becomes %v", err)
	}
}

type failingReader struct{}

func (failingReader) ReadAt([]byte, int64) (int, error) { return 0, errors.New("disk on fire") }

func TestReadHostileIdentity(t *testing.T) {
	for name, h := range map[string]rpmwrite.Hostile{
		"no name":           {Drop: []rpm.Tag{rpm.TagName}},
		"no version":        {Drop: []rpm.Tag{rpm.TagVersion}},
		"path in name":      {Header: []rpm.Entry{rpm.StringEntry(rpm.TagName, "../../etc/x")}},
		"hyphen in version": {Header: []rpm.Entry{rpm.StringEntry(rpm.TagVersion, "1-2")}},
		"newline in arch":   {Header: []rpm.Entry{rpm.StringEntry(rpm.TagArch, "x86\n64")}},
		"name of numbers":   {Header: []rpm.Entry{rpm.Int32Entry(rpm.TagName, 1)}},
		"very long name":    {Header: []rpm.Entry{rpm.StringEntry(rpm.TagName, strings.Repeat("x", 300))}},
	} {
		spec := sample(t)
		spec.Hostile = h
		data := pack(t, spec)
		var fault *rpm.FormatError
		if _, err := rpm.Read(bytes.NewReader(data), int64(len(data))); !errors.As(err, &fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRead reads whatever a mutated package holds, to the end.
func FuzzRead(f *testing.F) {
	for _, compression := range []string{"none", "gzip", "zstd"} {
		spec := sample(f)
		spec.Compression = compression
		f.Add(pack(f, spec))
	}
	spec := sample(f)
	spec.Compression, spec.LargeFiles = "none", true
	f.Add(pack(f, spec))
	keys, err := rpm.ParseKeys(testSigner(f).PublicKey())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := rpm.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		p.Scripts()
		p.Provides()
		p.Requires()
		if _, err := p.Verify(keys); err == nil {
			t.Error("an unsigned package is verified")
		}
		files, err := p.Files()
		if err != nil {
			return
		}
		var allowed int64
		for i := range files {
			allowed += files[i].Size
		}
		payload, err := p.Payload()
		if err != nil {
			return
		}
		defer payload.Close()
		var total int64
		for {
			_, content, err := payload.Next()
			if err != nil {
				break
			}
			n, err := io.Copy(io.Discard, content)
			if total += n; total > allowed {
				t.Fatalf("%d bytes come out where the header allows %d", total, allowed)
			}
			if err != nil {
				break
			}
		}
	})
}
