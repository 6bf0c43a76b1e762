package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// Reasons say what needs each package of a root: who asks for it, and which packages require it.
type Reasons struct {
	Target, Root string
	// Packages are those of the lock, sorted by NEVRA.
	Packages []Reason
}

// Reason is a locked package and all that needs it, requests first. Whys of packages name them by
// their NEVRA.
type Reason struct {
	NEVRA string
	Name  string
	Why   []resolve.Why
}

// Reasons finds out what needs the packages of a lock that was made for exactly these needs. A lock
// has one reason for each, for people; all of them follow from the needs and from what the packages
// require, so the repositories' metadata is read and the locked packages are resolved once more, with
// no others on offer. A package that its repository has dropped leaves that unknown, which is an error.
func (p *Pipeline) Reasons(ctx context.Context, n *Needs, l *lock.Lock) ([]Reasons, error) {
	if l == nil || !p.Locked(n, l) {
		return nil, fmt.Errorf("%s does not have what the projects need now, so it can't be told what needs its packages: run slipway lock", lock.FileName)
	}
	var all []Reasons
	for _, tn := range n.Targets {
		repos, err := p.loadRepositories(ctx, tn.Target)
		if err != nil {
			return nil, err
		}
		kept, err := p.loadArchived(ctx, tn.Target, repos)
		if err != nil {
			return nil, err
		}
		repos = append(repos, kept...)
		t := l.Target(tn.Target)
		for _, root := range tn.Roots {
			locked := t.Root(root.Image)
			offered, err := offerLocked(repos, locked)
			if err != nil {
				return nil, fmt.Errorf("%s on target %s: %w", rootName(root.Image), t.Name, err)
			}
			s, err := resolve.Resolve(ctx, problem(root, t.Arch, offered, nil))
			if err != nil {
				return nil, fmt.Errorf("%s on target %s: %w", rootName(root.Image), t.Name, err)
			}
			if spare := unused(locked, s); len(spare) > 0 {
				return nil, fmt.Errorf("%s on target %s: what these locked packages are for can't be told, nothing needs them: %s", rootName(root.Image), t.Name, strings.Join(spare, ", "))
			}
			r := Reasons{Target: t.Name, Root: root.Image}
			for _, c := range s.Packages {
				r.Packages = append(r.Packages, Reason{NEVRA: c.Package.NEVRA.String(), Name: c.Package.Name, Why: c.Why})
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// unused are the locked packages that are not in a solution.
func unused(locked []lock.Package, s *resolve.Solution) []string {
	var spare []string
	for _, pkg := range locked {
		if !slices.ContainsFunc(s.Packages, func(c resolve.Chosen) bool { return c.Package.NEVRA == pkg.NEVRA }) {
			spare = append(spare, pkg.NEVRA.String())
		}
	}
	return spare
}

// offerLocked hides all packages of repositories but the locked ones, known by their checksums.
func offerLocked(repos []*rpmrepo.Repository, locked []lock.Package) ([]*rpmrepo.Repository, error) {
	offered := make([]map[int]bool, len(repos))
	for i := range offered {
		offered[i] = map[int]bool{}
	}
	var gone []string
	for _, pkg := range locked {
		found := false
		for n, r := range repos {
			if r.Config.ID != pkg.Repository {
				continue
			}
			for _, i := range r.Named(pkg.NEVRA.Name) {
				if r.Package(i).SHA256 == pkg.SHA256 {
					offered[n][i], found = true, true
					break
				}
			}
		}
		if !found {
			gone = append(gone, pkg.NEVRA.String())
		}
	}
	if len(gone) > 0 {
		return nil, &DroppedError{Packages: gone}
	}
	out := make([]*rpmrepo.Repository, len(repos))
	for n, r := range repos {
		out[n] = r.Restrict(func(i int) bool { return !offered[n][i] })
	}
	return out, nil
}

// DroppedError says that repositories do not list locked packages any more, so that nothing is known
// about what these require.
type DroppedError struct{ Packages []string }

func (e *DroppedError) Error() string {
	return "its repositories do not list these locked packages any more, so what they require is not known: " + strings.Join(e.Packages, ", ")
}

// Chain leads from a request to a package: each link needs what the next one is or provides.
type Chain []Link

// Link is a package of a chain, and the reason for which it is there.
type Link struct {
	NEVRA string
	Why   resolve.Why
	// Also are further dependencies that lead from the same package to this one.
	Also []string
}

// String says it in a few words: "flask-2.0-1.noarch requires jinja2, python3dist(jinja2)".
func (l Link) String() string {
	return strings.Join(append([]string{l.Why.String()}, l.Also...), ", ")
}

// extends adds another reason to the link before it, where it is of the same package.
func (l *Link) extends(why resolve.Why) bool {
	if why.Package == "" || l.Why.Package != why.Package || l.Why.Weak != why.Weak {
		return false
	}
	l.Also = append(l.Also, why.Dependency)
	return true
}

// Chains gives for each request of a package, and for each other package that needs it, the shortest
// chain that ends there; the shortest first. Where no chain without a circle leads, there is none:
// such a package does not keep this one.
func (r *Reasons) Chains(nevra string) []Chain {
	up := r.paths(nevra)
	var chains []Chain
	for _, pkg := range r.Packages {
		if pkg.NEVRA != nevra {
			continue
		}
		for _, why := range pkg.Why {
			link := Link{NEVRA: nevra, Why: why}
			if n := len(chains); n > 0 && chains[n-1][len(chains[n-1])-1].extends(why) {
				continue
			}
			if why.Package == "" {
				chains = append(chains, Chain{link})
			} else if path, ok := up[why.Package]; ok {
				chains = append(chains, append(slices.Clone(path), link))
			}
		}
	}
	slices.SortStableFunc(chains, func(a, b Chain) int { return len(a) - len(b) })
	return chains
}

// paths gives the shortest chain to each package that can be reached from a request without the one
// that is left out.
func (r *Reasons) paths(without string) map[string]Chain {
	paths := map[string]Chain{}
	for again := true; again; {
		again = false
		found := map[string]Chain{}
		for _, pkg := range r.Packages {
			if paths[pkg.NEVRA] != nil || pkg.NEVRA == without {
				continue
			}
			for _, why := range pkg.Why {
				link := Link{NEVRA: pkg.NEVRA, Why: why}
				if path, ok := paths[why.Package]; ok || why.Package == "" {
					found[pkg.NEVRA] = append(slices.Clone(path), link)
					break
				}
			}
		}
		for nevra, path := range found {
			paths[nevra], again = path, true
		}
	}
	return paths
}

// Needed gives what each package needs of the others: the reasons turned round. The key "" has what
// is requested.
func (r *Reasons) Needed() map[string][]Link {
	needed := map[string][]Link{}
	for _, pkg := range r.Packages {
		for _, why := range pkg.Why {
			links := needed[why.Package]
			if n := len(links); n > 0 && links[n-1].NEVRA == pkg.NEVRA && links[n-1].extends(why) {
				continue
			}
			needed[why.Package] = append(links, Link{NEVRA: pkg.NEVRA, Why: why})
		}
	}
	return needed
}
