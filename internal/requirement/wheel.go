package requirement

import (
	"fmt"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
	"github.com/slipway-build/slipway/internal/rpm"
)

// FromWheel is what a wheel that is no project needs and provides: name and version are its metadata's,
// requires its Requires-Dist, origin what is told as the place where they stand.
func FromWheel(name, version string, requires []string, origin Origin, t Target) (*Needs, error) {
	n := &Needs{Project: pymeta.NormalizeName(name), Version: version, Label: "wheel " + name + " " + version}
	ranged, full := "", ""
	if v, err := newRPMVersion(version); err == nil {
		ranged, full = " = "+v.String(), " = "+v.full()
	}
	normal := pymeta.NormalizeName(name)
	for _, text := range []string{
		"python3dist(" + normal + ")" + ranged, "python" + t.python() + "dist(" + normal + ")" + ranged, "python3-" + normal + full,
	} {
		d, err := rpm.ParseDependency(text)
		if err != nil {
			return nil, fmt.Errorf("wheel %s: %w", name, err)
		}
		n.Provides = append(n.Provides, d)
	}
	for _, text := range requires {
		r, err := pymeta.ParseRequirement(text)
		if err != nil {
			return nil, fmt.Errorf("wheel %s: Requires-Dist %q: %w", name, text, err)
		}
		if ok, err := r.Applies(t.environment()); err != nil || !ok {
			continue // of an extra, mostly, or of another system
		}
		requests, err := FromPython(r, t)
		if err != nil {
			return nil, fmt.Errorf("wheel %s: %w", name, err)
		}
		for _, request := range requests {
			n.Runtime = append(n.Runtime, Requirement{Request: request, Written: text, Kind: Runtime, Origin: origin})
		}
	}
	return n, nil
}

// PythonVersion is the version of a target's interpreter, as "3.13"; empty where it is not known.
func (t Target) PythonVersion() string { return t.python() }
