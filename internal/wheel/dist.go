package wheel

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// Dist is an installed distribution, as far as others depend on it.
type Dist struct {
	Name     string
	Version  string
	Requires []string // Requires-Dist: PEP 508, with markers
	Owner    string   // who brought it, for messages: a project, or an RPM
}

// Dist is what w is once it is installed.
func (w *Wheel) Dist(owner string) (Dist, error) {
	metadata := w.find(w.info + "/METADATA")
	return ParseDist(metadata.content, nil, owner)
}

// ParseDist reads a distribution's metadata: METADATA of a .dist-info folder, or PKG-INFO and requires.txt of an .egg-info,
// as [DistFile] names them. requires is nil where there is no requires.txt.
func ParseDist(metadata, requires []byte, owner string) (Dist, error) {
	h := parseHeader(metadata)
	d := Dist{Name: h.get("Name"), Version: h.get("Version"), Requires: h.all("Requires-Dist"), Owner: owner}
	if d.Name == "" || d.Version == "" {
		return Dist{}, errors.New("reading a distribution's metadata: it has no name or no version")
	}
	if len(d.Requires) == 0 && requires != nil {
		d.Requires = parseRequiresTxt(requires)
	}
	return d, nil
}

// DistFile tells whether the file at a path describes the distribution in its folder, and gives the folder. Below library
// folders only; metadata that is vendored deeper describes nothing that is installed.
func DistFile(file, library string) (folder string, ok bool) {
	dir, base := path.Split(file)
	dir = path.Clean(dir)
	switch {
	case path.Dir(dir) == library && strings.HasSuffix(dir, ".dist-info"):
		return dir, base == "METADATA"
	case path.Dir(dir) == library && strings.HasSuffix(dir, ".egg-info"):
		return dir, base == "PKG-INFO" || base == "requires.txt"
	case dir == library && strings.HasSuffix(base, ".egg-info"): // distutils: a file
		return file, true
	}
	return "", false
}

// parseRequiresTxt reads setuptools' requires.txt, in which sections "[extra:marker]" stand for markers, as
// importlib.metadata does.
func parseRequiresTxt(data []byte) []string {
	var found []string
	section := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[' && line[len(line)-1] == ']':
			section = line[1 : len(line)-1]
		default:
			found = append(found, line+sectionMarker(section, strings.Contains(line, "@")))
		}
	}
	return found
}

func sectionMarker(section string, isURL bool) string {
	extra, marker, _ := strings.Cut(section, ":")
	if extra != "" {
		condition := fmt.Sprintf("extra == %q", extra)
		if marker == "" {
			marker = condition
		} else {
			marker = fmt.Sprintf("(%s) and %s", marker, condition)
		}
	}
	switch {
	case marker == "":
		return ""
	case isURL: // a semicolon next to an address would belong to it
		return " ; " + marker
	}
	return "; " + marker
}

// Unmet is a requirement of an installed distribution that the others do not meet.
type Unmet struct {
	By        Dist
	Requires  string // without its marker
	Installed *Dist  // of that name, with a version that will not do; nil where there is none
}

func (u Unmet) String() string {
	by := fmt.Sprintf("%s %s", printable(u.By.Name), printable(u.By.Version))
	if u.By.Owner != "" {
		by += fmt.Sprintf(" (%s)", u.By.Owner)
	}
	if u.Installed == nil {
		return fmt.Sprintf("%s requires %s, which is not installed", by, printable(u.Requires))
	}
	return fmt.Sprintf("%s requires %s, but %s is installed", by, printable(u.Requires), printable(u.Installed.Version))
}

// Check finds what "pip check" would: requirements of distributions, under the target's markers, that are not met. The order
// follows the distributions. What cannot be parsed, pip leaves out too.
func Check(dists []Dist, environment pymeta.Environment) []Unmet {
	byName := map[string]*Dist{}
	for i := range dists {
		if name := pymeta.NormalizeName(dists[i].Name); byName[name] == nil { // the first on Python's path counts
			byName[name] = &dists[i]
		}
	}
	var found []Unmet
	for _, d := range dists {
		for _, written := range d.Requires {
			r, err := pymeta.ParseRequirement(written)
			if err != nil {
				continue
			}
			if applies, err := r.Applies(environment); err != nil || !applies {
				continue
			}
			there := byName[pymeta.NormalizeName(r.Name)]
			if there != nil && satisfied(r, there.Version) {
				continue
			}
			r.Marker = nil
			found = append(found, Unmet{By: d, Requires: r.String(), Installed: there})
		}
	}
	return found
}

// satisfied tells whether a version that is installed will do; one that follows no rules is taken on trust.
func satisfied(r pymeta.Requirement, version string) bool {
	v, err := pymeta.ParseVersion(version)
	return err != nil || r.Specifiers.Contains(v, true)
}
