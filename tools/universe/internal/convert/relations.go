package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
)

// index notes what the universe holds, before relations are looked at.
func (u *universe) index() error {
	u.names, u.paths, u.provides = map[string]*pkg{}, map[string]bool{}, map[string][]rpm.Dependency{}
	for _, p := range u.packages {
		if u.names[p.spec.Name] != nil {
			return fmt.Errorf("there are two packages %s", p.spec.Name)
		}
		u.names[p.spec.Name] = p
		if err := p.provideAll(); err != nil {
			return fmt.Errorf("converting %s: %w", p.spec.Name, err)
		}
		self := rpm.Dependency{Name: p.spec.Name, Sense: rpm.Equal, EVR: p.spec.EVR}
		for _, provide := range append(slices.Clone(p.spec.Provides), self) {
			u.provides[provide.Name] = append(u.provides[provide.Name], provide)
			if provide.IsPath() {
				u.paths[provide.Name] = true
			}
		}
		for _, f := range p.spec.Files {
			u.paths[f.Path] = true
		}
		for path := range p.dirs {
			u.paths[path] = true
		}
	}
	return nil
}

// provideAll adds what the package provides beside what its files told.
func (p *pkg) provideAll() error {
	for _, path := range p.moved {
		// Programs and the dynamic linker are known by these paths, other files hardly.
		if strings.HasPrefix(path, "/bin/") || strings.HasPrefix(path, "/sbin/") || strings.HasPrefix(path, "/lib64/") {
			p.spec.Provides = append(p.spec.Provides, rpm.Dependency{Name: path})
		}
	}
	for _, name := range fedoraNames[p.spec.Name] {
		p.spec.Provides = append(p.spec.Provides, rpm.Dependency{Name: name, Sense: rpm.Equal, EVR: p.spec.EVR})
	}
	if p.deb == nil {
		return nil
	}
	groups, err := debian.ParseRelations(p.deb.Control["Provides"])
	if err != nil {
		return err
	}
	for _, group := range groups {
		for _, r := range group {
			d, err := dependency(r)
			if err != nil {
				return err
			}
			p.spec.Provides = append(p.spec.Provides, d)
		}
	}
	return nil
}

// relateAll gives every package its requirements and conflicts.
func (u *universe) relateAll() error {
	for _, p := range u.packages {
		if p.deb == nil {
			continue
		}
		if err := u.relate(p); err != nil {
			return fmt.Errorf("converting %s: %w", p.spec.Name, err)
		}
	}
	if u.Rich {
		return u.relateRich()
	}
	return nil
}

func (u *universe) relate(p *pkg) error {
	type target struct {
		field string
		list  *[]rpm.Dependency
	}
	targets := []target{{"Pre-Depends", &p.spec.Requires}, {"Depends", &p.spec.Requires}}
	if u.Rich {
		targets = append(targets, target{"Recommends", &p.spec.Recommends}, target{"Suggests", &p.spec.Suggests}, target{"Enhances", &p.spec.Enhances})
	}
	for _, t := range targets {
		groups, err := debian.ParseRelations(p.deb.Control[t.field])
		if err != nil {
			return fmt.Errorf("reading %s: %w", t.field, err)
		}
		for _, group := range groups {
			d, ok, err := u.alternatives(group)
			if err != nil {
				return fmt.Errorf("reading %s: %w", t.field, err)
			}
			if ok {
				*t.list = append(*t.list, d)
			}
		}
	}
	u.requireFound(p)
	return u.conflict(p)
}

// requireFound adds the requirements that were found in files, as far as the
// universe meets them: Debian leaves some to the administrator, such as a plugin
// for a library that is rarely there.
func (u *universe) requireFound(p *pkg) {
	for _, name := range p.sonames {
		if len(u.provides[name]) > 0 {
			p.spec.Requires = append(p.spec.Requires, rpm.Dependency{Name: name, Sense: rpm.FindRequires})
		}
	}
	for _, path := range p.interpreters {
		if u.paths[path] {
			p.spec.Requires = append(p.spec.Requires, rpm.Dependency{Name: path, Sense: rpm.FindRequires})
		}
	}
	if p.hasFilesIn("/usr/lib/python3/dist-packages/") && len(u.provides["python(abi)"]) > 0 {
		p.spec.Requires = append(p.spec.Requires, rpm.Dependency{
			Name: "python(abi)", Sense: rpm.Equal | rpm.FindRequires, EVR: rpm.EVR{Version: pythonVersion},
		})
	}
	if len(p.spec.Requires) == 0 {
		// Nothing else would have it installed after the links that it lies behind.
		p.spec.Requires = append(p.spec.Requires, rpm.Dependency{Name: "filesystem"})
	}
}

