package script

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/rpm"
)

func pkg(name string, requires ...string) Package {
	p := Package{Name: name + "-1-1.noarch", Short: name, EVR: rpm.EVR{Version: "1", Release: "1"}}
	p.Provides = []rpm.Dependency{{Name: name, Sense: rpm.Equal, EVR: p.EVR}}
	for _, r := range requires {
		sense := rpm.Sense(0)
		if strings.HasSuffix(r, "!") {
			r, sense = r[:len(r)-1], rpm.Pre
		}
		p.Requires = append(p.Requires, rpm.Dependency{Name: r, Sense: sense})
	}
	return p
}

func names(packages []Package, order []int) string {
	var out []string
	for _, i := range order {
		out = append(out, packages[i].Short)
	}
	return strings.Join(out, " ")
}

// The expectations were held against rpm 4.18; see TestScriptsRunAsInRPM of package image.
func TestOrder(t *testing.T) {
	file := pkg("f")
	file.Files = []rpm.File{{Path: "/usr/bin/f"}}
	for _, c := range []struct {
		name     string
		packages []Package
		want     string
	}{
		{"alone", []Package{pkg("a")}, "a"},
		{"none", nil, ""},
		{"chain", []Package{pkg("a", "b"), pkg("b", "c"), pkg("c")}, "c b a"},
		{"itself", []Package{pkg("a", "a")}, "a"},
		{"nobody", []Package{pkg("a", "missing")}, "a"},
		{"path", []Package{pkg("a", "/usr/bin/f"), file}, "f a"},
		{"cycle", []Package{pkg("a", "b"), pkg("b", "a"), pkg("c", "a")}, "b a c"},
		{"cycle with a script", []Package{pkg("a", "b!"), pkg("b", "a")}, "b a"},
		{"the other way", []Package{pkg("a", "b"), pkg("b", "a!")}, "a b"},
		{"rich", []Package{pkg("a", "(x or c)"), pkg("b", "(c if z)"), pkg("c")}, "c a b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := names(c.packages, Order(c.packages)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestOrderOfRandomGraphs: every package once, none before what it requires unless in a cycle, and
// the same whatever the order of the input.
func TestOrderOfRandomGraphs(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		var packages []Package
		n := 1 + r.IntN(15)
		for i := range n {
			var needs []string
			for range r.IntN(4) {
				needs = append(needs, string(rune('a'+r.IntN(n)))+[]string{"", "!"}[r.IntN(2)])
			}
			packages = append(packages, pkg(string(rune('a'+i)), needs...))
		}
		order := Order(packages)
		sorted := slices.Clone(order)
		slices.Sort(sorted)
		for i, v := range sorted {
			if i != v {
				t.Fatalf("seed %d: %v is no order of %d packages", seed, order, n)
			}
		}
		shuffled := slices.Clone(packages)
		r.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if a, b := names(packages, order), names(shuffled, Order(shuffled)); a != b {
			t.Fatalf("seed %d: %q and %q", seed, a, b)
		}
		reach := reachable(packages)
		for x, i := range order {
			for _, j := range order[:x] {
				if reach[j][i] && !reach[i][j] {
					t.Fatalf("seed %d: %s comes before %s, which it requires", seed, packages[j].Short, packages[i].Short)
				}
			}
		}
	}
}

// reachable says for each package which ones it requires, directly or not.
func reachable(packages []Package) []map[int]bool {
	out := make([]map[int]bool, len(packages))
	for i := range packages {
		out[i] = map[int]bool{}
		var visit func(j int)
		visit = func(j int) {
			for _, d := range packages[j].Requires {
				k := slices.IndexFunc(packages, func(p Package) bool { return p.Short == d.Name })
				if k >= 0 && !out[i][k] {
					out[i][k] = true
					visit(k)
				}
			}
		}
		visit(i)
	}
	return out
}

func TestEarlySteps(t *testing.T) {
	a, b := pkg("a"), pkg("b")
	for _, p := range []*Package{&a, &b} {
		for _, kind := range []rpm.ScriptKind{rpm.ScriptPost, rpm.ScriptPre, rpm.ScriptPreTrans, rpm.ScriptPostTrans, rpm.ScriptPreUn} {
			p.Scripts = append(p.Scripts, rpm.Script{Kind: kind, Program: []string{"/bin/sh"}, Body: "x"})
		}
	}
	// Nothing to do: no body and the usual shell.
	b.Scripts = append(b.Scripts, rpm.Script{Kind: rpm.ScriptTransFileTriggerIn, Program: []string{"/bin/sh"}})
	for _, c := range []struct {
		early bool
		count int
		want  string
	}{
		{false, 0, "%pre a|%post a|%pre b|%post b|%posttrans a|%posttrans b"},
		{true, 2, "%pre a|%pre b|%post a|%post b|%posttrans a|%posttrans b"},
	} {
		steps, count := Plan([]Package{a, b}, c.early)
		var got []string
		for _, s := range steps {
			got = append(got, s.Script.Kind.String()+" "+s.Package[:1])
		}
		if before := PreTrans([]Package{a, b}); len(before) != 2 || before[1].String() != "%pretrans of b-1-1.noarch" {
			t.Errorf("%%pretrans: %v", before)
		}
		if count != c.count || strings.Join(got, "|") != c.want {
			t.Errorf("early %v: %d, %v", c.early, count, got)
		}
	}
}

func TestClampShadow(t *testing.T) {
	const in = "root:*:20000:0:99999:7:::\nold:!:5:0::::: \nodd\nnever:!::::::: \nlast:!*:20001::::::"
	const want = "root:*:19000:0:99999:7:::\nold:!:5:0::::: \nodd\nnever:!::::::: \nlast:!*:19000::::::"
	if got := string(clampShadow([]byte(in), 19000*24*60*60)); got != want {
		t.Error(cmp.Diff(want, got))
	}
}

func TestTail(t *testing.T) {
	long := strings.Repeat("a line of output\n", 1000)
	got := tail(long + "the end\n")
	if len(got) > 5000 || !strings.HasPrefix(got, "…\na line") || !strings.HasSuffix(got, "\nthe end") {
		t.Errorf("%d bytes: %.40q … %q", len(got), got, got[len(got)-20:])
	}
	if got := tail("short\xff\n\n"); got != "short?" {
		t.Errorf("got %q", got)
	}
}

// folder makes a folder of files; a name that ends in a slash is a folder, content that begins with
// "->" a link.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o755)
		case strings.HasPrefix(content, "->"):
			err = os.Symlink(content[2:], path)
		default:
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestCollect(t *testing.T) {
	lower := []string{
		folder(t, map[string]string{"etc/top": "top", "etc/same": "same", "etc/link": "->same"}),
		folder(t, map[string]string{"etc/top": "hidden", "usr/lib/x": "x", "run/": "", "var/log/": "", "etc/escape": "->/etc/passwd"}),
	}
	first := folder(t, map[string]string{"etc/one": "1", "etc/both": "first", "etc/sub/a": "a", "run/x": "r", "var/log/y": "y", "etc/passwd-": "p"})
	second := folder(t, map[string]string{
		"etc/both": "second", "etc/same": "same", "etc/top": "changed", "etc/sub": "now a file", "etc/link": "->same", "usr/lib/": "", "new/": "", "etc/escape/f": "f",
	})
	changes, err := Collect("", []string{first, second}, lower, 1000, func(string) (int, int, bool) { return 0, 0, false })
	if err != nil {
		t.Fatal(err)
	}
	defer changes.Close()
	var got []string
	for _, e := range changes.entries {
		got = append(got, e.Path)
		if e.ModTime != 1000 && e.Mode&rpm.ModeTypeMask != rpm.ModeDirectory {
			t.Errorf("%s has the time %d", e.Path, e.ModTime)
		}
	}
	want := []string{"/etc", "/etc/both", "/etc/escape", "/etc/escape/f", "/etc/one", "/etc/sub", "/etc/top", "/new"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if changes.Empty() {
		t.Error("says that it is empty")
	}
}

func TestCollectRefuses(t *testing.T) {
	owner := func(string) (int, int, bool) { return 0, 0, false }
	for name, files := range map[string]map[string]string{
		"key":      {"etc/ssl/host.key": "text\n-----BEGIN PRIVATE KEY-----\nabc\n"},
		"ssh key":  {"etc/ssh/ssh_host_rsa_key": "-----BEGIN OPENSSH PRIVATE KEY-----\n"},
		"deletion": {"etc/.wh.passwd": ""},
	} {
		if _, err := Collect("", []string{folder(t, files)}, nil, 1000, owner); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if c, err := Collect("", []string{folder(t, map[string]string{"etc/cert.pem": "-----BEGIN CERTIFICATE-----\n"})}, nil, 1000, owner); err != nil || c.Empty() {
		t.Errorf("certificate: %v", err)
	}
}
