package requirement

import (
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// provides lists what the project is to others: the packages of its spec with what they provide, the names of the
// Python distribution, and the plain name. A project without a spec also stands for the RPM that it would be by the
// distributions' rules, python3-NAME, so that no second copy of it is installed.
func (r *reading) provides() {
	r.needs.Version = r.version()
	if r.spec != nil {
		r.specProvides()
	}
	name := r.meta.Name.Text
	if name == "" && r.spec == nil && len(r.meta.Files) > 0 {
		name = r.project.Name
	}
	if name == "" {
		return
	}
	at := r.meta.Name
	if at.File == "" {
		at.File = r.metadataFile()
	}
	// RPM takes 0.2 and 0.2.0 for two versions. The generator drops the zeros in python3dist(); the versions of
	// packages keep them.
	suffix, packageSuffix := "", ""
	if r.needs.Version != "" {
		version, err := newRPMVersion(r.needs.Version)
		if err != nil {
			r.report(at.File, at.Line, "the version is not one of PEP 440, so ranges are not checked: %v", err)
		} else {
			suffix, packageSuffix = " = "+version.String(), " = "+version.full()
		}
	}
	normal := pymeta.NormalizeName(name)
	r.provide("python3dist("+normal+")"+suffix, at.File, at.Line)
	r.provide("python"+r.target.python()+"dist("+normal+")"+suffix, at.File, at.Line)
	if legacy := pymeta.NormalizeLegacy(name); legacy != normal && dialectOf(r.target.Release).legacyNames {
		r.provide("python3dist("+legacy+")"+suffix, at.File, at.Line)
	}
	for _, plain := range []string{r.project.Name, normal, "python3-" + normal} {
		if plain == "" || strings.HasPrefix(plain, "python3-") && r.spec != nil || r.providesName(plain) {
			continue
		}
		r.provide(plain+packageSuffix, at.File, at.Line)
	}
}

func (r *reading) providesName(name string) bool {
	for _, p := range r.needs.Provides {
		if p.Name == name {
			return true
		}
	}
	return false
}

// specProvides adds the packages that the spec builds and what they provide.
func (r *reading) specProvides() {
	for _, pkg := range r.spec.Packages {
		if !pkg.Built {
			continue
		}
		for _, d := range pkg.Provides {
			if strings.Contains(d.Text, "%") {
				continue
			}
			r.provide(d.Text, d.File, d.Line)
		}
	}
}

// version is the project's: the metadata's if it is written there, else what the tags say, else the spec's.
func (r *reading) version() string {
	if r.meta.Version.Text != "" && !r.meta.VersionDynamic {
		return r.meta.Version.Text
	}
	tagged := r.scmVersion()
	switch {
	case tagged != "" && len(r.meta.Files) > 0:
		return tagged
	case r.spec != nil && r.spec.Version != "":
		return strings.NewReplacer("~", "").Replace(r.spec.Version)
	default:
		return tagged
	}
}
