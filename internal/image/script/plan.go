package script

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/rpm"
)

// Step is one script to run.
type Step struct {
	// Package is the NEVRA of the package whose script it is.
	Package string
	Script  rpm.Script
	// Args are what rpm passes to a script: how many instances of packages there are.
	Args []string
	// Paths go to the standard input of a file trigger, one a line.
	Paths []string
}

// Plan gives the steps of installing packages, which come in the order of their installation, into
// an empty root, as rpm's lib/psm.c, lib/rpmtriggers.c and lib/transaction.c take them:
//
//   - for each package: other packages' %triggerprein for it and its own for those that are there,
//     %pre; then its files would be laid down; file triggers of priority 10000 and more, %post,
//     %triggerin in both directions, the other file triggers;
//   - %posttrans of all packages;
//   - %transfiletriggerin, package by package, in each by priority.
//
// What runs before all that, PreTrans gives. With early set, what precedes a package's files comes first for all packages; early is then the
// number of those steps.
func Plan(packages []Package, early bool) (steps []Step, count int) {
	p := planner{packages: packages}
	if early {
		for i := range packages {
			p.before(i)
		}
		count = len(p.steps)
	}
	for i := range packages {
		if !early {
			p.before(i)
		}
		p.after(i)
	}
	for i := range packages {
		p.run(i, rpm.ScriptPostTrans, "1")
	}
	for i := range packages {
		for _, s := range byPriority(packages[i].scripts(rpm.ScriptTransFileTriggerIn)) {
			p.fileTrigger(i, s, packages, true)
		}
	}
	return p.steps, count
}

// PreTrans gives the steps of %pretrans, which rpm takes before the first package is installed.
func PreTrans(packages []Package) []Step {
	p := planner{packages: packages}
	for i := range packages {
		p.run(i, rpm.ScriptPreTrans, "1")
	}
	return p.steps
}

type planner struct {
	packages []Package
	steps    []Step
}

// before are the steps before package i's files.
func (p *planner) before(i int) {
	p.triggers(i, rpm.ScriptTriggerPreIn, p.packages[:i], "0")
	p.run(i, rpm.ScriptPre, "1")
}

// after are the steps once package i's files are there.
func (p *planner) after(i int) {
	p.fileTriggers(i, true)
	p.run(i, rpm.ScriptPost, "1")
	p.triggers(i, rpm.ScriptTriggerIn, p.packages[:i+1], "1")
	p.fileTriggers(i, false)
}

func (p *planner) add(i int, s rpm.Script, paths []string, args ...string) {
	if s.Body == "" && len(s.Program) == 1 && (s.Program[0] == "/bin/sh" || s.IsLua()) {
		return // nothing to do
	}
	p.steps = append(p.steps, Step{Package: p.packages[i].Name, Script: s, Args: args, Paths: paths})
}

func (p *planner) run(i int, kind rpm.ScriptKind, args ...string) {
	for _, s := range p.packages[i].scripts(kind) {
		p.add(i, s, nil, args...)
	}
}

// triggers adds what package i sets off in those that are there, and what those set off in it. In
// the latter case a trigger runs once, however many packages it waits for. here says how many
// instances of the package that is waited for there are.
func (p *planner) triggers(i int, kind rpm.ScriptKind, there []Package, here string) {
	for j := range there {
		for _, s := range there[j].scripts(kind) {
			if slices.ContainsFunc(s.Conditions, p.packages[i].fulfils) {
				p.add(j, s, nil, "1", here)
			}
		}
	}
	for _, s := range p.packages[i].scripts(kind) {
		if slices.ContainsFunc(p.packages[:i], func(q Package) bool { return slices.ContainsFunc(s.Conditions, q.fulfils) }) {
			p.add(i, s, nil, "1", "1")
		}
	}
}

// fulfils says whether the package is one that a trigger waits for.
func (p *Package) fulfils(d rpm.Dependency) bool {
	return d.Name == p.Short && d.MatchedBy(rpm.Dependency{Name: p.Short, Sense: rpm.Equal, EVR: p.EVR})
}

// firstPriority divides the file triggers that run before %post from those that run after it.
const firstPriority = 10000

// fileTriggers adds those that package i's files set off in packages that are there, itself among
// them, by priority; then its own for the files of the others.
func (p *planner) fileTriggers(i int, first bool) {
	type owned struct {
		pkg    int
		script rpm.Script
	}
	var there []owned
	for j := range p.packages[:i+1] {
		for _, s := range p.packages[j].scripts(rpm.ScriptFileTriggerIn) {
			there = append(there, owned{j, s})
		}
	}
	slices.SortStableFunc(there, func(a, b owned) int { return b.script.Priority - a.script.Priority })
	for _, t := range there {
		if (t.script.Priority >= firstPriority) == first {
			p.fileTrigger(t.pkg, t.script, p.packages[i:i+1], false)
		}
	}
	for _, s := range byPriority(p.packages[i].scripts(rpm.ScriptFileTriggerIn)) {
		if (s.Priority >= firstPriority) == first {
			p.fileTrigger(i, s, p.packages[:i], true)
		}
	}
}

// fileTrigger adds a file trigger of package i if packages bring files that it waits for. Its input
// goes through its prefixes in their order, below each through the packages; what is below two of
// them comes twice. indexed says that rpm finds the packages in its database: then only those count
// that have something in a folder below the prefix, which owning the folder itself is not.
func (p *planner) fileTrigger(i int, s rpm.Script, packages []Package, indexed bool) {
	var paths []string
	for _, prefix := range s.Conditions {
		for _, q := range packages {
			if indexed && !q.fills(prefix.Name) {
				continue
			}
			for _, f := range q.Files {
				if strings.HasPrefix(f.Path, prefix.Name) {
					paths = append(paths, f.Path)
				}
			}
		}
	}
	if len(paths) > 0 {
		p.add(i, s, paths, "0")
	}
}

// fills says whether the package has something in a folder whose path, ended by a slash, begins
// with prefix.
func (p *Package) fills(prefix string) bool {
	return slices.ContainsFunc(p.Files, func(f rpm.File) bool {
		return strings.HasPrefix(strings.TrimSuffix(path.Dir(f.Path), "/")+"/", prefix)
	})
}

func byPriority(scripts []rpm.Script) []rpm.Script {
	slices.SortStableFunc(scripts, func(a, b rpm.Script) int { return b.Priority - a.Priority })
	return scripts
}

// String names the step: "%post of glibc-2.42-1.x86_64".
func (s *Step) String() string { return s.Script.Kind.String() + " of " + s.Package }

// Key is the hash of all of the step that decides what it does.
func (s *Step) Key() string {
	parts := []string{s.Package, s.Script.Kind.String(), s.Script.Body, strconv.FormatUint(uint64(s.Script.Flags), 10)}
	for _, list := range [][]string{s.Script.Program, s.Args, s.Paths} {
		parts = append(parts, strconv.Itoa(len(list)))
		parts = append(parts, list...)
	}
	return cache.Key(parts...)
}
