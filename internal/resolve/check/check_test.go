package check_test

import (
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/resolve/check"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// TestFinds puts together solutions that are wrong in one way each.
func TestFinds(t *testing.T) {
	world := []rpmrepo.Package{
		pkg(t, "a-1-1.noarch", "requires b >= 2"),
		pkg(t, "a-2-1.noarch"),
		pkg(t, "b-1-1.noarch"),
		pkg(t, "b-2-1.x86_64"),
		pkg(t, "c-1-1.noarch", "conflicts b < 3"),
		pkg(t, "d-1-1.noarch", "obsoletes b"),
		pkg(t, "e-1-1.i686"),
		pkg(t, "f-1-1.noarch", "requires (b if a)", "requires /usr/bin/x"),
		pkg(t, "g-1-1.noarch", "requires rpmlib(X)", "conflicts g", "provides /usr/bin/x"),
		pkg(t, "h-1-1.noarch", "conflicts (a and f)", "recommends b"),
		pkg(t, "i-1-1.noarch", "provides python3dist(ogr)"),
		pkg(t, "kernel-1-1.noarch"),
		pkg(t, "kernel-2-1.noarch"),
	}
	for _, c := range []struct{ name, packages, requests, want string }{
		{"right", "a-1 b-2", "a", ""},
		{"a requirement", "a-1", "a", "a-1-1.noarch requires b >= 2"},
		{"a requirement in another version", "a-1 b-1", "a", "a-1-1.noarch requires b >= 2"},
		{"a request", "a-2", "a, b", "the request b is not met"},
		{"two versions", "a-1 a-2 b-2", "a", "are both installed"},
		{"two kernels", "kernel-1 kernel-2", "kernel = 1, kernel = 2", ""},
		{"conflict", "b-2 c-1", "b, c", "c-1-1.noarch conflicts with b < 3"},
		{"rich conflict", "a-2 h-1 f-1 g-1 b-2", "a, h, f", "h-1-1.noarch conflicts with (a and f)"},
		{"obsoletes", "b-2 d-1", "b = 2, d", "d-1-1.noarch obsoletes b-2-1.x86_64"},
		{"obsoletes what a request names", "d-1", "b", ""},
		{"architecture", "e-1", "e", "is not for x86_64"},
		{"needless", "a-2 b-2", "a", "nothing needs b-2-1.x86_64"},
		{"a condition not met", "f-1 a-2 g-1", "f, a", "f-1-1.noarch requires (b if a)"},
		{"a condition met", "f-1 a-2 b-1 g-1", "f, a", ""},
		{"a path", "f-1", "f", "requires /usr/bin/x"},
		{"a feature and itself", "g-1", "g", ""},
		{"a recommended one", "h-1 b-2", "h", "nothing needs b-2-1.x86_64"},
		{"instead of a virtual", "i-1 a-2", "i, a", "i-1-1.noarch brings what ogr already is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := rpmrepo.New(rpmrepo.DefaultConfig("r"), world)
			if err != nil {
				t.Fatal(err)
			}
			p := resolve.Problem{Repositories: []*rpmrepo.Repository{r}, Arch: "x86_64"}
			if strings.Contains(c.name, "virtual") {
				p.Virtuals = []resolve.Virtual{{
					Name: "ogr", EVR: rpm.EVR{Version: "1"}, Provides: []rpm.Dependency{{Name: "python3dist(ogr)"}},
				}}
			}
			for text := range strings.SplitSeq(c.requests, ",") {
				d, err := rpm.ParseDependency(text)
				if err != nil {
					t.Fatal(err)
				}
				p.Requests = append(p.Requests, resolve.Request{Dependency: d})
			}
			err = check.Solution(t.Context(), p, solution(t, r, c.packages))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// solution takes packages, given as name-version, from the repository.
func solution(t *testing.T, r *rpmrepo.Repository, packages string) *resolve.Solution {
	t.Helper()
	s := &resolve.Solution{}
	for want := range strings.FieldsSeq(packages) {
		for i, p := range r.All() {
			if p.Name+"-"+p.EVR.Version == want {
				s.Packages = append(s.Packages, resolve.Chosen{
					Repository: r, Index: i, Package: p, Why: []resolve.Why{{Dependency: p.Name}},
				})
			}
		}
	}
	if len(s.Packages) != len(strings.Fields(packages)) {
		t.Fatalf("not all of %s exist", packages)
	}
	return s
}

// pkg makes a package; each dependency starts with the name of its list.
func pkg(t *testing.T, nevra string, deps ...string) rpmrepo.Package {
	t.Helper()
	n, err := rpm.ParseNEVRA(nevra)
	if err != nil {
		t.Fatal(err)
	}
	p := rpmrepo.Package{NEVRA: n, Location: nevra + ".rpm", SHA256: strings.Repeat("0", 64), Size: 1}
	lists := map[string]*[]rpm.Dependency{
		"requires": &p.Requires, "provides": &p.Provides, "conflicts": &p.Conflicts,
		"obsoletes": &p.Obsoletes, "recommends": &p.Recommends,
	}
	for _, text := range deps {
		list, text, _ := strings.Cut(text, " ")
		d, err := rpm.ParseDependency(text)
		if err != nil {
			t.Fatal(err)
		}
		*lists[list] = append(*lists[list], d)
	}
	return p
}
