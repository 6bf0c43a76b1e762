package resolve_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

func TestNoBest(t *testing.T) {
	for _, c := range []ruleCase{
		{"older", "a-1-1.noarch\na-2-1.noarch\n requires: x", "a", "a-1"},
		{"newest all the same", "a-1-1.noarch\na-2-1.noarch", "a", "a-2"},
		{"ranges that meet", "a-1-1.noarch\na-2-1.noarch\na-3-1.noarch", "a < 3, a >= 2", "a-2"},
		{"ranges that do not", "a-1-1.noarch\na-3-1.noarch", "a < 3, a >= 2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := resolve.Problem{
				Repositories: repositories(t, c.repos), Arch: "x86_64", Requests: requests(t, c.request), NoBest: true,
			}
			expect(t, p, c.want)
			if c.want == "" {
				return
			}
			p.NoBest = false
			var conflict *resolve.Conflict
			if _, err := resolve.Resolve(context.Background(), p); errors.As(err, &conflict) && !conflict.OnlyBest {
				t.Errorf("it is not said that an older package would do:\n%v", conflict)
			}
		})
	}
}

func TestWeak(t *testing.T) {
	for _, c := range []ruleCase{
		{"recommends", "a-1-1.noarch\n recommends: b\nb-1-1.noarch", "a", "a-1 b-1"},
		{"recommends with its needs", "a-1-1.noarch\n recommends: b\nb-1-1.noarch\n requires: c\nc-1-1.noarch", "a", "a-1 b-1 c-1"},
		{"recommends of a recommended one", "a-1-1.noarch\n recommends: b\nb-1-1.noarch\n recommends: c\nc-1-1.noarch", "a", "a-1 b-1 c-1"},
		{"broken", "a-1-1.noarch\n recommends: b, c\nb-1-1.noarch\n requires: x\nc-1-1.noarch", "a", "a-1 c-1"},
		{"broken below", "a-1-1.noarch\n recommends: b, c\nb-1-1.noarch\n requires: d\nd-1-1.noarch\n requires: x\nc-1-1.noarch", "a", "a-1 c-1"},
		{"conflict", "a-1-1.noarch\n recommends: b\n conflicts: b\nb-1-1.noarch", "a", "a-1"},
		{"missing", "a-1-1.noarch\n recommends: b", "a", "a-1"},
		{"there already", "a-1-1.noarch\n recommends: x\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x", "a, c", "a-1 c-1"},
		{"newest", "a-1-1.noarch\n recommends: b\nb-1-1.noarch\nb-2-1.noarch", "a", "a-1 b-2"},
		{"supplements", "a-1-1.noarch\nb-1-1.noarch\n supplements: a", "a", "a-1 b-1"},
		{"supplements two", "a-1-1.noarch\nb-1-1.noarch\n supplements: (a and c)\nc-1-1.noarch", "a", "a-1"},
		{"supplements two, met", "a-1-1.noarch\nb-1-1.noarch\n supplements: (a and c)\nc-1-1.noarch", "a, c", "a-1 b-1 c-1"},
		{"rich", "a-1-1.noarch\n recommends: (b if c)\nb-1-1.noarch\nc-1-1.noarch", "a", "a-1"},
		{"rich, met", "a-1-1.noarch\n recommends: (b if c)\nb-1-1.noarch\nc-1-1.noarch", "a, c", "a-1 b-1 c-1"},
		{"suggests", "a-1-1.noarch\n suggests: b\nb-1-1.noarch\nc-1-1.noarch\n enhances: a", "a", "a-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := resolve.Problem{
				Repositories: repositories(t, c.repos), Arch: "x86_64", Requests: requests(t, c.request), Weak: true,
			}
			expect(t, p, c.want)
		})
	}
}

