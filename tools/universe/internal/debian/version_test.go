package debian

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
)

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]Version{
		"1.2":          {0, "1.2", ""},
		"2:1.2-3+b1":   {2, "1.2", "3+b1"},
		"12-20211113":  {0, "12", "20211113"},
		"1-2-3":        {0, "1-2", "3"},
		"0:1.2-":       {0, "1.2", ""},
		"1:1.0:2-1":    {1, "1.0:2", "1"},
		"5.2~rc1+b1~x": {0, "5.2~rc1+b1~x", ""},
	} {
		if got, err := ParseVersion(text); err != nil || got != want {
			t.Errorf("ParseVersion(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "x:1", "1:", "1_2", "1 2", "1/2", "99999999999:1"} {
		if got, err := ParseVersion(text); err == nil {
			t.Errorf("ParseVersion(%q) = %+v, want an error", text, got)
		}
	}
}

func TestEVRIsReadable(t *testing.T) {
	for text, want := range map[string]string{
		"2.36-9+deb12u1":    "2.36-9+deb12^u1",
		"1:1.2.13.dfsg-1":   "1:1.2.13.999999999999999999.dfsg-1",
		"12.4+deb12u15":     "12.4+deb12^u15-0",
		"3.11.2-1+b1":       "3.11.2-1+b1",
		"66.1.1-1":          "66.1.1-1",
		"1.5.4+dfsg2-5":     "1.5.4+dfsg2-5",
		"2022a-0+deb12u1":   "2022^a-0+deb12^u1",
		"12-20211113-1":     "12_zy20211113-1",
		"1.2~rc1-1":         "1.2~rc1-1",
		"1.2~":              "1.2~-0",
		"0~20230101-1~bpo1": "0~^20230101-1~bpo1",
	} {
		v, err := ParseVersion(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.EVR(); err != nil || got.String() != want {
			t.Errorf("%q becomes %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestEVRRefusesWhatItCannotOrder(t *testing.T) {
	for _, part := range []string{above, "1." + above, "1a" + above + "0"} {
		if got, err := (Version{Upstream: part}).EVR(); err == nil {
			t.Errorf("%q becomes %q, want an error", part, got)
		}
	}
}

// checkOrder sorts the versions and demands that all neighbours compare the
// same in rpm's order. Both orders are transitive, so this covers all pairs.
func checkOrder(t *testing.T, versions []Version) {
	t.Helper()
	slices.SortFunc(versions, Version.Compare)
	wrong := 0
	var last rpm.EVR
	for i, v := range versions {
		evr, err := v.EVR()
		if err != nil {
			t.Fatal(err)
		}
		if parsed, err := rpm.ParseEVR(evr.String()); err != nil || parsed != evr {
			t.Fatalf("%+v becomes %q, which reads as %+v, %v", v, evr, parsed, err)
		}
		if i > 0 {
			want, got := versions[i-1].Compare(v), last.Compare(evr)
			if want != got {
				wrong++
				t.Errorf("%+v and %+v compare as %d in Debian, but %s and %s as %d in rpm", versions[i-1], v, want, last, evr, got)
				if wrong > 20 {
					t.FailNow()
				}
			}
		}
		last = evr
	}
}

func TestEVRKeepsTheOrderOfAllShortStrings(t *testing.T) {
	for alphabet, length := range map[string]int{"01az+-.~:A": 5, "01a.~": 7, "0a~": 10} {
		versions := []Version{}
		for _, part := range stringsOver(alphabet, length) {
			versions = append(versions, Version{Upstream: part})
		}
		checkOrder(t, versions)
	}
}

// stringsOver gives all strings of up to n characters of the alphabet.
func stringsOver(alphabet string, n int) []string {
	all := []string{""}
	for from := 0; n > 0; n-- {
		to := len(all)
		for _, s := range all[from:to] {
			for _, c := range alphabet {
				all = append(all, s+string(c))
			}
		}
		from = to
	}
	return all
}

func TestEVRKeepsTheOrderOfGeneratedVersions(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	checkOrder(t, generate(random, 50_000))
}

// generate makes versions out of pieces that occur in real ones.
func generate(random *rand.Rand, n int) []Version {
	pieces := []string{
		"0", "1", "2", "00", "10", "012", "20211113", "~", "~~", "+", "-", ".", "..", ":", "a", "b", "z", "A", "Z",
		"rc", "dfsg", "+deb", "u", "~bpo", "+b", "git", ".~", "zz", "zp", "+z", "-z", "~0", "a0", "0~",
	}
	part := func(atMost int) string {
		s := ""
		for range random.IntN(atMost + 1) {
			s += pieces[random.IntN(len(pieces))]
		}
		return s
	}
	versions := []Version{}
	for len(versions) < n {
		v := Version{Epoch: random.IntN(2), Upstream: part(6), Revision: strings.ReplaceAll(part(4), "-", "")}
		if random.IntN(3) > 0 {
			v.Upstream = "1." + v.Upstream
		}
		if _, err := v.EVR(); err == nil {
			versions = append(versions, v)
		}
	}
	return versions
}

func TestEVRKeepsTheOrderOfRealVersions(t *testing.T) {
	oracle.Need(t, "apt-cache")
	out, err := exec.Command("apt-cache", "dumpavail").Output()
	if err != nil {
		t.Fatal(err)
	}
	versions, bounds := realVersions(t, string(out))
	if len(versions) < 1000 {
		oracle.Missing(t, "apt knows of hardly any package: run apt-get update")
	}
	checkOrder(t, append(versions, bounds...))
	t.Logf("%d versions, %d bounds", len(versions), len(bounds))
}

// realVersions gives the versions of packages, and those in their relations.
func realVersions(t *testing.T, available string) (versions, bounds []Version) {
	seen := map[string]bool{}
	add := func(to []Version, text string) []Version {
		if seen[text] {
			return to
		}
		seen[text] = true
		v, err := ParseVersion(text)
		if err != nil {
			t.Fatal(err)
		}
		return append(to, v)
	}
	for line := range strings.Lines(available) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "Version":
			versions = add(versions, value)
		case "Depends", "Pre-Depends", "Breaks", "Conflicts", "Replaces", "Recommends", "Suggests", "Enhances", "Provides":
			for _, field := range strings.FieldsFunc(value, func(r rune) bool { return r == '(' || r == ')' }) {
				if words := strings.Fields(field); len(words) == 2 && strings.Trim(words[0], "<>=") == "" {
					bounds = add(bounds, words[1])
				}
			}
		}
	}
	return versions, bounds
}

func TestCompareAsDpkg(t *testing.T) {
	oracle.Need(t, "dpkg")
	random := rand.New(rand.NewPCG(3, 4))
	versions := []Version{}
	for _, v := range generate(random, 200) {
		v.Revision = strings.ReplaceAll(v.Revision, ":", "")
		if v.Upstream != "" && v.text()[0] != '-' { // dpkg takes that for an option
			versions = append(versions, v)
		}
	}
	slices.SortFunc(versions, Version.Compare)
	for i, v := range versions[1:] {
		pair := []string{versions[i].text(), v.text()}
		if random.IntN(2) == 0 {
			slices.Reverse(pair)
		}
		checkDpkg(t, pair[0], pair[1])
	}
	for _, pair := range [][2]string{
		{"12-20211113-1", "12.2.0-1"}, {"1.2+b1", "1.2"}, {"1.2+dfsg", "1.2.1"}, {"1.2-1", "1.2"}, {"1.2", "1.2-0"},
		{"2.36-9", "2.36"}, {"1.2~", "1.2-1"}, {"1.2-~bpo", "1.2"}, {"1a", "1.1"}, {"1:0", "9"},
	} {
		checkDpkg(t, pair[0], pair[1])
	}
}

func (v Version) text() string {
	s := v.Upstream
	if v.Epoch != 0 || strings.Contains(v.Upstream, ":") {
		s = string(rune('0'+v.Epoch)) + ":" + s
	}
	if v.Revision != "" || strings.Contains(s, "-") {
		s += "-" + v.Revision
		if v.Revision == "" {
			s += "0"
		}
	}
	return s
}

func checkDpkg(t *testing.T, a, b string) {
	t.Helper()
	v, err := ParseVersion(a)
	if err != nil {
		t.Fatal(err)
	}
	w, err := ParseVersion(b)
	if err != nil {
		t.Fatal(err)
	}
	operator := map[int]string{-1: "lt", 0: "eq", 1: "gt"}[v.Compare(w)]
	cmd := exec.Command("dpkg", "--force-bad-version", "--compare-versions", a, operator, b)
	cmd.Stderr = nil
	if err := cmd.Run(); err != nil {
		t.Errorf("dpkg --compare-versions %s %s %s: %v", a, operator, b, err)
	}
	va, _ := v.EVR()
	wb, _ := w.EVR()
	if va.Compare(wb) != v.Compare(w) {
		t.Errorf("%s %s %s, but rpm compares %s with %s as %d", a, operator, b, va, wb, va.Compare(wb))
	}
}

func FuzzVersion(f *testing.F) {
	f.Add("1:2.36-9+deb12u1", "1.2~rc1-0~~.z")
	f.Fuzz(func(t *testing.T, a, b string) {
		v, err := ParseVersion(a)
		if err != nil {
			return
		}
		w, err := ParseVersion(b)
		if err != nil {
			return
		}
		x, err := v.EVR()
		if err != nil {
			return
		}
		y, err := w.EVR()
		if err != nil {
			return
		}
		if x.Compare(y) != v.Compare(w) {
			t.Errorf("%q and %q compare as %d, but %s and %s as %d", a, b, v.Compare(w), x, y, x.Compare(y))
		}
	})
}

// TestRPMAgrees asks rpm itself, since the mapping stands on its order.
func TestRPMAgrees(t *testing.T) {
	oracle.Need(t, "rpm")
	random := rand.New(rand.NewPCG(5, 6))
	versions := generate(random, 2000)
	slices.SortFunc(versions, Version.Compare)
	var script strings.Builder
	want := []string{}
	order := map[int]string{-1: "-1", 0: "0", 1: "1"}
	for i, w := range versions[1:] {
		a, err := versions[i].EVR()
		if err != nil {
			t.Fatal(err)
		}
		b, err := w.EVR()
		if err != nil {
			t.Fatal(err)
		}
		script.WriteString("print(rpm.vercmp('" + a.String() + "', '" + b.String() + "') .. ' ')\n")
		want = append(want, order[versions[i].Compare(w)])
	}
	path := t.TempDir() + "/compare.lua"
	if err := os.WriteFile(path, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("rpm", "--eval", "%{lua: dofile('"+path+"')}").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := strings.Fields(string(out)); !slices.Equal(got, want) {
		t.Errorf("rpm orders %d of %d neighbours otherwise", differing(got, want), len(want))
	}
}

func differing(a, b []string) (n int) {
	if len(a) != len(b) {
		return max(len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
