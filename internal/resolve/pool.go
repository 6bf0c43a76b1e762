package resolve

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// id is a package of the pool, from 1, and the solver's variable for "it is installed". Ids follow
// the order of the repositories and of the packages in them; virtual packages come last.
type id int32

// pool answers what the solver asks about packages. It looks only at what it is asked about, and
// remembers it for one resolution.
type pool struct {
	ctx      context.Context
	arch     string
	repos    []source
	virtuals []virtual
	last     id

	packages   []*rpmrepo.Package // by id, as far as they were looked at; so the next four
	usable     []state
	rules      []*packageRules
	hints      []*packageHints
	labels     []string
	providers  map[rpm.Dependency][]id
	named      map[string][]id
	rich       map[string]*rpm.Rich
	formulas   map[formulaKey]formula
	conditions map[string]*condition // of rich dependencies, by text
	taken      map[string]*virtual   // what virtual packages take the place of, by provided name
	spare      *search               // one that has ended, whose memory can be used again
	paths      map[string]bool       // dependencyPaths
	err        error                 // the first error of a repository; it ends the resolution
}

// source is a repository and the id before its first package.
type source struct {
	*rpmrepo.Repository
	base id
}

// virtual is a Virtual as a package of the pool.
type virtual struct {
	rpmrepo.Package
	label string
}

// state is an answer that is found once.
type state uint8

const (
	notLooked state = iota
	no
	yes
)

func stateOf(v bool) state {
	if v {
		return yes
	}
	return no
}

func newPool(ctx context.Context, p Problem) *pool {
	pl := &pool{
		ctx: ctx, arch: p.Arch,
		providers:  map[rpm.Dependency][]id{},
		named:      map[string][]id{},
		rich:       map[string]*rpm.Rich{},
		formulas:   map[formulaKey]formula{},
		conditions: map[string]*condition{},
		taken:      map[string]*virtual{},
	}
	// dnf loads repositories in this order, too; it decides where nothing else does.
	byWorth := slices.Clone(p.Repositories)
	slices.SortStableFunc(byWorth, func(a, b *rpmrepo.Repository) int {
		return cmp.Or(cmp.Compare(a.Config.Priority, b.Config.Priority), cmp.Compare(a.Config.Cost, b.Config.Cost))
	})
	for _, r := range byWorth {
		pl.repos = append(pl.repos, source{r, pl.last})
		pl.last += id(r.Len())
	}
	for _, v := range p.Virtuals {
		pl.virtuals = append(pl.virtuals, newVirtual(v))
	}
	for i := range pl.virtuals {
		v := &pl.virtuals[i]
		for _, name := range v.takes() {
			pl.taken[name] = v
		}
	}
	pl.last += id(len(pl.virtuals))
	pl.packages = make([]*rpmrepo.Package, pl.last+1)
	pl.usable = make([]state, pl.last+1)
	pl.rules = make([]*packageRules, pl.last+1)
	pl.hints = make([]*packageHints, pl.last+1)
	pl.labels = make([]string, pl.last+1)
	return pl
}

func newVirtual(v Virtual) virtual {
	label := v.Label
	if label == "" {
		label = v.Name
	}
	return virtual{
		Package: rpmrepo.Package{
			NEVRA:    rpm.NEVRA{Name: v.Name, EVR: v.EVR, Arch: "noarch"},
			Provides: v.Provides,
		},
		label: label,
	}
}

// takes lists the names whose packages the virtual one stands for.
func (v *virtual) takes() []string {
	names := []string{v.Name}
	for _, d := range v.Provides {
		names = append(names, d.Name)
	}
	return names
}

// isDistribution recognises the names that Python packages provide by their metadata:
// "python3dist(x)", "python3.13dist(x)".
func isDistribution(name string) bool {
	before, _, found := strings.Cut(name, "dist(")
	return found && strings.HasPrefix(before, "python")
}

// firstVirtual is the id of the first virtual package.
func (p *pool) firstVirtual() id { return p.last - id(len(p.virtuals)) + 1 }

// virtual gives the virtual package, nil for one of a repository.
func (p *pool) virtual(i id) *virtual {
	if first := p.firstVirtual(); i >= first {
		return &p.virtuals[i-first]
	}
	return nil
}

// source gives the repository of a package that is not virtual, and its number in it.
func (p *pool) source(i id) (source, int) {
	n := len(p.repos) - 1
	for p.repos[n].base >= i {
		n--
	}
	return p.repos[n], int(i - p.repos[n].base - 1)
}

// pkg gives the package.
func (p *pool) pkg(i id) *rpmrepo.Package {
	if pkg := p.packages[i]; pkg != nil {
		return pkg
	}
	if v := p.virtual(i); v != nil {
		p.packages[i] = &v.Package
	} else {
		src, n := p.source(i)
		p.packages[i] = src.Package(n)
	}
	return p.packages[i]
}

// priority is that of the package's repository: the lowest wins.
func (p *pool) priority(i id) int {
	if p.virtual(i) != nil {
		return -1 << 31
	}
	src, _ := p.source(i)
	return src.Config.Priority
}

func (p *pool) cost(i id) int {
	if p.virtual(i) != nil {
		return 0
	}
	src, _ := p.source(i)
	return src.Config.Cost
}