func (p *pkg) hasFilesIn(dir string) bool {
	for _, f := range p.spec.Files {
		if strings.HasPrefix(f.Path, dir) {
			return true
		}
	}
	return false
}

// alternatives writes a group of which one must hold as one dependency. It is
// not wanted at all where a skipped package would meet it.
func (u *universe) alternatives(group []debian.Relation) (d rpm.Dependency, wanted bool, err error) {
	var all []rpm.Dependency
	for _, r := range group {
		if u.skipped[r.Name] {
			return rpm.Dependency{}, false, nil
		}
		d, err := dependency(r)
		if err != nil {
			return rpm.Dependency{}, false, err
		}
		if u.Rich || len(group) == 1 || u.meets(d) {
			all = append(all, d)
		}
	}
	switch len(all) {
	case 0: // checkRequires will say so
		d, err := dependency(group[0])
		return d, true, err
	case 1:
		return all[0], true, nil
	}
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = d.String()
	}
	return rpm.Dependency{Name: "(" + strings.Join(texts, " or ") + ")"}, true, nil
}

// conflict keeps what a package breaks or conflicts with, but for two kinds that
// have no equal among RPMs: names that others provide (Debian's bounds never
// match a provide without a version, rpm's always do), and packages of the
// universe without a bound, which Debian uses for what replaces one another.
func (u *universe) conflict(p *pkg) error {
	replaced := map[string]bool{}
	groups, err := debian.ParseRelations(p.deb.Control["Replaces"])
	if err != nil {
		return fmt.Errorf("reading Replaces: %w", err)
	}
	for _, group := range groups {
		replaced[group[0].Name] = true
	}
	for _, field := range []string{"Breaks", "Conflicts"} {
		groups, err := debian.ParseRelations(p.deb.Control[field])
		if err != nil {
			return fmt.Errorf("reading %s: %w", field, err)
		}
		for _, group := range groups {
			r := group[0]
			if r.Name == p.spec.Name || u.isVirtual(r.Name) || r.Operator == "" && u.names[r.Name] != nil {
				continue
			}
			d, err := dependency(r)
			if err != nil {
				return fmt.Errorf("reading %s: %w", field, err)
			}
			if u.Rich && replaced[r.Name] && u.names[r.Name] == nil && d.Sense&rpm.Less != 0 {
				p.spec.Obsoletes = append(p.spec.Obsoletes, d)
				continue
			}
			p.spec.Conflicts = append(p.spec.Conflicts, d)
		}
	}
	return nil
}

// isVirtual says whether another package than the one of that name provides it.
func (u *universe) isVirtual(name string) bool {
	n := len(u.provides[name])
	return n > 1 || n == 1 && u.names[name] == nil
}

// meets says whether some package of the universe provides d.
func (u *universe) meets(d rpm.Dependency) bool {
	return u.paths[d.Name] || slices.ContainsFunc(u.provides[d.Name], d.MatchedBy)
}

var senses = map[string]rpm.Sense{
	"<<": rpm.Less, "<=": rpm.Less | rpm.Equal, "=": rpm.Equal, ">=": rpm.Greater | rpm.Equal, ">>": rpm.Greater,
}

// dependency maps one relation. A bound keeps its release, also where Debian
// leaves the revision out: 2.36-9 is >> 2.36 there, which is 2.36-0 here.
func dependency(r debian.Relation) (rpm.Dependency, error) {
	d := rpm.Dependency{Name: r.Name}
	if r.Operator == "" {
		return d, nil
	}
	evr, err := r.Version.EVR()
	if err != nil {
		return rpm.Dependency{}, err
	}
	d.Sense, d.EVR = senses[r.Operator], evr
	return d, nil
}
