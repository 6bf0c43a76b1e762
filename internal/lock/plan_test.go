package lock

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/rpm"
)

func made(name, source string, size int64, roots ...string) Package {
	return Package{
		NEVRA:  rpm.NEVRA{Name: name, EVR: rpm.EVR{Version: "1", Release: "1"}, Arch: "noarch"},
		Source: source + "-1-1.src.rpm", Size: size, Roots: roots,
	}
}

func randomPackages(r *rand.Rand, n int) []Package {
	rootSets := [][]string{{"web"}, {"worker"}, {"web", "worker"}, {"worker", "web", BuildRoot}, {BuildRoot}}
	var packages []Package
	for i := range n {
		size := r.Int64N(4 << 20)
		if r.IntN(30) == 0 {
			size *= 20
		}
		packages = append(packages, made(fmt.Sprint("p", i), fmt.Sprint("s", r.IntN(n/2+1)), size, rootSets[r.IntN(len(rootSets))]...))
	}
	return packages
}

func layers(packages []Package) map[string]string {
	m := map[string]string{}
	for _, p := range packages {
		m[p.NEVRA.Name] = p.Layer
	}
	return m
}

func TestPlanIsStable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	packages := randomPackages(r, 300)
	Plan(packages, 0)
	before := layers(packages)
	for range 100 {
		changed := append([]Package{}, packages...)
		i := r.IntN(len(changed))
		changed = append(changed[:i], changed[i+1:]...) // remove one
		changed = append(changed, made("new", "newsource", r.Int64N(20<<20), "web"))
		r.Shuffle(len(changed), func(i, j int) { changed[i], changed[j] = changed[j], changed[i] })
		Plan(changed, 0)
		for name, layer := range layers(changed) {
			if name != "new" && before[name] != layer {
				t.Fatalf("%s moved from %s to %s", name, before[name], layer)
			}
		}
	}
}

// TestUpdates updates random packages, one at a time: the layers of all others stay what they are.
// What the layers hold that are pushed again is printed.
func TestUpdates(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for _, limit := range []int{0, 40, MaxLayers} {
		packages := randomPackages(r, 400)
		Plan(packages, limit)
		var total, again, most int64
		for _, p := range packages {
			total += p.Size
		}
		const updates = 200
		for range updates {
			i := r.IntN(len(packages))
			updated := slices.Clone(packages)
			updated[i].NEVRA.EVR.Release = fmt.Sprint(2 + r.IntN(9))
			updated[i].Source = strings.Replace(updated[i].Source, "-1.src", "-2.src", 1)
			updated[i].Size += updated[i].Size/100 - r.Int64N(updated[i].Size/50+1)
			if updated[i].Size/planLarge != packages[i].Size/planLarge {
				continue // it became large, or is no longer
			}
			Plan(updated, limit)
			for j := range updated {
				if updated[j].Layer != packages[j].Layer && updated[j].Size/planLarge == packages[j].Size/planLarge {
					t.Fatalf("seed %d, limit %d: an update of %s moved %s from %s to %s", seed, limit,
						packages[i].NEVRA, packages[j].NEVRA, packages[j].Layer, updated[j].Layer)
				}
			}
			var n int64
			for _, p := range updated {
				if p.Layer == updated[i].Layer && p.Layer != "" {
					n += p.Size
				}
			}
			again, most = again+n, max(most, n)
		}
		t.Logf("limit %d: of %d MB, an update pushes %.1f MB again, %.1f MB at most", limit, total>>20, float64(again)/updates/(1<<20), float64(most)/(1<<20))
	}
}

func TestPlan(t *testing.T) {
	packages := []Package{
		made("a", "src", 1, "web", "worker"),
		made("a-libs", "src", 2, "worker", "web", BuildRoot),
		made("big", "src", 50<<20, "web", "worker"),
		made("b", "src", 1, "web"),
		made("tool", "tool", 50<<20, BuildRoot),
		{NEVRA: rpm.NEVRA{Name: "nosource"}, Roots: []string{"worker"}},
	}
	Plan(packages, 0)
	got := layers(packages)
	if got["a"] != got["a-libs"] || got["a"][:4] != "all/" {
		t.Errorf("packages of one source are apart: %v", got)
	}
	if got["big"] != "all/big" || got["b"][:4] != "web/" || got["tool"] != "" || got["nosource"][:7] != "worker/" {
		t.Errorf("got %v", got)
	}
}

func TestPlanLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	packages := randomPackages(r, 500)
	for _, limit := range []int{100, 40, 20, 10, 4, 2} {
		Plan(packages, limit)
		if n := mostLayers(packages, imagesOf(packages)); n > limit {
			t.Errorf("limit %d: %d layers", limit, n)
		}
	}
	Plan(packages, 1) // web's packages are of two groups: more than one layer is needed
	if n := mostLayers(packages, imagesOf(packages)); n != 2 {
		t.Errorf("limit 1: %d layers", n)
	}
}

func TestDigest(t *testing.T) {
	base := func() *Target { return example(t).Target("universe") }
	web, build := base().Digest("web"), base().Digest(BuildRoot)
	if web == build {
		t.Error("two roots have one digest")
	}
	for name, c := range map[string]struct {
		change     func(*Target)
		web, build bool // whether the digest must change
	}{
		"origin": {func(t *Target) { t.Packages[0].Path, t.Packages[0].Why = "elsewhere", "" }, false, false},
		"order":  {func(t *Target) { t.Packages[0], t.Packages[1] = t.Packages[1], t.Packages[0] }, false, false},
		"other":  {func(t *Target) { t.Packages[2].SHA256 = sum("new") }, false, true},
		"file":   {func(t *Target) { t.Packages[1].SHA256 = sum("new") }, true, false},
		"layer":  {func(t *Target) { t.Packages[0].Layer = "web/04" }, true, false},
		"root":   {func(t *Target) { t.Packages[2].Roots = []string{"web"}; t.Packages[2].Layer = "web/01" }, true, true},
		"arch":   {func(t *Target) { t.Arch = "aarch64" }, true, true},
	} {
		target := base()
		c.change(target)
		if (target.Digest("web") != web) != c.web || (target.Digest(BuildRoot) != build) != c.build {
			t.Errorf("%s: changed %v and %v", name, target.Digest("web") != web, target.Digest(BuildRoot) != build)
		}
	}
}

func TestKeep(t *testing.T) {
	var none *Target
	if got := none.Keep("web"); len(got) != 0 {
		t.Errorf("no target keeps %v", got)
	}
	target := &Target{Packages: []Package{
		{NEVRA: nevra(t, "a-1-1.noarch"), Roots: []string{"web"}},
		{NEVRA: nevra(t, "a-2-1.noarch"), Roots: []string{"worker"}},
		{NEVRA: nevra(t, "b-2-1.noarch"), Roots: []string{"worker"}},
		{NEVRA: nevra(t, "b-3-1.noarch"), Roots: []string{BuildRoot}},
	}}
	for root, want := range map[string]string{
		"web": "a-1-1.noarch b-3-1.noarch", "worker": "a-2-1.noarch b-2-1.noarch", "new": "a-2-1.noarch b-3-1.noarch",
	} {
		keep := target.Keep(root)
		if got := keep["a"].String() + " " + keep["b"].String(); got != want {
			t.Errorf("%s keeps %s, want %s", root, got, want)
		}
	}
}
