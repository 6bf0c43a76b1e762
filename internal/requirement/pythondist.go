package requirement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// The names and version ranges of python3dist() follow the dependency generator of the distributions' Python
// packaging (python-rpm-generators). It changed over time; a dialect says which rules a release's packages were made
// with.
type dialect struct {
	// legacyNames keeps dots in names, as the generator did before Fedora 33.
	legacyNames bool
	// strictRanges keeps pre-releases out of "< 2" by asking for "< 2~~", and post-releases out of "> 2", as
	// the generator does since Fedora 36.
	strictRanges bool
	// extras says that extras are packages, so that foo[bar] is asked for beside foo.
	extras bool
}

// dialectOf returns the rules of a release.
func dialectOf(release string) dialect {
	family, version := splitRelease(release)
	switch family {
	case "fedora":
		return dialect{legacyNames: version < 33, strictRanges: version >= 36, extras: version >= 33}
	case "el":
		return dialect{legacyNames: version < 9, strictRanges: version >= 10, extras: version >= 9}
	default:
		return dialect{strictRanges: true}
	}
}

// splitRelease reads "fedora-43", "centos-stream-9" and the like into a family and a number; rawhide is very high.
func splitRelease(release string) (family string, version int) {
	release = strings.ToLower(release)
	name, number := release, ""
	if i := strings.LastIndexByte(release, '-'); i >= 0 {
		name, number = release[:i], release[i+1:]
	}
	major, _, _ := strings.Cut(number, ".")
	version, err := strconv.Atoi(major)
	switch {
	case release == "fedora-rawhide" || release == "rawhide":
		return "fedora", 1 << 20
	case err != nil:
		return release, 0
	case name == "fedora":
		return "fedora", version
	case slices.Contains([]string{"el", "epel", "rhel", "centos", "centos-stream", "almalinux", "rocky", "oraclelinux"}, name):
		return "el", version
	}
	return name, version
}

// distName is "python3dist(name)", or "python3.11dist(name)" for an interpreter that is not the release's own.
func (t Target) distName(project, extra string) string {
	name := pymeta.NormalizeName(project)
	if dialectOf(t.Release).legacyNames {
		name = pymeta.NormalizeLegacy(project)
	}
	if extra != "" {
		name += "[" + strings.ToLower(extra) + "]"
	}
	if t.AlternativePython {
		return "python" + t.python() + "dist(" + name + ")"
	}
	return "python3dist(" + name + ")"
}

// FromPython returns the RPM dependencies that a Python requirement stands for, in the words of the target's packages.
// There is more than one when it asks for extras. The marker is not looked at.
func FromPython(r pymeta.Requirement, t Target) ([]string, error) {
	if request, ok := t.Names[pymeta.NormalizeName(r.Name)]; ok {
		if request == "" {
			return nil, nil
		}
		return []string{request}, nil
	}
	names := []string{t.distName(r.Name, "")}
	if dialectOf(t.Release).extras {
		for _, extra := range r.Extras {
			names = append(names, t.distName(r.Name, extra))
		}
	}
	requests := make([]string, len(names))
	for i, name := range names {
		request, err := versioned(name, r.Specifiers, dialectOf(t.Release))
		if err != nil {
			return nil, fmt.Errorf("requirement %s: %w", r, err)
		}
		requests[i] = request
	}
	return requests, nil
}

