package resolve

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// maxMisses is how many near misses are told of one dependency.
const maxMisses = 3

// misses says what comes near to a dependency without meeting it: other versions, packages that are
// out of the question, and where nothing has the name, names like it. Where packages that meet it
// were told already, it is not said that there are none.
func (p *pool) misses(d rpm.Dependency, met bool) []Reason {
	if d.IsRich() {
		return p.richMisses(d)
	}
	reasons := p.otherVersions(d)
	met = met || len(p.whoProvides(d)) > 0
	reasons = append(reasons, p.outOfQuestion(d, met || len(reasons) > 0)...)
	if len(reasons) == 0 && !met {
		reasons = p.otherSymbols(d)
	}
	if len(reasons) == 0 && !met {
		reasons = []Reason{{Text: p.unknown(d)}}
	}
	return reasons
}

// otherSymbols lists packages that have a library, but not with the symbol version that is needed, as
// in libnuma.so.1(libnuma_1.6)(64bit), the newest of each name.
func (p *pool) otherSymbols(d rpm.Dependency) []Reason {
	library, rest, _ := strings.Cut(d.Name, "(")
	version, mark, found := strings.Cut(rest, ")")
	if !found || version == "" || !strings.Contains(library, ".so") {
		return nil
	}
	bare := library
	if mark != "" {
		bare += "()" + mark
	}
	newest := map[string]id{}
	for _, i := range p.whoProvides(rpm.Dependency{Name: bare}) {
		pkg := p.pkg(i)
		if was, ok := newest[pkg.Name]; !ok || pkg.EVR.Compare(p.pkg(was).EVR) > 0 {
			newest[pkg.Name] = i
		}
	}
	var reasons []Reason
	for _, name := range slices.Sorted(maps.Keys(newest)) {
		reasons = append(reasons, Reason{Text: fmt.Sprintf("%s has %s, but not with %s", p.label(newest[name]), library, version)})
	}
	return reasons[:min(len(reasons), maxMisses)]
}

// richMisses looks at the parts of a rich dependency that nothing meets.
func (p *pool) richMisses(d rpm.Dependency) []Reason {
	r := p.parseRich(d.Name)
	if r == nil {
		return []Reason{{Text: "this is not a well-formed dependency"}}
	}
	var reasons []Reason
	for _, leaf := range leavesOf(r) {
		if len(p.whoProvides(leaf)) == 0 && !isFeature(leaf) {
			for _, miss := range p.misses(leaf, false) {
				reasons = append(reasons, Reason{Text: fmt.Sprintf("%s: %s", leaf, miss.Text)})
			}
		}
	}
	return reasons
}

func leavesOf(r *rpm.Rich) []rpm.Dependency {
	if r == nil {
		return nil
	}
	if r.Op == rpm.RichDep {
		return []rpm.Dependency{r.Dep}
	}
	return slices.Concat(leavesOf(r.Left), leavesOf(r.Right), leavesOf(r.Else))
}

// otherVersions lists packages that have the name in a version that is out of range, the newest of
// each.
func (p *pool) otherVersions(d rpm.Dependency) []Reason {
	if d.Sense&rpm.RangeMask == 0 {
		return nil
	}
	type miss struct {
		id  id
		has rpm.EVR
	}
	best := map[string]miss{} // by package name
	for _, i := range p.whoProvides(rpm.Dependency{Name: d.Name}) {
		for _, has := range p.providesOf(i, d.Name) {
			if d.MatchedBy(has) {
				continue
			}
			name := p.pkg(i).Name
			if was, ok := best[name]; !ok || has.EVR.Compare(was.has) > 0 {
				best[name] = miss{i, has.EVR}
			}
		}
	}
	found := make([]miss, 0, len(best))
	for _, m := range best {
		found = append(found, m)
	}
	slices.SortFunc(found, func(a, b miss) int { return cmp.Or(b.has.Compare(a.has), cmp.Compare(a.id, b.id)) })
	var reasons []Reason
	for _, m := range found[:min(len(found), maxMisses)] {
		reasons = append(reasons, Reason{Text: fmt.Sprintf("%s has %s, needs %s %s", p.label(m.id), m.has, d.Operator(), d.EVR)})
	}
	return reasons
}

// providesOf gives a package's provides of a name.
func (p *pool) providesOf(i id, name string) []rpm.Dependency {
	pkg := p.pkg(i)
	var found []rpm.Dependency
	for _, d := range append([]rpm.Dependency{itself(pkg)}, pkg.Provides...) {
		if d.Name == name {
			found = append(found, d)
		}
	}
	return found
}

// outOfQuestion lists packages that would meet the dependency, were they not of another
// architecture, excluded, hidden by a module, or displaced by an internal project; or, on demand,
// those alone that a module hides or the configuration excludes, which a person can change.
func (p *pool) outOfQuestion(d rpm.Dependency, changeable bool) []Reason {
	var reasons []Reason
	for _, src := range p.repos {
		for n := range src.Len() {
			if changeable && src.Hiding(n) == "" && !src.Excluded(n) {
				continue
			}
			pkg := src.Package(n)
			if why := p.whyNot(src, n, pkg); why != "" && (meets(pkg, d) || names(pkg, d.Name)) {
				reasons = append(reasons, Reason{Text: fmt.Sprintf("%s %s", pkg.NEVRA, why)})
			}
		}
	}
	slices.SortFunc(reasons, func(a, b Reason) int { return strings.Compare(b.Text, a.Text) })
	return reasons[:min(len(reasons), maxMisses)]
}

