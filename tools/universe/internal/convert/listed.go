package convert

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
)

// Listed describes packages as RPMs of which nothing is at hand but what the package lists tell, in
// their order: names, versions, sizes and dependencies, no files. Conflicts are left out as Specs
// leaves them out. Then come older builds of the first packages, as repositories keep them, until there
// are count.
func Listed(controls []debian.Control, count int) ([]repodata.Package, error) {
	names, virtual := map[string]bool{}, map[string]bool{}
	for _, c := range controls {
		names[c["Package"]] = true
		if err := each(c["Provides"], func(group []debian.Relation) error {
			virtual[group[0].Name] = true
			return nil
		}); err != nil {
			return nil, fmt.Errorf("converting %s: reading Provides: %w", c["Package"], err)
		}
	}
	conflicts := func(r debian.Relation) bool { return !virtual[r.Name] && (r.Operator != "" || !names[r.Name]) }
	packages := make([]repodata.Package, 0, max(count, len(controls)))
	for _, c := range controls {
		p, err := listed(c, conflicts)
		if err != nil {
			return nil, fmt.Errorf("converting %s: %w", c["Package"], err)
		}
		packages = append(packages, p)
	}
	for n := 0; n < len(controls) && len(packages) < count; n++ {
		older := packages[n]
		older.EVR.Release = "0~older"
		older.Location = "older/" + older.FileName()
		older.Provides = []rpm.Dependency{{Name: older.Name, Sense: rpm.Equal, EVR: older.EVR}}
		packages = append(packages, older)
	}
	return packages, nil
}

// each calls do for each group of a field of relations.
func each(field string, do func([]debian.Relation) error) error {
	groups, err := debian.ParseRelations(field)
	if err != nil {
		return err
	}
	for _, group := range groups {
		if err := do(group); err != nil {
			return err
		}
	}
	return nil
}

// listed describes one package. conflicts says which conflicts are kept.
func listed(c debian.Control, conflicts func(debian.Relation) bool) (repodata.Package, error) {
	version, err := debian.ParseVersion(c["Version"])
	if err != nil {
		return repodata.Package{}, err
	}
	evr, err := version.EVR()
	if err != nil {
		return repodata.Package{}, err
	}
	p := repodata.Package{
		NEVRA:   rpm.NEVRA{Name: c["Package"], EVR: evr, Arch: "x86_64"},
		Summary: c["Description"], URL: c["Homepage"], SHA256: c["SHA256"], License: "unknown",
	}
	if c["Architecture"] == "all" {
		p.Arch = "noarch"
	}
	p.Summary, _, _ = strings.Cut(p.Summary, "\n")
	p.Location = "Packages/" + p.Name[:1] + "/" + p.FileName()
	source, _, _ := strings.Cut(c["Source"], " ")
	if source == "" {
		source = p.Name
	}
	p.SourceRPM = source + "-" + evr.Version + "-" + evr.Release + ".src.rpm"
	p.Size, _ = strconv.ParseInt(c["Size"], 10, 64) // 0 where apt does not say
	p.InstalledSize, _ = strconv.ParseInt(c["Installed-Size"], 10, 64)
	p.InstalledSize *= 1024
	p.Provides = []rpm.Dependency{{Name: p.Name, Sense: rpm.Equal, EVR: evr}}
	return p, relateListed(&p, c, conflicts)
}

func relateListed(p *repodata.Package, c debian.Control, conflicts func(debian.Relation) bool) error {
	for _, f := range []struct {
		name string
		to   *[]rpm.Dependency
	}{
		{"Provides", &p.Provides},
		{"Pre-Depends", &p.Requires},
		{"Depends", &p.Requires},
		{"Conflicts", &p.Conflicts},
		{"Breaks", &p.Conflicts},
		{"Recommends", &p.Recommends},
		{"Suggests", &p.Suggests},
		{"Enhances", &p.Enhances},
	} {
		err := each(c[f.name], func(group []debian.Relation) error {
			if f.to == &p.Conflicts && (group[0].Name == p.Name || !conflicts(group[0])) {
				return nil
			}
			d, err := anyOf(group)
			*f.to = append(*f.to, d)
			return err
		})
		if err != nil {
			return fmt.Errorf("reading %s: %w", f.name, err)
		}
	}
	return nil
}

// anyOf writes alternatives as one dependency.
func anyOf(group []debian.Relation) (rpm.Dependency, error) {
	texts := make([]string, len(group))
	for n, r := range group {
		d, err := dependency(r)
		if err != nil || len(group) == 1 {
			return d, err
		}
		texts[n] = d.String()
	}
	return rpm.Dependency{Name: "(" + strings.Join(texts, " or ") + ")"}, nil
}
