package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// request is what is put to both, and of which kind it is.
type request struct {
	kind string
	args []string
}

// The kinds of single things that requests are made of.
const (
	names    = "names"
	provides = "provides"
	paths    = "paths"
	rich     = "rich dependencies"
	builds   = "builds"
	versions = "versions"
	patterns = "patterns"
)

// sampled is how many things of each kind are tried on dnf alone; of names, four times as many.
const sampled = 400

// drawer draws requests.
type drawer struct {
	*rand.Rand
	// good and bad are the things that dnf can and cannot install alone, by kind.
	good, bad map[string][]string
	// rivals are pairs of names that cannot be together, as far as their Conflicts say.
	rivals [][2]string
	// multiple are the builds of packages of which there are several, as requests.
	multiple [][]string
}

// newDrawer looks through the repositories, and has dnf try a sample of what is in them.
func newDrawer(ctx context.Context, p *peers) (*drawer, error) {
	d := &drawer{Rand: rand.New(rand.NewPCG(p.seed, 4)), good: map[string][]string{}, bad: map[string][]string{}}
	things := d.things(p)
	var alone []request
	for _, kind := range slices.Sorted(maps.Keys(things)) {
		n := sampled
		if kind == names {
			n *= 4
		}
		for _, text := range d.some(things[kind], n) {
			alone = append(alone, request{kind, []string{text}})
		}
	}
	answers, err := p.theirs(ctx, args(alone))
	if err != nil {
		return nil, err
	}
	for i, a := range answers {
		into := d.good
		if a.Error != "" {
			into = d.bad
		}
		into[alone[i].kind] = append(into[alone[i].kind], alone[i].args[0])
	}
	if len(d.good[names]) == 0 {
		return nil, fmt.Errorf("dnf can install none of %d packages of these repositories: %s", len(alone), answers[0].Error)
	}
	d.findRivals(p)
	d.findMultiple(p)
	return d, nil
}

func args(requests []request) [][]string {
	all := make([][]string, len(requests))
	for i, r := range requests {
		all[i] = r.args
	}
	return all
}

// some gives up to n different ones of a list, in the order of a shuffle.
func (d *drawer) some(list []string, n int) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	list = slices.Compact(list)
	d.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:min(n, len(list))]
}

// things lists what the repositories hold that can be asked for, by kind.
func (d *drawer) things(p *peers) map[string][]string {
	found := map[string][]string{}
	add := func(kind string, texts ...string) { found[kind] = append(found[kind], texts...) }
	for _, pkg := range p.visible() {
		add(names, pkg.Name)
		evr := pkg.EVR.Version + "-" + pkg.EVR.Release
		add(builds, pkg.Name+"."+pkg.Arch, pkg.Name+"-"+pkg.EVR.Version, pkg.Name+"-"+evr, pkg.NEVRA.String())
		add(versions, pkg.Name+" = "+pkg.EVR.String(), pkg.Name+" >= "+pkg.EVR.Version, pkg.Name+" < "+evr)
		if n := len(pkg.Name); n > 4 { // shorter ones would fit half of a distribution
			cut := n/2 + 1 + d.IntN(n-n/2-1)
			add(patterns, pkg.Name[:cut]+"*", pkg.Name[:cut]+"?"+pkg.Name[cut:][1:], pkg.Name[:cut]+"["+pkg.Name[cut:cut+1]+"]*-"+pkg.EVR.Version)
		}
		for _, dep := range pkg.Provides {
			if dep.Name != pkg.Name && !strings.ContainsAny(dep.Name, "*?[") { // that would be a pattern
				add(provides, dep.String(), dep.Name)
			}
		}
		add(paths, pkg.Files...)
		for _, list := range [][]rpm.Dependency{pkg.Requires, pkg.Conflicts, pkg.Recommends, pkg.Suggests, pkg.Supplements, pkg.Enhances} {
			if slices.ContainsFunc(list, rpm.Dependency.IsRich) {
				add(rich, pkg.Name)
			}
		}
	}
	return found
}

