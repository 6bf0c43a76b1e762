package rpm_test

import (
	"cmp"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
)

// versionOrder lists pairs by what rpm documents of its version order: each
// line is "older newer", or "a = b" for what rpm takes as equal.
var versionOrder = []string{
	// numbers count, digit by digit they would not
	"1.0 = 1.0", "1.0 2.0", "2.0.1 = 2.0.1", "2.0 2.0.1", "9 10", "1.9 1.10", "5.5p9 5.5p10",
	"99999999999999999999 100000000000000000000", "20101121 20101122",
	// leading zeros don't
	"1.0 = 1.00", "1.05 = 1.5", "1.0 1.01", "0 = 00", "1.0010 1.0100",
	// letters are older than numbers, and compared as text
	"1.a 1.1", "a 1", "1.0a 1.0b", "xyz10 10xyz", "xyz xyz.4", "1.0.alpha 1.0.1", "5.5p1 5.5p2", "5.6p1 6.5p1", "6.0 6.0.rc1", "A a", "Z a", "abc abcd",
	"2a 2.0", "1.0 = 1_0", "1.0a 1.0.0", "6.0 6.0.rc1x", "10a1x 10b2",
	// separators only separate
	"1.0 = 1..0", "a = a_", "a+ = a_", "+ = _", "2_0 = 2.0", "1.0 = 1.0.", "1.0+ = 1.0", ".1 = 1", "1.é = 1.", "1é0 = 1.0",
	// a number ends where letters begin
	"2_0 2_0a", "1.0a 1.0a1", "4.999.9 5.0", "1a1 1a2", "1b 1.1",
	// tilde: before everything, even the end
	"1.0~rc1 1.0", "1.0~rc1 1.0~rc2", "1.0~rc1~git123 1.0~rc1", "1.0~ 1.0", "~ 0", "~~ ~", "1.0~rc1 = 1.0~rc1", "1.0~rc1 1.0arc1", "1.0~a 1.0~1", "~1 1", "1~ = 1~",
	// caret: after the end, before anything else
	"1.0 1.0^", "1.0^ 1.0^git1", "1.0^git1 1.0^git2", "1.0^git1 1.01", "1.0^20160101 1.0.1", "1.0^20160101^git1 1.0^20160102", "1.0^20160101 1.0^20160101^git1", "1.0^ = 1.0^", "1^ 1.1", "^ 0",
	// both
	"1.0~rc1 1.0~rc1^git1", "1.0^git1~pre 1.0^git1", "1.0^~ 1.0^", "1.0~^ 1.0^", "1.0~ 1.0~^",
}

type pair struct {
	a, b string
	want int
}

func versionPairs(t testing.TB) []pair {
	var pairs []pair
	for _, line := range versionOrder {
		if a, b, ok := strings.Cut(line, " = "); ok {
			pairs = append(pairs, pair{a, b, 0})
		} else if a, b, ok := strings.Cut(line, " "); ok {
			pairs = append(pairs, pair{a, b, -1})
		} else {
			t.Fatalf("bad line %q", line)
		}
	}
	return pairs
}

func TestCompareVersion(t *testing.T) {
	for _, p := range versionPairs(t) {
		if got := rpm.CompareVersion(p.a, p.b); got != p.want {
			t.Errorf("CompareVersion(%q, %q) = %d, want %d", p.a, p.b, got, p.want)
		}
		if got := rpm.CompareVersion(p.b, p.a); got != -p.want {
			t.Errorf("CompareVersion(%q, %q) = %d, want %d", p.b, p.a, got, -p.want)
		}
	}
}

// TestCompareVersionOracle asks rpm itself about all pairs of all versions of
// the table.
func TestCompareVersionOracle(t *testing.T) {
	oracle.Need(t, "rpm")
	var versions []string
	seen := map[string]bool{}
	for _, p := range versionPairs(t) {
		for _, v := range []string{p.a, p.b} {
			if !seen[v] {
				seen[v] = true
				versions = append(versions, v)
			}
		}
	}
	var script strings.Builder
	script.WriteString("%{lua: local v = {")
	for _, v := range versions {
		fmt.Fprintf(&script, "%q,", v)
	}
	script.WriteString("} for i = 1, #v do for j = 1, #v do print(rpm.vercmp(v[i], v[j]) .. ' ') end end}")
	out, err := exec.Command("rpm", "--eval", script.String()).Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := strings.Fields(string(out))
	if len(answers) != len(versions)*len(versions) {
		t.Fatalf("rpm gave %d answers for %d versions", len(answers), len(versions))
	}
	for i, answer := range answers {
		a, b := versions[i/len(versions)], versions[i%len(versions)]
		if got := fmt.Sprint(rpm.CompareVersion(a, b)); got != answer {
			t.Errorf("CompareVersion(%q, %q) = %s, rpm says %s", a, b, got, answer)
		}
	}
}