func (p *pool) whyNot(src source, n int, pkg *rpmrepo.Package) string {
	switch {
	case src.Hiding(n) != "":
		return src.Hiding(n)
	case src.Excluded(n):
		return fmt.Sprintf("is excluded by the configuration of repository %s", src.Config.ID)
	case pkg.Arch == "src" || pkg.Arch == "nosrc":
		return ""
	case pkg.Arch != p.arch && pkg.Arch != "noarch":
		return fmt.Sprintf("is for %s, the target is %s", pkg.Arch, p.arch)
	}
	if v := p.displacedBy(pkg); v != nil {
		return fmt.Sprintf("is not taken, because %s is installed in its place", v.label)
	}
	return ""
}

// names says whether a text names the package together with its architecture.
func names(pkg *rpmrepo.Package, text string) bool {
	return strings.HasSuffix(text, "."+pkg.Arch) && (text == pkg.Name+"."+pkg.Arch || text == pkg.NEVRA.String())
}

// meets says whether a package as such meets a dependency by what it is and provides.
func meets(pkg *rpmrepo.Package, d rpm.Dependency) bool {
	return d.MatchedBy(itself(pkg)) || slices.ContainsFunc(pkg.Provides, d.MatchedBy) ||
		d.IsPath() && slices.Contains(pkg.Files, d.Name)
}

// unknown says that nothing has the name, and which names are like it.
func (p *pool) unknown(d rpm.Dependency) string {
	text := "nothing provides " + d.Name
	switch {
	case strings.HasPrefix(d.Name, "@"):
		return "groups and modules (@) are not resolved: name packages instead"
	case rpm.IsGlob(d.Name) && !strings.Contains(d.Name, "("):
		return "no package fits " + d.Name
	case d.IsPath():
		text = "no package has the file " + d.Name
	}
	near := p.otherBuilds(d.Name)
	if len(near) == 0 {
		near = p.nearest(d.Name)
	}
	if len(near) > 0 {
		text += "; there is " + enumerate(near)
	}
	return text
}

// otherBuilds names the newest package of a name where a text asks for another build of it.
func (p *pool) otherBuilds(text string) []string {
	for _, subject := range rpm.Subjects(text) {
		ids := p.byName(subject.Name)
		if len(ids) == 0 || !strings.ContainsAny(subject.Version[:min(1, len(subject.Version))], "0123456789") {
			continue
		}
		return []string{p.label(slices.MaxFunc(ids, func(a, b id) int { return p.pkg(a).EVR.Compare(p.pkg(b).EVR) }))}
	}
	return nil
}

// nearest gives up to three names that are most like a name: the same after "python3-" or but for
// case, or a few letters off.
func (p *pool) nearest(name string) []string {
	type scored struct {
		name     string
		distance int
	}
	var found []scored
	// What comes before the last hyphen or parenthesis is mostly shared with many names.
	limit := min(3, len(name[strings.LastIndexAny(name, "-(/")+1:])/3)
	consider := func(candidate string) {
		if distance := unlikeness(name, candidate, limit); distance <= limit {
			found = append(found, scored{candidate, distance})
		}
	}
	for _, src := range p.repos {
		for n := range src.Names() {
			consider(n)
		}
		for n := range src.ProvidedNames() {
			consider(n)
		}
	}
	if strings.HasPrefix(name, "/") {
		for _, src := range p.repos {
			for _, pkg := range src.All() {
				for _, file := range pkg.Files {
					consider(file)
				}
			}
		}
	}
	for _, v := range p.virtuals {
		for _, n := range v.takes() {
			consider(n)
		}
	}
	slices.SortFunc(found, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	found = slices.Compact(found)
	var names []string
	for _, f := range found {
		// Packages that are out of the question have names, too.
		if len(names) < maxMisses && len(p.whoProvides(rpm.Dependency{Name: f.name})) > 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// unlikeness measures how far apart two names are: the edit distance, where what is usual counts as
// one. Beyond the limit it is limit+1.
func unlikeness(a, b string, limit int) int {
	if strings.EqualFold(a, b) || b == "python3-"+a || b == "python3dist("+a+")" || b == "lib"+a || b == a+"-devel" {
		return 0
	}
	if library, _, found := strings.Cut(a, ".so."); found && strings.HasPrefix(b, library+".so.") {
		return 1
	}
	return distance(a, b, limit)
}

// distance is the number of letters to insert, delete, replace, or swap with their neighbour (optimal
// string alignment), limit+1 when it is more than limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			same := 1
			if a[i-1] == b[j-1] {
				same = 0
			}
			d := min(row[j]+1, next[j-1]+1, row[j-1]+same)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			next[j] = d
			least = min(least, d)
		}
		if least > limit {
			return limit + 1
		}
		before, row, next = row, next, before
	}
	return min(row[len(b)], limit+1)
}
