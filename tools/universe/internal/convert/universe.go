package convert

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
)

// Options say what kind of universe is made.
type Options struct {
	// Skip names packages that are only looked into: no RPM is made of them, and
	// relations to them are left out.
	Skip []string
	// Rich keeps weak dependencies, alternatives that the universe does not hold,
	// obsoletes, uses Lua scriptlets where Fedora does, and adds triggers,
	// scriptlets and rich dependencies of every kind.
	Rich bool
	// Older names packages of which a second, older build is made.
	Older []string
}

// Specs describes the packages as RPMs, together with those that every RPM
// distribution needs, sorted by name. The specs read contents from the packages,
// which must stay open as long.
func Specs(debs []*debian.Deb, opts Options) ([]rpmwrite.Spec, error) {
	u := &universe{Options: opts, skipped: map[string]bool{}, debs: map[string]*debian.Deb{}}
	for _, name := range opts.Skip {
		u.skipped[name] = true
	}
	for _, deb := range debs {
		if err := u.add(deb); err != nil {
			return nil, fmt.Errorf("converting %s: %w", deb.Name, err)
		}
	}
	slices.SortFunc(u.packages, func(a, b *pkg) int { return cmp.Compare(a.spec.Name, b.spec.Name) })
	if err := u.addMade(); err != nil {
		return nil, err
	}
	u.linkAlternatives()
	u.amendAll()
	u.moveSharedDirs()
	if err := u.index(); err != nil {
		return nil, err
	}
	if err := u.relateAll(); err != nil {
		return nil, err
	}
	if err := u.check(); err != nil {
		return nil, err
	}
	slices.SortFunc(u.packages, func(a, b *pkg) int { return cmp.Compare(a.spec.Name, b.spec.Name) })
	specs := make([]rpmwrite.Spec, 0, len(u.packages))
	for _, p := range u.packages {
		specs = append(specs, p.finished())
		if slices.Contains(opts.Older, p.spec.Name) {
			specs = append(specs, olderBuild(p.finished()))
		}
	}
	return specs, nil
}

// universe is the set of packages while they are converted.
type universe struct {
	Options
	skipped  map[string]bool
	debs     map[string]*debian.Deb
	packages []*pkg

	// What the universe holds, once it is indexed.
	names    map[string]*pkg             // packages by name
	paths    map[string]bool             // files, and paths that are provided
	provides map[string][]rpm.Dependency // by name, of all packages
}

// pkg is one package on its way.
type pkg struct {
	deb  *debian.Deb // nil for those that are made up
	spec rpmwrite.Spec
	dirs map[string]rpmwrite.File // directories, which may move to filesystem
	// moved holds the paths that files had before /usr was merged.
	moved []string
	// interpreters are those that its scripts name.
	interpreters []string
	// sonames are required libraries, "name()(64bit)" and the like.
	sonames []string
}

var architectures = map[string]string{"all": "noarch", "amd64": "x86_64", "arm64": "aarch64"}

// add converts what can be converted by looking at the package alone.
func (u *universe) add(deb *debian.Deb) error {
	u.debs[deb.Name] = deb
	if u.skipped[deb.Name] {
		return nil
	}
	arch, ok := architectures[deb.Arch]
	if !ok {
		return fmt.Errorf("its architecture %s is none of %s", deb.Arch, strings.Join(slices.Sorted(maps.Keys(architectures)), ", "))
	}
	evr, err := deb.Version.EVR()
	if err != nil {
		return err
	}
	summary, description, _ := strings.Cut(deb.Control["Description"], "\n")
	p := &pkg{deb: deb, dirs: map[string]rpmwrite.File{}, spec: rpmwrite.Spec{
		Name: deb.Name, EVR: evr, Arch: arch, Summary: summary, Description: describe(description),
		License: "see /usr/share/doc/" + deb.Name + "/copyright", URL: deb.Control["Homepage"],
		Group: deb.Control["Section"], Vendor: vendor, SourceRPM: sourceRPM(deb, evr),
	}}
	for _, e := range deb.Entries {
		p.spec.BuildTime = max(p.spec.BuildTime, e.ModTime)
	}
	if err := p.addFiles(); err != nil {
		return err
	}
	u.packages = append(u.packages, p)
	return p.inspect()
}

const vendor = "Slipway Universe"

// describe makes an RPM description of a Debian one, in which a lone dot stands
// for an empty line.
func describe(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) == "." {
			lines[i] = ""
		}
	}
	return strings.Join(lines, "\n")
}

// sourceRPM names the source package; its version is that of the binary unless
// the package says otherwise: "gcc-12 (12.2.0-14)".
func sourceRPM(deb *debian.Deb, evr rpm.EVR) string {
	if _, text, ok := strings.Cut(deb.Control["Source"], "("); ok {
		if v, err := debian.ParseVersion(strings.TrimRight(text, ") ")); err == nil {
			if source, err := v.EVR(); err == nil {
				evr = source
			}
		}
	}
	return deb.Source + "-" + evr.Version + "-" + evr.Release + ".src.rpm"
}

// finished gives the spec with files and dependencies sorted.
func (p *pkg) finished() rpmwrite.Spec {
	spec := p.spec
	spec.Files = slices.Clone(spec.Files)
	for _, dir := range p.dirs {
		spec.Files = append(spec.Files, dir)
	}
	slices.SortStableFunc(spec.Files, func(a, b rpmwrite.File) int { return cmp.Compare(a.Path, b.Path) })
	for _, list := range []*[]rpm.Dependency{
		&spec.Provides, &spec.Requires, &spec.Conflicts, &spec.Obsoletes, &spec.Recommends, &spec.Suggests, &spec.Supplements,
		&spec.Enhances,
	} {
		*list = slices.Clone(*list)
		slices.SortFunc(*list, compareDependencies)
		*list = slices.Compact(*list)
	}
	return spec
}

func compareDependencies(a, b rpm.Dependency) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Sense, b.Sense), a.EVR.Compare(b.EVR), cmp.Compare(a.EVR.String(), b.EVR.String()))
}

// olderBuild is the same package as it might have been released before. Nothing
// sorts below its release but for what is not released either.
func olderBuild(spec rpmwrite.Spec) rpmwrite.Spec {
	newer := spec.EVR
	spec.EVR.Release = "0~older"
	spec.BuildTime -= 30 * 24 * 60 * 60
	spec.Provides = slices.Clone(spec.Provides)
	for i := range spec.Provides {
		if spec.Provides[i].EVR == newer {
			spec.Provides[i].EVR = spec.EVR
		}
	}
	return spec
}