func TestCompareAllocatesNothing(t *testing.T) {
	a, b := rpm.EVR{Epoch: 1, Version: "1.0.10~rc1", Release: "2.fc43"}, rpm.EVR{Epoch: 1, Version: "1.0.10~rc1", Release: "10.fc43"}
	var got int
	if n := testing.AllocsPerRun(100, func() { got = a.Compare(b) }); n != 0 {
		t.Errorf("Compare allocates %v times", n)
	}
	if got != -1 {
		t.Errorf("Compare = %d, want -1", got)
	}
}

func TestParseEVR(t *testing.T) {
	for _, test := range []struct {
		in   string
		want rpm.EVR
		text string // "": as in
	}{
		{"1.2-3.fc43", rpm.EVR{Version: "1.2", Release: "3.fc43"}, ""},
		{"1:1.2-3", rpm.EVR{Epoch: 1, Version: "1.2", Release: "3"}, ""},
		{"0:1.2-3", rpm.EVR{Version: "1.2", Release: "3"}, "1.2-3"},
		{":1.2", rpm.EVR{Version: "1.2"}, "1.2"},
		{"2~~", rpm.EVR{Version: "2~~"}, ""},
		{"1.0^git1", rpm.EVR{Version: "1.0^git1"}, ""},
		{"4294967295:1", rpm.EVR{Epoch: 4294967295, Version: "1"}, ""},
		{"99999999999:1", rpm.EVR{Epoch: 4294967295, Version: "1"}, "4294967295:1"},
	} {
		got, err := rpm.ParseEVR(test.in)
		if err != nil || got != test.want {
			t.Errorf("ParseEVR(%q) = %+v, %v, want %+v", test.in, got, err, test.want)
		}
		if want := cmp.Or(test.text, test.in); got.String() != want {
			t.Errorf("ParseEVR(%q).String() = %q, want %q", test.in, got, want)
		}
	}
	for _, in := range []string{"", "1:", "-1", "1-", "1-2-", "1-2-3", "a:1", "1:2:3", "1 2", "1\n", "(1)", "1,2", "=1", "1:-2"} {
		if got, err := rpm.ParseEVR(in); err == nil {
			t.Errorf("ParseEVR(%q) = %+v, want an error", in, got)
		}
	}
}

func TestEVRCompare(t *testing.T) {
	parse := func(s string) rpm.EVR {
		evr, err := rpm.ParseEVR(s)
		if err != nil {
			t.Fatal(err)
		}
		return evr
	}
	for _, p := range []pair{
		{"1-1", "1-1", 0}, {"1-1", "1-2", -1}, {"2-1", "1-2", 1}, {"1:1-1", "2-1", 1},
		{"2:1-1", "10:1-1", -1}, {"1", "1-1", -1}, {"0:1-1", "1-1", 0}, {"1-1.fc42", "1-1.fc43", -1},
	} {
		if got := parse(p.a).Compare(parse(p.b)); got != p.want {
			t.Errorf("%s against %s is %d, want %d", p.a, p.b, got, p.want)
		}
	}
}

func FuzzCompareVersion(f *testing.F) {
	for _, p := range versionPairs(f) {
		f.Add(p.a, p.b, p.b+".1")
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		ab, ba := rpm.CompareVersion(a, b), rpm.CompareVersion(b, a)
		if ab != -ba {
			t.Errorf("%q against %q is %d, the other way %d", a, b, ab, ba)
		}
		if rpm.CompareVersion(a, a) != 0 {
			t.Errorf("%q differs from itself", a)
		}
		bc, ac := rpm.CompareVersion(b, c), rpm.CompareVersion(a, c)
		if ab <= 0 && bc <= 0 && (ac > 0 || ac == 0 && ab+bc < 0) {
			t.Errorf("not transitive: %q %q %q compare %d, %d, but %d", a, b, c, ab, bc, ac)
		}
	})
}

func FuzzParseEVR(f *testing.F) {
	for _, s := range []string{"1:2-3", "1.2~rc1-0.1.fc43", ":1", "99999999999:1", "1^git"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		evr, err := rpm.ParseEVR(s)
		if err != nil {
			return
		}
		again, err := rpm.ParseEVR(evr.String())
		if err != nil || again != evr {
			t.Errorf("%q gives %+v, whose text %q gives %+v, %v", s, evr, evr, again, err)
		}
	})
}