// versioned adds ranges to a name; more than one clause makes a rich dependency.
func versioned(name string, specifiers pymeta.Specifiers, d dialect) (string, error) {
	var parts []string
	var seen []string
	for _, s := range specifiers {
		if slices.Contains(seen, s.String()) {
			continue
		}
		seen = append(seen, s.String())
		part, err := clause(name, s.Operator, s.Version, d)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	switch len(parts) {
	case 0:
		return name, nil
	case 1:
		return parts[0], nil
	}
	slices.Sort(parts)
	return "(" + strings.Join(parts, " with ") + ")", nil
}

// clause converts one clause of a version specifier.
func clause(name, operator, version string, d dialect) (string, error) {
	release, prefix := strings.CutSuffix(version, ".*")
	switch operator {
	case "~=":
		return compatible(name, version)
	case "==":
		if prefix {
			return compatible(name, release+".0")
		}
	case "===":
		if prefix {
			return "", fmt.Errorf("%s%s can't be said in RPM's words", operator, version)
		}
	case "!=":
		if prefix {
			return notPrefix(name, release, d)
		}
		v, err := newRPMVersion(version)
		return fmt.Sprintf("(%s < %s or %s > %s)", name, v, name, v), err
	default:
		return ordered(name, operator, release, prefix, d)
	}
	v, err := newRPMVersion(version)
	return name + " = " + v.String(), err
}

// compatible is ~=: at least the version, and below the next one of the part before the last.
func compatible(name, version string) (string, error) {
	lower, err := newRPMVersion(version)
	if err != nil {
		return "", err
	}
	if len(lower.release) < 2 {
		return "", fmt.Errorf("~=%s needs two parts at least", version)
	}
	upper := lower
	upper.release = upper.release[:len(upper.release)-1]
	return fmt.Sprintf("(%s >= %s with %s < %s)", name, lower, name, upper.next()), nil
}

// notPrefix is !=1.2.*.
func notPrefix(name, release string, d dialect) (string, error) {
	v, err := newRPMVersion(release)
	if err != nil {
		return "", err
	}
	if d.strictRanges {
		return fmt.Sprintf("(%s < %s~~ or %s >= %s)", name, v, name, v.next()), nil
	}
	return fmt.Sprintf("(%s < %s or %s > %s)", name, v, name, v.next()), nil
}

// ordered is <, <=, > and >=.
func ordered(name, operator, version string, prefix bool, d dialect) (string, error) {
	v, err := newRPMVersion(version)
	if err != nil {
		return "", err
	}
	if prefix {
		operator = map[string]string{">": ">=", "<=": "<"}[operator]
	}
	text := v.String()
	if d.strictRanges && v.suffix == "" {
		switch operator {
		case "<":
			text += "~~"
		case ">":
			text += ".0"
		}
	}
	return name + " " + operator + " " + text, nil
}

// rpmVersion is a version of PEP 440 on its way into RPM's order.
type rpmVersion struct {
	epoch   string
	release []string
	suffix  string
}

// newRPMVersion reads a version. A development release of a pre-release, and a pre-release of a post-release, lose
// their second part: the generator writes one suffix only.
func newRPMVersion(s string) (rpmVersion, error) {
	v, err := pymeta.ParseVersion(s)
	if err != nil {
		return rpmVersion{}, err
	}
	r := rpmVersion{release: v.Release()}
	if epoch := v.Epoch(); epoch != "0" {
		r.epoch = epoch + ":"
	}
	letter, number := v.Pre()
	switch {
	case letter != "":
		r.suffix = "~" + letter + number
	case v.Dev() != "":
		r.suffix = "~~dev" + v.Dev()
	case v.Post() != "":
		r.suffix = "^post" + v.Post()
	}
	return r, nil
}

// next is the version with its last part one higher and no suffix.
func (r rpmVersion) next() rpmVersion {
	r.release = slices.Clone(r.release)
	last := len(r.release) - 1
	r.release[last] = pymeta.Increment(r.release[last])
	r.suffix = ""
	return r
}

// String drops zeros at the end, all but the first part.
func (r rpmVersion) String() string {
	n := len(r.release)
	for n > 1 && r.release[n-1] == "0" {
		n--
	}
	return r.epoch + strings.Join(r.release[:n], ".") + r.suffix
}

// full keeps zeros at the end.
func (r rpmVersion) full() string { return r.epoch + strings.Join(r.release, ".") + r.suffix }

// RPMVersion returns a version of PEP 440 as it stands in a package's python3dist() provide.
func RPMVersion(version string) (string, error) {
	v, err := newRPMVersion(version)
	if err != nil {
		return "", err
	}
	return v.String(), nil
}