func TestKeepRules(t *testing.T) {
	for _, c := range []struct {
		ruleCase
		keep string
	}{
		{ruleCase{"request", "a-1-1.noarch\na-2-1.noarch", "a", "a-1"}, "a-1-1.noarch"},
		{ruleCase{"requirement", "a-1-1.noarch\n requires: b\nb-1-1.noarch\nb-2-1.noarch", "a", "a-1 b-1"}, "b-1-1.noarch"},
		{ruleCase{"provider", "a-1-1.noarch\n requires: x\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x", "a", "a-1 c-1"}, "c-1-1.noarch"},
		{ruleCase{"gone", "a-1-1.noarch\na-3-1.noarch", "a", "a-3"}, "a-2-1.noarch"},
		{ruleCase{"too old now", "a-1-1.noarch\na-2-1.noarch\na-3-1.noarch", "a >= 2", "a-3"}, "a-1-1.noarch"},
		{ruleCase{"broken now", "a-1-1.noarch\n requires: x\na-2-1.noarch", "a", "a-2"}, "a-1-1.noarch"},
		{ruleCase{"in the way of another request", "a-1-1.noarch\n requires: b\nb-1-1.noarch\nb-2-1.noarch\nc-1-1.noarch\n requires: b >= 2",
			"a, c", "a-1 b-2 c-1"}, "a-1-1.noarch b-1-1.noarch"},
		{ruleCase{"not needed any more", "a-1-1.noarch\nb-1-1.noarch", "a", "a-1"}, "a-1-1.noarch b-1-1.noarch"},
		{ruleCase{"lower priority", "repo x priority=10\na-2-1.noarch\nrepo y priority=20\na-1-1.noarch", "a", "a-1"}, "a-1-1.noarch"},
		{ruleCase{"another architecture of it", "a-1-1.noarch\na-1-1.x86_64\na-2-1.x86_64", "a", "a-1-1.x86_64"}, "a-1-1.x86_64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := resolve.Problem{
				Repositories: repositories(t, c.repos), Arch: "x86_64", Requests: requests(t, c.request), Keep: map[string]rpm.NEVRA{},
			}
			for text := range strings.FieldsSeq(c.keep) {
				n, err := rpm.ParseNEVRA(text)
				if err != nil {
					t.Fatal(err)
				}
				p.Keep[n.Name] = n
			}
			expect(t, p, c.want)
		})
	}
}

func TestVirtuals(t *testing.T) {
	for _, c := range []struct {
		ruleCase
		virtuals string
	}{
		{ruleCase{"meets a request", "a-1-1.noarch", "ogr", ""}, "ogr 1.4"},
		{ruleCase{"meets a requirement", "a-1-1.noarch\n requires: python3dist(ogr) >= 1", "a", "a-1"}, "ogr 1.4 python3dist(ogr) = 1.4"},
		{ruleCase{"takes the place of its name", "a-1-1.noarch\n requires: python3-ogr\npython3-ogr-3-1.noarch", "a", "a-1"},
			"ogr 1.4 python3-ogr = 1.4"},
		{ruleCase{"takes the place of its distribution", "a-1-1.noarch\n requires: python3dist(ogr)\nother-3-1.noarch\n provides: python3dist(ogr) = 3",
			"a", "a-1"}, "ogr 1.4 python3dist(ogr) = 1.4"},
		{ruleCase{"leaves other providers", "a-1-1.noarch\n requires: web >= 2\nb-2-1.noarch\n provides: web = 2", "a", "a-1 b-2"}, "ogr 1.4 web = 1"},
		{ruleCase{"too old", "a-1-1.noarch\n requires: python3dist(ogr) >= 2", "a", ""}, "ogr 1.4 python3dist(ogr) = 1.4"},
		{ruleCase{"conflict", "a-1-1.noarch\n conflicts: python3dist(ogr) < 2", "a", ""}, "ogr 1.4 python3dist(ogr) = 1.4"},
		{ruleCase{"rich", "a-1-1.noarch\n requires: (b if python3dist(ogr))\nb-1-1.noarch", "a", "a-1 b-1"}, "ogr 1.4 python3dist(ogr) = 1.4"},
		{ruleCase{"choice", "a-1-1.noarch\n requires: web\nb-2-1.noarch\n provides: web", "a", "a-1"}, "ogr 1.4 web = 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := resolve.Problem{
				Repositories: repositories(t, c.repos), Arch: "x86_64", Requests: requests(t, c.request), Virtuals: virtuals(t, c.virtuals),
			}
			if c.name == "meets a request" {
				if s, err := resolve.Resolve(context.Background(), p); err != nil || len(s.Packages) > 0 {
					t.Errorf("got %v, %v, want no packages at all", s, err)
				}
				return
			}
			expect(t, p, c.want)
		})
	}
}