// visible lists the packages that both see.
func (p *peers) visible() []*rpmrepo.Package {
	var all []*rpmrepo.Package
	for _, r := range p.repos {
		for _, pkg := range r.All() {
			if pkg.Arch == p.arch || pkg.Arch == "noarch" {
				all = append(all, pkg)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *rpmrepo.Package) int { return cmp.Or(a.NEVRA.Compare(b.NEVRA), 0) })
	return all
}

// findRivals pairs packages with what they conflict with or obsolete.
func (d *drawer) findRivals(p *peers) {
	good := map[string]bool{}
	for _, name := range d.good[names] {
		good[name] = true
	}
	for _, pkg := range p.visible() {
		if !good[pkg.Name] {
			continue
		}
		for _, dep := range slices.Concat(pkg.Conflicts, pkg.Obsoletes) {
			for _, r := range p.repos {
				for _, n := range r.Named(dep.Name) {
					other := r.Package(n)
					if dep.MatchedBy(rpm.Dependency{Name: other.Name, Sense: rpm.Equal, EVR: other.EVR}) {
						d.rivals = append(d.rivals, [2]string{pkg.Name, other.Name})
					}
				}
				for _, by := range r.Providers(dep.Name) {
					if dep.MatchedBy(by.Entry) {
						d.rivals = append(d.rivals, [2]string{pkg.Name, r.Package(by.Package).Name})
					}
				}
			}
		}
	}
	slices.SortFunc(d.rivals, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	d.rivals = slices.DeleteFunc(slices.Compact(d.rivals), func(pair [2]string) bool { return pair[0] == pair[1] })
}

// twoBuilds asks for two builds of one package, which cannot be there together, kernels excepted; nil
// where each package has one.
func (d *drawer) twoBuilds() []string {
	if len(d.multiple) == 0 {
		return nil
	}
	builds := d.multiple[d.IntN(len(d.multiple))]
	first := d.IntN(len(builds))
	second := (first + 1 + d.IntN(len(builds)-1)) % len(builds)
	return []string{builds[first], builds[second]}
}

// findMultiple lists the builds of each package that has several.
func (d *drawer) findMultiple(p *peers) {
	var last string
	var builds []string
	flush := func() {
		if len(slices.Compact(builds)) > 1 {
			d.multiple = append(d.multiple, slices.Compact(builds))
		}
	}
	for _, pkg := range p.visible() {
		if pkg.Name != last {
			flush()
			last, builds = pkg.Name, nil
		}
		builds = append(builds, pkg.Name+" = "+pkg.EVR.String())
	}
	flush()
}

// pick draws one of a kind; where there is none, a name.
func (d *drawer) pick(from map[string][]string, kind string) string {
	list := from[kind]
	if len(list) == 0 {
		list = d.good[names]
	}
	return list[d.IntN(len(list))]
}

// several draws between 1 and most of a kind.
func (d *drawer) several(kind string, most int) []string {
	var args []string
	for range 1 + d.IntN(most) {
		args = append(args, d.pick(d.good, kind))
	}
	return args
}

// solvable draws a request of each kind that dnf can likely meet.
func (d *drawer) solvable() []request {
	var all []request
	for _, size := range []struct{ from, to int }{{1, 1}, {2, 5}, {6, 10}, {11, 20}, {21, 30}, {31, 40}} {
		var args []string
		for range size.from + d.IntN(size.to-size.from+1) {
			args = append(args, d.pick(d.good, names))
		}
		all = append(all, request{fmt.Sprintf("%02d to %02d names", size.from, size.to), args})
	}
	for _, kind := range []string{provides, paths, rich, builds, versions, patterns} {
		if len(d.good[kind]) > 0 {
			all = append(all, request{kind, d.several(kind, 5)})
		}
	}
	mixed := append(d.several(names, 5), d.several(provides, 3)...)
	return append(all, request{"mixed", append(mixed, d.several(paths, 3)...)})
}

// unsolvable draws a request of each kind that dnf likely cannot meet.
func (d *drawer) unsolvable() []request {
	some := d.several(names, 6)
	name := d.pick(d.good, names)
	all := []request{
		{"unknown", append(d.several(names, 6), name+"x"+fmt.Sprint(d.IntN(1000)))},
		{"no version", append(d.several(names, 6), fmt.Sprintf("%s > 9999:%d", name, 1+d.IntN(9)))},
	}
	for _, kind := range []string{names, provides, paths, builds} {
		if len(d.bad[kind]) > 0 {
			all = append(all, request{"not alone", append(slices.Clone(some), d.pick(d.bad, kind))})
		}
	}
	if pair := d.twoBuilds(); pair != nil {
		all = append(all, request{"two builds", append(d.several(names, 3), pair...)})
	}
	if len(d.rivals) > 0 {
		for range 3 {
			pair := d.rivals[d.IntN(len(d.rivals))]
			all = append(all, request{"rivals", append(d.several(names, 3), pair[0], pair[1])})
		}
	}
	return all
}
