package wheel

import (
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// dynamicOrigin is where requirements come from that only the backend knows.
const dynamicOrigin = "asked for by the build backend"

// missing lists the build requirements that the root does not meet, those of pyproject.toml first.
func (a answer) missing(origin string) []Missing {
	environment := a.environment()
	found := unmet(a.Static, environment, origin)
	for _, m := range unmet(a.Dynamic, environment, dynamicOrigin) {
		if !slices.ContainsFunc(found, func(f Missing) bool { return f.Requirement == m.Requirement }) {
			found = append(found, m)
		}
	}
	return found
}

// environment is the root's Python as markers see it.
func (a answer) environment() pymeta.Environment {
	python := a.Environment["python_full_version"]
	if _, err := pymeta.ParseVersion(python); err != nil {
		python = "3"
	}
	return pymeta.LinuxEnvironment(python, a.Environment["platform_machine"])
}

// unmet finds those of the requirements, each with the version installed, that are not met. What cannot be parsed is left
// to the backend to complain about.
func unmet(versions map[string]*string, environment pymeta.Environment, origin string) []Missing {
	var found []Missing
	for _, written := range sortedKeys(versions) {
		r, err := pymeta.ParseRequirement(written)
		if err != nil {
			continue
		}
		if applies, err := r.Applies(environment); err != nil || !applies {
			continue
		}
		m := Missing{Requirement: printable(written), Origin: origin, Request: "python3dist(" + pymeta.NormalizeName(r.Name) + ")"}
		if installed := versions[written]; installed != nil {
			version, err := pymeta.ParseVersion(*installed)
			if err != nil || r.Specifiers.Contains(version, true) {
				continue
			}
			m.Installed = printable(strings.TrimSpace(*installed))
		}
		found = append(found, m)
	}
	return found
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