func TestExcluded(t *testing.T) {
	config := rpmrepo.DefaultConfig("main")
	config.Exclude = []string{"a-2*"}
	r, err := rpmrepo.New(config, packagesOf(t, "a-1-1.noarch\na-2-1.noarch"))
	if err != nil {
		t.Fatal(err)
	}
	p := resolve.Problem{Repositories: []*rpmrepo.Repository{r}, Arch: "x86_64", Requests: requests(t, "a")}
	expect(t, p, "a-1")
	p.Requests = requests(t, "a >= 2")
	_, err = resolve.Resolve(context.Background(), p)
	if err == nil || !strings.Contains(err.Error(), "a-1-1.noarch has 1-1, needs >= 2") {
		t.Errorf("got %v", err)
	}
}

func TestWhy(t *testing.T) {
	p := resolve.Problem{
		Repositories: repositories(t, "a-1-1.noarch\n requires: b >= 1\nb-1-1.noarch\nc-1-1.noarch\n requires: b"), Arch: "x86_64",
		Requests: []resolve.Request{
			{Dependency: dep(t, "a"), Origin: "two.cfg:2", Label: "A>1"},
			{Dependency: dep(t, "a"), Origin: "one.cfg:1"},
			{Dependency: dep(t, "c")},
		},
	}
	s := expect(t, p, "a-1 b-1 c-1")
	var got []string
	for _, c := range s.Packages {
		for _, w := range c.Why {
			got = append(got, c.Package.Name+": "+w.String())
		}
	}
	want := "a: one.cfg:1 asks for a\na: two.cfg:2 asks for A>1\n" +
		"b: a-1-1.noarch requires b >= 1\nb: c-1-1.noarch requires b\nc: requested: c"
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := resolve.Problem{
		Repositories: repositories(t, "a-1-1.noarch\n requires: x\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x"),
		Arch:         "x86_64", Requests: requests(t, "a"),
	}
	if _, err := resolve.Resolve(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNothing(t *testing.T) {
	if s, err := resolve.Resolve(context.Background(), resolve.Problem{Arch: "x86_64"}); err != nil || len(s.Packages) != 0 {
		t.Errorf("got %v, %v", s, err)
	}
	var conflict *resolve.Conflict
	_, err := resolve.Resolve(context.Background(), resolve.Problem{Arch: "x86_64", Requests: requests(t, "a")})
	if !errors.As(err, &conflict) {
		t.Errorf("got %v", err)
	}
}

// A memory changes no answer, whatever was asked before.
func TestMemory(t *testing.T) {
	l := limits{names: 12, versions: 3, requests: 3, rich: true, weak: true, repos: true}
	var memory resolve.Memory
	for n := range uint64(40) {
		w := randomWorld(rand.New(rand.NewPCG(*seed, n)), l)
		p := w.problem(t)
		for round := range 3 {
			p.NoBest, p.Weak, p.Memory = round == 1, round == 2, nil
			want := askUs(t, p)
			p.Memory = &memory
			if got := askUs(t, p); !slices.Equal(got.Packages, want.Packages) || got.Error != want.Error {
				t.Fatalf("world %d, round %d: %q%s with a memory, %q%s without\n%s", n, round, got.Packages, got.Error, want.Packages, want.Error, w)
			}
		}
	}
}

// TestExtras asks for what dnf takes for a pattern and Python's packages provide in so many words.
func TestExtras(t *testing.T) {
	p := resolve.Problem{Arch: "x86_64", Repositories: repositories(t, "a-1-1.noarch\n provides: x(y[z])\nb-1-1.noarch\n provides: x(yz)")}
	p.Requests = requests(t, "x(y[z])")
	expect(t, p, "a-1")
	p.Requests = requests(t, "x(*[z])")
	expect(t, p, "a-1")
}
