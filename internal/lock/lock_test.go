package lock

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/rpm"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sum is a sha256 that differs for each text.
func sum(s string) string { return fmt.Sprintf("%064x", []byte(s)) }

func nevra(t testing.TB, s string) rpm.NEVRA {
	t.Helper()
	n, err := rpm.ParseNEVRA(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func example(t testing.TB) *Lock {
	return &Lock{Version: 1, Targets: []Target{
		{
			Name: "universe", Release: "universe-12", Arch: "x86_64",
			Repositories: []Repository{
				{ID: "universe", URL: "file:///srv/universe", Repomd: sum("u"), Revision: "1700000000"},
				{ID: "extra", URL: "https://example.org/extra?a=b&c={d}", Repomd: sum("e")},
			},
			Requests: map[string]string{"web": sum("w"), "build": sum("b")},
			Packages: []Package{
				{
					NEVRA: nevra(t, "python3-flask-2:2.2~rc1-1.el9.noarch"), Repository: "universe",
					Path: "Packages/p/python3-flask-2.2~rc1-1.el9.noarch.rpm", SHA256: sum("flask"), Size: 103231,
					Source: "flask-2.2-1.src.rpm", Layer: "web/03", Roots: []string{"web", BuildRoot},
					Why: `greetweb/pyproject.toml:12 asks for "flask>=2"`,
				},
				{
					NEVRA: nevra(t, "glibc-2.34-60.el9.x86_64"), Repository: "universe",
					Path: "Packages/g/glibc.rpm", SHA256: sum("glibc"), Size: 2 << 20,
					Layer: "all/11", Roots: []string{"web", "worker"},
				},
				{
					NEVRA: nevra(t, "python3-devel-3.9-1.x86_64"), Repository: "extra",
					Path: "123", SHA256: sum("devel"), Size: 1, Roots: []string{BuildRoot},
					Why: "names with: a colon, [brackets], # hashes and\nlines",
				},
			},
		},
		{Name: "1e6", Release: "no", Arch: "x86_64"},
	}}
}

func TestGolden(t *testing.T) {
	golden := filepath.Join("testdata", "example.lock")
	got := example(t).Marshal()
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the format changed (go test -update accepts it):\n%s", diff)
	}
}

func TestRoundTrip(t *testing.T) {
	data := example(t).Marshal()
	l, err := Parse(data, "slipway.lock")
	if err != nil {
		t.Fatal(err)
	}
	if again := l.Marshal(); !bytes.Equal(data, again) {
		t.Errorf("marshalled again:\n%s", cmp.Diff(string(data), string(again)))
	}
	want := example(t).Target("universe")
	slices.Reverse(want.Repositories)
	slices.SortFunc(want.Packages, func(a, b Package) int { return a.NEVRA.Compare(b.NEVRA) })
	for i := range want.Packages {
		slices.Sort(want.Packages[i].Roots)
	}
	got := l.Target("universe")
	slices.SortFunc(got.Repositories, func(a, b Repository) int { return strings.Compare(a.ID, b.ID) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestForeignReader has another YAML reader take the file, which must see texts as texts.
func TestForeignReader(t *testing.T) {
	var got struct {
		Targets map[string]struct {
			Release  string
			Packages []map[string]any
		}
	}
	if err := yaml.Unmarshal(example(t).Marshal(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Targets["1e6"].Release != "no" {
		t.Errorf("release: %q", got.Targets["1e6"].Release)
	}
	for _, p := range got.Targets["universe"].Packages {
		for _, key := range []string{"nevra", "path", "sha256", "repository"} {
			if _, ok := p[key].(string); !ok {
				t.Errorf("%s is read as %T", key, p[key])
			}
		}
	}
}

func TestOneLineAPackage(t *testing.T) {
	for line := range strings.Lines(string(example(t).Marshal())) {
		if strings.Count(line, "nevra:") > 1 || strings.Contains(line, "nevra:") && !strings.Contains(line, "roots:") {
			t.Errorf("not a line a package: %s", line)
		}
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	l := example(t)
	want := l.Marshal()
	slices.Reverse(l.Targets)
	for i := range l.Targets {
		slices.Reverse(l.Targets[i].Packages)
		slices.Reverse(l.Targets[i].Repositories)
		for j := range l.Targets[i].Packages {
			slices.Reverse(l.Targets[i].Packages[j].Roots)
		}
	}
	if !bytes.Equal(want, l.Marshal()) {
		t.Error("the order of the parts shows in the file")
	}
}

func TestScalar(t *testing.T) {
	plain := []string{"foo", "glibc-2.34-60.el9.x86_64", "Packages/g/x.rpm", "0ad-1.0", "2.0rc1"}
	quoted := []string{"", "1", "1.5", "1e6", "0x1f", "1_000", "null", "Yes", "n", "~", "-a", "2001-01-01",
		"2001-01-01T10:00:00Z", "a:b", "a b", "#a", "[a]", "a,b", "é", "\"", "a\nb", "12e3456"}
	for _, s := range plain {
		if scalar(s) != s {
			t.Errorf("%q is quoted without need", s)
		}
	}
	for _, s := range quoted {
		if scalar(s) == s {
			t.Errorf("%q is not quoted", s)
		}
		var back map[string]string
		if err := yaml.Unmarshal([]byte("a: "+scalar(s)), &back); err != nil || back["a"] != s {
			t.Errorf("%q comes back as %q, %v", s, back["a"], err)
		}
	}
}

func TestWriteLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	if _, err := Load(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := example(t).Write(path); err != nil {
		t.Fatal(err)
	}
	l, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Targets) != 2 {
		t.Errorf("%d targets", len(l.Targets))
	}
	if err := os.WriteFile(path, []byte("version: 1\ntargets: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var bad *ParseError
	if _, err := Load(path); !errors.As(err, &bad) || bad.File != path || bad.Line != 2 {
		t.Errorf("got %v", err)
	}
}

func TestBuildRootOf(t *testing.T) {
	t.Parallel()
	many := make([]string, 30)
	for i := range many {
		many[i] = fmt.Sprintf("project-%d", i)
	}
	for _, tt := range []struct {
		projects []string
		want     string
	}{
		{[]string{"b", "a"}, "build:a+b"},
		{many, "build:d320593d4c56"},
	} {
		got := BuildRootOf(tt.projects)
		if !strings.HasPrefix(got, tt.want) || len(got) > 50 || !IsBuildRoot(got) {
			t.Errorf("%v: %s, want %s", tt.projects, got, tt.want)
		}
	}
	if !IsBuildRoot(BuildRoot) || IsBuildRoot("builder") {
		t.Error("names of images are taken for build roots")
	}
}