// label is what a person calls the package.
func (p *pool) label(i id) string {
	if v := p.virtual(i); v != nil {
		return v.label
	}
	if p.labels[i] == "" {
		p.labels[i] = p.pkg(i).NEVRA.String()
	}
	return p.labels[i]
}

// isUsable says whether the package can be considered at all: it is for this architecture, and no
// virtual package takes its place.
func (p *pool) isUsable(i id) bool {
	if p.usable[i] == notLooked {
		p.usable[i] = stateOf(p.virtual(i) != nil || p.fits(i) && (len(p.taken) == 0 || p.displacedBy(p.pkg(i)) == nil))
	}
	return p.usable[i] == yes
}

// fits says whether a package of a repository is for this architecture. It is not decoded for that.
func (p *pool) fits(i id) bool {
	src, n := p.source(i)
	arch := src.Arch(n)
	return arch == p.arch || arch == "noarch"
}

// displacedBy finds the virtual package that takes the place of this one.
func (p *pool) displacedBy(pkg *rpmrepo.Package) *virtual {
	if v := p.taken[pkg.Name]; v != nil {
		return v
	}
	for _, d := range pkg.Provides {
		if v := p.taken[d.Name]; v != nil && isDistribution(d.Name) {
			return v
		}
	}
	return nil
}

// plain strips from a dependency what does not change who meets it.
func plain(d rpm.Dependency) rpm.Dependency {
	d.Sense &= rpm.RangeMask
	return d
}

// byName gives the usable packages of that name.
func (p *pool) byName(name string) []id {
	if ids, ok := p.named[name]; ok {
		return ids
	}
	var ids []id
	for _, src := range p.repos {
		for _, n := range src.Named(name) {
			if i := src.base + id(n) + 1; p.isUsable(i) {
				ids = append(ids, i)
			}
		}
	}
	for n := range p.virtuals {
		if p.virtuals[n].Name == name {
			ids = append(ids, p.firstVirtual()+id(n))
		}
	}
	p.named[name] = ids
	return ids
}

// nameMatching gives the packages of the dependency's name whose own version is in its range: what
// Obsoletes mean.
func (p *pool) nameMatching(d rpm.Dependency) []id {
	var ids []id
	for _, i := range p.byName(d.Name) {
		if d.Sense&rpm.RangeMask == 0 || d.MatchedBy(itself(p.pkg(i))) {
			ids = append(ids, i)
		}
	}
	return ids
}

// itself is the provide that every package has: its name, at its version.
func itself(pkg *rpmrepo.Package) rpm.Dependency {
	return rpm.Dependency{Name: pkg.Name, Sense: rpm.Equal, EVR: pkg.EVR}
}

// whoProvides gives the usable packages that meet a dependency which is not rich, in order of id.
func (p *pool) whoProvides(d rpm.Dependency) []id {
	d = plain(d)
	if ids, ok := p.providers[d]; ok {
		return ids
	}
	ids := p.lookUp(d)
	p.providers[d] = ids
	return ids
}

func (p *pool) lookUp(d rpm.Dependency) []id {
	ids := p.provided(d)
	if d.IsPath() && d.Sense&rpm.RangeMask == 0 && (len(ids) == 0 || rpmrepo.InPrimary(d.Name)) {
		ids = append(ids, p.withFile(d.Name)...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// provided gives the usable packages that meet a dependency by their names and Provides, in no order.
func (p *pool) provided(d rpm.Dependency) []id {
	ids := p.nameMatching(d)
	for _, src := range p.repos {
		src.EachMatching(d, func(n int) {
			if i := src.base + id(n) + 1; p.isUsable(i) {
				ids = append(ids, i)
			}
		})
	}
	for n := range p.virtuals {
		for _, provide := range p.virtuals[n].Provides {
			if d.MatchedBy(provide) {
				ids = append(ids, p.firstVirtual()+id(n))
			}
		}
	}
	return ids
}

// withFile gives the packages that hold a path.
func (p *pool) withFile(path string) []id {
	return p.holding(func(src source) ([]int, error) { return src.FilePackages(p.ctx, path) })
}

// withFilesLike gives the packages that hold a file whose path fits a pattern.
func (p *pool) withFilesLike(pattern string) []id {
	return p.holding(func(src source) ([]int, error) { return src.FilePackagesLike(p.ctx, pattern) })
}

// holding gives the usable packages that find finds in each repository. An error stops the resolution.
func (p *pool) holding(find func(src source) ([]int, error)) []id {
	var ids []id
	for _, src := range p.repos {
		found, err := find(src)
		if err != nil {
			if p.err == nil {
				p.err = err
			}
			return nil
		}
		for _, n := range found {
			if i := src.base + id(n) + 1; p.isUsable(i) {
				ids = append(ids, i)
			}
		}
	}
	return ids
}

// parseRich gives the tree of a rich dependency, nil when it is not well-formed: then nothing meets
// it.
func (p *pool) parseRich(text string) *rpm.Rich {
	r, ok := p.rich[text]
	if !ok {
		r, _ = rpm.ParseRich(text)
		p.rich[text] = r
	}
	return r
}

// isFeature recognises what the installer itself must be able to do. Slipway reads what rpm 4 and 6
// write, and refuses what it cannot read when it opens the package.
func isFeature(d rpm.Dependency) bool { return strings.HasPrefix(d.Name, "rpmlib(") }
