package requirement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
	"github.com/slipway-build/slipway/internal/rpm"
)

// DriftKind says how a project's sources disagree about one thing.
type DriftKind string

// The kinds of drift.
const (
	OnlySpec     DriftKind = "only in the spec"
	OnlyPython   DriftKind = "only in the Python metadata"
	RangesDiffer DriftKind = "ranges differ"
	BuildOnly    DriftKind = "needed to run, but the spec asks for it only to build"
	Duplicate    DriftKind = "asked for twice in one place"
)

// Drift is one thing about which a project's sources disagree.
type Drift struct {
	Kind    DriftKind
	Name    string        // a normalised Python name, or the RPM name of what is not Python
	Spec    []Requirement // what the spec says, if anything
	Python  []Requirement // what the Python metadata says, if anything
	Allowed string        // the reason it is allowed for; empty when it is not
}

// String describes the drift with the places on both sides.
func (d Drift) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", d.Name, d.Kind)
	for _, q := range slices.Concat(d.Spec, d.Python) {
		fmt.Fprintf(&b, "\n  %s: %s", q.Origin, q.Written)
	}
	if d.Allowed != "" {
		fmt.Fprintf(&b, "\n  allowed: %s", d.Allowed)
	}
	return b.String()
}

// Allowance is a drift that the project's owners know of.
type Allowance struct {
	Name   string    // as [Drift].Name; Python names need not be normalised
	Kind   DriftKind // empty: every kind
	Reason string
}

