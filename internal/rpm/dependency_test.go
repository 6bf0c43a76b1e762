package rpm_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
)

func dep(t testing.TB, s string) rpm.Dependency {
	t.Helper()
	d, err := rpm.ParseDependency(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func deps(t testing.TB, all ...string) []rpm.Dependency {
	t.Helper()
	var list []rpm.Dependency
	for _, s := range all {
		list = append(list, dep(t, s))
	}
	return list
}

func TestParseDependency(t *testing.T) {
	for _, test := range []struct {
		in, text string
		sense    rpm.Sense
	}{
		{"foo", "foo", 0},
		{"  foo  ", "foo", 0},
		{"foo >= 1:2-3", "foo >= 1:2-3", rpm.Greater | rpm.Equal},
		{"foo => 2", "foo >= 2", rpm.Greater | rpm.Equal},
		{"foo =< 2", "foo <= 2", rpm.Less | rpm.Equal},
		{"foo == 2", "foo = 2", rpm.Equal},
		{"foo\t<\t2", "foo < 2", rpm.Less},
		{"/bin/sh", "/bin/sh", 0},
		{"python3dist(x) < 2~~", "python3dist(x) < 2~~", rpm.Less},
		{"python3dist(x[extra]) > 1", "python3dist(x[extra]) > 1", rpm.Greater},
		{"libc.so.6(GLIBC_2.34)(64bit)", "libc.so.6(GLIBC_2.34)(64bit)", 0},
		{"font(:lang=en)", "font(:lang=en)", 0},
		{"bundled(golang(example.com/x)) = 1", "bundled(golang(example.com/x)) = 1", rpm.Equal},
		{"(a or b)", "(a or b)", 0},
		{"bundled(python3dist(ipaddress) = 1", "bundled(python3dist(ipaddress) = 1", rpm.Equal},
		{"config(foo) = 0:1-1", "config(foo) = 1-1", rpm.Equal},
	} {
		d, err := rpm.ParseDependency(test.in)
		if err != nil || d.String() != test.text || d.Sense != test.sense {
			t.Errorf("ParseDependency(%q) = %q, %v, want %q", test.in, d, err, test.text)
		}
	}
	for _, in := range []string{
		"", " ", "foo >=", "foo >= 1 bar", "foo bar", "foo>=1", ">= 1", "= 1", "(a or b", "(a or b) c", "()",
		"foo >= 1-2-3", "foo !! 1", "f\x00oo", strings.Repeat("x", 1<<20),
	} {
		if d, err := rpm.ParseDependency(in); err == nil {
			t.Errorf("ParseDependency(%q) = %+v, want an error", in, d)
		}
	}
}

func TestDependencyKinds(t *testing.T) {
	if d := dep(t, "/bin/sh"); !d.IsPath() || d.IsRich() {
		t.Error("/bin/sh is not a path")
	}
	if d := dep(t, "(a if b)"); d.IsPath() || !d.IsRich() {
		t.Error("(a if b) is not rich")
	}
	if d := (rpm.Dependency{Name: "foo", Sense: rpm.Equal}); d.String() != "foo" {
		t.Errorf("a range without a version prints as %q", d)
	}
}

// matches lists, for one requirement, provides that meet it and that don't.
var matches = []struct {
	require  string
	yes, not []string
}{
	{"foo", []string{"foo", "foo = 1", "foo < 1", "foo = 1:2-3"}, []string{"bar", "Foo"}},
	{"foo = 1", []string{"foo", "foo = 1", "foo = 1-1", "foo = 0:1-7", "foo >= 1", "foo <= 1", "foo >= 0.5", "foo < 2", "foo > 0"}, []string{"foo = 2", "foo = 1:1", "foo < 1", "foo > 1", "foo = 1~rc1", "foo = 1^git"}},
	{"foo = 1-2", []string{"foo = 1", "foo = 1-2", "foo >= 1"}, []string{"foo = 1-1", "foo = 1-3", "foo > 1-2"}},
	{"foo >= 2", []string{"foo = 2", "foo = 2-1", "foo = 3", "foo = 1:1", "foo > 1", "foo >= 1", "foo <= 2", "foo < 3"}, []string{"foo = 1", "foo < 2", "foo = 2~rc1", "foo <= 1.9"}},
	{"foo >= 2-2", []string{"foo = 2", "foo = 2-2", "foo = 2-10"}, []string{"foo = 2-1", "foo = 1-9"}},
	{"foo > 2", []string{"foo = 3", "foo = 2^git", "foo >= 2", "foo > 2", "foo >= 1"}, []string{"foo = 2", "foo <= 2", "foo < 2", "foo = 2~rc1"}},
	{"foo > 2-1", []string{"foo = 2-2", "foo > 1", "foo = 2", "foo >= 2"}, []string{"foo = 2-1", "foo = 1-2"}},
	{"foo < 2", []string{"foo = 1", "foo = 2~rc1", "foo < 2", "foo <= 2", "foo < 3", "foo >= 1"}, []string{"foo = 2", "foo >= 2", "foo > 2", "foo = 1:1"}},
	{"foo < 2-2", []string{"foo = 2", "foo = 2-1", "foo = 1-9"}, []string{"foo = 2-2", "foo = 2-3", "foo > 2"}},
	{"foo <= 1:2", []string{"foo = 1:2", "foo = 1:2-9", "foo = 3", "foo = 1:1"}, []string{"foo = 1:2.1", "foo = 2:0"}},
	{"python3dist(x) < 2~~", []string{"python3dist(x) = 1.9"}, []string{"python3dist(x) = 2~rc1", "python3dist(x) = 2"}},
}

func TestMatchedBy(t *testing.T) {
	for _, test := range matches {
		require := dep(t, test.require)
		for _, s := range test.yes {
			if provide := dep(t, s); !require.MatchedBy(provide) || !provide.MatchedBy(require) {
				t.Errorf("%q does not meet %q", s, test.require)
			}
		}
		for _, s := range test.not {
			if provide := dep(t, s); require.MatchedBy(provide) || provide.MatchedBy(require) {
				t.Errorf("%q meets %q", s, test.require)
			}
		}
	}
	rich := dep(t, "(a or b)")
	if rich.MatchedBy(rich) {
		t.Error("a rich dependency is met by a provide")
	}
}

// TestMatchedByOracle holds MatchedBy against rpm's own comparison, for all
// pairs of ranges over some versions.
func TestMatchedByOracle(t *testing.T) {
	oracle.Need(t, "rpm")
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import rpm").Run(); err != nil {
		oracle.Missing(t, "Python's rpm module is not installed (Debian: python3-rpm)")
	}
	var all []rpm.Dependency
	var triples [][]any // name, flags, version as Python wants them
	for _, evr := range []string{"1", "1-1", "1-2", "0:1-1", "1:1", "1:1-1", "1~rc1", "1^git-1", "2", "2-1"} {
		for _, op := range []string{"<", "<=", "=", ">=", ">"} {
			d := dep(t, "foo "+op+" "+evr)
			all = append(all, d)
			triples = append(triples, []any{"foo", int(d.Sense), evr})
		}
	}
	input, err := json.Marshal(triples)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", `
import json, rpm, sys
deps = [rpm.ds(tuple(d), rpm.RPMTAG_REQUIRENAME) for d in json.load(sys.stdin)]
for a in deps:
    print(''.join(str(int(bool(a.Compare(b)))) for b in deps))
`)
	cmd.Stdin = strings.NewReader(string(input))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	rows := strings.Fields(string(out))
	if len(rows) != len(all) {
		t.Fatalf("rpm gave %d rows for %d dependencies", len(rows), len(all))
	}
	for i, a := range all {
		for j, b := range all {
			if got := a.MatchedBy(b); fmt.Sprint(got) != map[byte]string{'0': "false", '1': "true"}[rows[i][j]] {
				t.Errorf("%q matched by %q is %v, rpm says %c", a, b, got, rows[i][j])
			}
		}
	}
}

func FuzzParseDependency(f *testing.F) {
	for _, s := range []string{"foo", "foo >= 1:2-3", "(a or (b with c))", "/bin/sh", "python3dist(x) < 2~~", "font(:lang=en)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := rpm.ParseDependency(s)
		if err != nil {
			return
		}
		again, err := rpm.ParseDependency(d.String())
		if err != nil || again != d {
			t.Errorf("%q gives %+v, whose text %q gives %+v, %v", s, d, d, again, err)
		}
	})
}
