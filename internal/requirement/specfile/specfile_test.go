package specfile_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/requirement/specfile"
	"github.com/slipway-build/slipway/internal/requirement/specfile/macroset"
)

// parse reads a spec for a release; the test fails when it passes a bound.
func parse(t testing.TB, text, release string) *specfile.Spec {
	t.Helper()
	s, err := specfile.Parse("x.spec", []byte(text), specfile.Options{Macros: macroset.Engine(macroset.Target{Release: release}, nil)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func texts(list []specfile.Dependency) []string {
	var out []string
	for _, d := range list {
		out = append(out, d.Text)
	}
	return out
}

func example(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/python-greet.spec")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPythonSpec(t *testing.T) {
	s := parse(t, example(t), "fedora-43")
	for _, d := range s.Diagnostics {
		t.Errorf("diagnostic: %s", d)
	}
	if s.Version != "1.2.3~rc1" || s.Release != "4.fc43" || s.Epoch != "1" {
		t.Errorf("epoch, version, release: %s %s %s", s.Epoch, s.Version, s.Release)
	}
	want := []string{"python3-devel", "gcc >= 4.8", "python3dist(pytest) >= 7", "tomcli"}
	if diff := cmp.Diff(want, texts(s.BuildRequires)); diff != "" {
		t.Errorf("build requirements (-want +got):\n%s", diff)
	}
	var names []string
	for _, pkg := range s.Packages {
		if pkg.Built {
			names = append(names, pkg.Name)
		}
	}
	if diff := cmp.Diff([]string{"python3-greet", "python-greet-tests"}, names); diff != "" {
		t.Errorf("built packages (-want +got):\n%s", diff)
	}
	lib := s.Packages[1]
	want = []string{"python3-click >= 8.0", "python3-yaml", "(python3-rich if python3-typer)", "systemd", "/bin/sh"}
	if diff := cmp.Diff(want, texts(lib.Requires)); diff != "" {
		t.Errorf("requirements (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"greet = 1.2.3~rc1", "python3-greet = 1:1.2.3~rc1-4.fc43"}, texts(lib.Provides)); diff != "" {
		t.Errorf("provides (-want +got):\n%s", diff)
	}
	if want := "Requires(post)"; lib.Requires[3].Tag != want || lib.Requires[3].Line != 41 {
		t.Errorf("origin of systemd: %s:%d", lib.Requires[3].Tag, lib.Requires[3].Line)
	}
	if got := lib.Suggests[0].Condition; got != "%if %{defined fedora} && ! 0%{?flatpak}" {
		t.Errorf("condition: %q", got)
	}
	generator := []specfile.Generator{{Name: "pyproject_buildrequires", Args: []string{"-x", "web,cli", "-t"}, Line: 63}}
	if diff := cmp.Diff(generator, s.Dynamic); diff != "" {
		t.Errorf("generators (-want +got):\n%s", diff)
	}
}

func TestReleasesTakeTheirBranches(t *testing.T) {
	for release, want := range map[string]string{
		"fedora-43": "tomcli", "fedora-rawhide": "tomcli", "centos-stream-10": "tomcli", "centos-stream-9": "python3-tomli",
		"rhel-9.4": "python3-tomli", "fedora-38": "python3-toml", "universe-12": "python3-toml",
	} {
		if got := texts(parse(t, example(t), release).BuildRequires); !slices.Contains(got, want) {
			t.Errorf("%s: %v lacks %s", release, got, want)
		}
	}
}

const head = "Name: foo\nVersion: 1\nRelease: 1\nSummary: s\nLicense: m\n"

func TestUnknownIsSaidAndNeverGuessed(t *testing.T) {
	for _, tt := range []struct{ name, text, message string }{
		{"shell", "Requires: a = %(uname -r)\n", "x.spec:6: %(uname -r) is not run, so its output is not known"},
		{"shell in a macro", "%global x %(date +%%Y)\nRequires: a-%{x}\n", "x.spec:7: Requires: a-<?>: a part is not known without running something; left out"},
		{"lua", "Requires: %{lua: print(posix.uname())}\n", "x.spec:6: %{lua: print(posix.uname())} is not run, so its output is not known"},
		{"condition", "%if 0%(test -x /bin/a && echo 1)\nRequires: b\n%endif\n", "x.spec:6: whether %if 0%(test -x /bin/a && echo 1) holds is not known without running something; taken as false"},
		{"undefined macro", "Requires: a = %{nosuch}\n", "x.spec:6: Requires: a = %{nosuch}: a macro is not defined for this target"},
		{"include", "%include other.inc\n", "x.spec:6: included file other.inc is not in the project"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := parse(t, head+tt.text, "fedora-43")
			var got []string
			for _, d := range s.Diagnostics {
				got = append(got, d.String())
			}
			if !slices.Contains(got, tt.message) {
				t.Errorf("diagnostics %q lack %q", got, tt.message)
			}
			for _, d := range s.Packages[0].Requires {
				if d.Text == "b" || strings.Contains(d.Text, "\x1a") {
					t.Errorf("a guess: %s", d.Text)
				}
			}
		})
	}
}

func TestIncludesAndLoadedMacros(t *testing.T) {
	tree := fstest.MapFS{
		"rpm/common.inc": {Data: []byte("Requires: included >= %{minimum}\n")},
		"rpm/my.macros":  {Data: []byte("# macros\n%minimum 7\n%lines a \\\n  b\n")},
		"rpm/foo.spec":   {Data: []byte("Source1: my.macros\n%{load:%{SOURCE1}}\n%include common.inc\n" + head)},
	}
	engine := macroset.Engine(macroset.Target{Release: "fedora-43"}, map[string]string{"_sourcedir": "rpm"})
	s, err := specfile.Parse("rpm/foo.spec", tree["rpm/foo.spec"].Data, specfile.Options{Macros: engine, Files: tree})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Diagnostics) > 0 {
		t.Error(s.Diagnostics)
	}
	d := s.Packages[0].Requires[0]
	if d.Text != "included >= 7" || d.File != "rpm/common.inc" || d.Line != 1 {
		t.Errorf("got %+v", d)
	}
}

// TestDeclarativeBuild is by rpm's documentation of BuildSystem, which the rpmspec of the test machines is too old for.
func TestDeclarativeBuild(t *testing.T) {
	s := parse(t, head+"BuildSystem: pyproject\nBuildOption(install): foo\nBuildOption(generate_buildrequires): -x test\n", "fedora-43")
	want := []specfile.Generator{{Name: "pyproject_buildrequires", Args: []string{"-x", "test"}, Line: 6}}
	if diff := cmp.Diff(want, s.Dynamic); diff != "" || len(s.Diagnostics) > 0 {
		t.Errorf("generators (-want +got):\n%s\n%v", diff, s.Diagnostics)
	}
	s = parse(t, head+"BuildSystem: autotools\n", "fedora-43")
	if len(s.Dynamic) > 0 {
		t.Errorf("autotools got %v", s.Dynamic)
	}
}

func TestHostileSpecsEnd(t *testing.T) {
	for name, text := range map[string]string{
		"conditionals": strings.Repeat("%if 1\n", 10_000),
		"packages":     head + strings.Repeat("%package -n %{expand:x}%{?a}\n", 50_000),
		"self include": head + strings.Repeat("%include x.spec\n", 3),
		"lines":        head + strings.Repeat("Requires: a\n", 300_000),
		"line of many": "%global x " + strings.Repeat("a,", 100_000) + "\n" + head + strings.Repeat("Requires: %{x}\n", 50),
		"open macro":   head + strings.Repeat("%{?x\n", 100_000),
		"newlines":     "%define nl \\\\\\\n\\\\\\\n\n" + head + strings.Repeat("%nl", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			tree := fstest.MapFS{"x.spec": {Data: []byte(text)}}
			_, _ = specfile.Parse("x.spec", []byte(text), specfile.Options{Files: tree}) // it must only end
		})
	}
}

func BenchmarkParse(b *testing.B) {
	data := []byte(example(b))
	engine := macroset.Engine(macroset.Target{Release: "fedora-43"}, nil)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := specfile.Parse("x.spec", data, specfile.Options{Macros: engine}); err != nil {
			b.Fatal(err)
		}
	}
}