// FindDrift compares what a project's spec and its Python metadata say about running and building it. A project with
// only one of them has no drift but duplicates. Names that the target's table replaces count as what they replace.
// The result is in the order of names and kinds.
//
// Where the distribution's generator adds the requirements of the Python metadata to the RPM by itself, [OnlyPython]
// is allowed for that reason.
func FindDrift(n *Needs, t Target, allowed []Allowance) []Drift {
	f := driftFinder{target: t, own: map[string]bool{}}
	for _, p := range n.Provides {
		f.own[f.key(p)] = true
	}
	runtime, build := f.group(n.Runtime, n.Spec), f.group(n.Build, n.Spec)
	var found []Drift
	if n.Spec != "" && hasPython(n) {
		found = f.between(runtime, build)
	}
	found = append(found, duplicates(runtime)...)
	found = append(found, duplicates(build)...)
	for i := range found {
		found[i].Allowed = reason(found[i], allowed)
		if found[i].Kind == OnlyPython && found[i].Allowed == "" && hasGenerator(t.Release) {
			found[i].Allowed = "the distribution's generator adds it to the RPM"
		}
	}
	slices.SortFunc(found, func(a, b Drift) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return found
}

// hasGenerator says whether a release's RPMs of Python projects require what their metadata does.
func hasGenerator(release string) bool {
	family, version := splitRelease(release)
	return family == "fedora" && version >= 30 || family == "el" && version >= 9
}

// hasPython says whether a source other than the spec asked for anything.
func hasPython(n *Needs) bool {
	return slices.ContainsFunc(slices.Concat(n.Runtime, n.Build), func(q Requirement) bool { return q.Origin.File != n.Spec })
}

func reason(d Drift, allowed []Allowance) string {
	for _, a := range allowed {
		if (a.Name == d.Name || pymeta.NormalizeName(a.Name) == d.Name) && (a.Kind == "" || a.Kind == d.Kind) {
			return a.Reason
		}
	}
	return ""
}

type driftFinder struct {
	target Target
	own    map[string]bool // what the project itself provides
}

// entry is all that is said about one name.
type entry struct{ spec, python []Requirement }

// interpreterParts are packages python3-NAME that belong to the interpreter and are no projects of their own.
var interpreterParts = []string{"devel", "libs", "test", "debug", "idle", "tkinter", "rpm-macros", "srpm-macros"}

// key is the name that both sides are compared by.
func (f driftFinder) key(d rpm.Dependency) string {
	name := d.Name
	if d.IsRich() {
		rich, err := rpm.ParseRich(d.Name)
		names := map[string]bool{}
		if err != nil || !rangeNames(rich, names) || len(names) != 1 {
			return d.Name
		}
		for only := range names {
			name = only
		}
	}
	for python, request := range f.target.Names {
		if request == name {
			return python
		}
	}
	if rest, ok := strings.CutPrefix(name, "python"); ok {
		if i := strings.Index(rest, "dist("); i >= 0 && strings.HasSuffix(rest, ")") {
			return pymeta.NormalizeName(rest[i+len("dist(") : len(rest)-1])
		}
		version, project, ok := strings.Cut(rest, "-")
		if ok && strings.Trim(version, "0123456789.") == "" && !slices.Contains(interpreterParts, project) {
			return pymeta.NormalizeName(project)
		}
	}
	return name
}

// group sorts requirements by what they are for. What is asked of the project itself, and the interpreter, is left
// out: no two sources need to say it.
func (f driftFinder) group(list []Requirement, spec string) map[string]*entry {
	groups := map[string]*entry{}
	for _, q := range list {
		d, err := rpm.ParseDependency(q.Request)
		if err != nil || q.Origin.Section == "requires-python" {
			continue
		}
		key := f.key(d)
		if f.own[key] {
			continue
		}
		if groups[key] == nil {
			groups[key] = &entry{}
		}
		e := groups[key]
		if q.Origin.File == spec && spec != "" {
			e.spec = append(e.spec, q)
		} else {
			e.python = append(e.python, q)
		}
	}
	return groups
}

// between compares the two sources of the runtime requirements.
func (f driftFinder) between(runtime, build map[string]*entry) []Drift {
	var found []Drift
	for name, e := range runtime {
		d := Drift{Name: name, Spec: e.spec, Python: e.python}
		switch {
		case len(e.python) == 0:
			d.Kind = OnlySpec
		case len(e.spec) == 0:
			d.Kind = OnlyPython
			if b := build[name]; b != nil && len(b.spec) > 0 {
				d.Kind, d.Spec = BuildOnly, b.spec
			}
		case f.ranges(e.spec) != f.ranges(e.python):
			d.Kind = RangesDiffer
		default:
			continue
		}
		found = append(found, d)
	}
	return found
}

// ranges writes the versions that requirements allow, in a form that does not depend on the name, on the order, or on
// zeros at the end of versions.
func (f driftFinder) ranges(list []Requirement) string {
	var parts []string
	for _, q := range list {
		d, err := rpm.ParseDependency(q.Request)
		if err != nil {
			continue
		}
		if !d.IsRich() {
			parts = append(parts, rangeOf(d))
			continue
		}
		rich, err := rpm.ParseRich(d.Name)
		if err != nil {
			continue
		}
		parts = append(parts, richRanges(rich)...)
	}
	slices.Sort(parts)
	parts = slices.DeleteFunc(slices.Compact(parts), func(p string) bool { return p == "" })
	return strings.Join(parts, ", ")
}

// rangeOf is the operator and version of a dependency. "< 2~~" and "< 2" are one, as are "> 1.0" and "> 1": the one is
// how the generator writes the other.
func rangeOf(d rpm.Dependency) string {
	if d.Operator() == "" {
		return ""
	}
	version := strings.TrimSuffix(d.EVR.String(), "~~")
	for strings.HasSuffix(version, ".0") {
		version = strings.TrimSuffix(version, ".0")
	}
	return d.Operator() + " " + version
}

// richRanges takes ranges joined by "with" apart; alternatives stay together.
func richRanges(r *rpm.Rich) []string {
	switch r.Op {
	case rpm.RichDep:
		return []string{rangeOf(r.Dep)}
	case rpm.RichWith, rpm.RichAnd:
		return append(richRanges(r.Left), richRanges(r.Right)...)
	default:
		sides := append(richRanges(r.Left), richRanges(r.Right)...)
		slices.Sort(sides)
		return []string{strings.Join(sides, " or ")}
	}
}

// duplicates finds what is asked for more than once in one section of one file. Several ranges of one thing, and
// requirements under conditions, are no duplicates.
func duplicates(groups map[string]*entry) []Drift {
	var found []Drift
	for name, e := range groups {
		for i, list := range [][]Requirement{e.spec, e.python} {
			twice := repeated(list)
			if len(twice) == 0 {
				continue
			}
			d := Drift{Kind: Duplicate, Name: name}
			if i == 0 {
				d.Spec = twice
			} else {
				d.Python = twice
			}
			found = append(found, d)
		}
	}
	return found
}

func repeated(list []Requirement) []Requirement {
	var twice []Requirement
	for i, q := range list {
		if slices.ContainsFunc(list, func(p Requirement) bool { return p != q && sameAsk(p, q) }) ||
			slices.Contains(list[:i], q) {
			twice = append(twice, q)
		}
	}
	return twice
}

func sameAsk(p, q Requirement) bool {
	return p.Request == q.Request && p.Condition == q.Condition && p.Origin.File == q.Origin.File &&
		p.Origin.Section == q.Origin.Section
}
