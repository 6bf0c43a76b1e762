package requirement

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
	"github.com/slipway-build/slipway/internal/requirement/specfile"
	"github.com/slipway-build/slipway/internal/rpm"
)

// Project is a revision to read.
type Project struct {
	Name   string
	Commit string
	Tree   fs.FS
	// SCM is what git says of the commit. It is used where the metadata leaves the version to a tool that
	// asks git. The zero value: nothing is known.
	SCM pymeta.Describe
	// Metadata is the project's core metadata (METADATA), as its build backend made it on the target. It fills in what
	// the project's own files leave to the backend. Empty when the backend was not asked.
	Metadata []byte
}

// Read reports what a project needs on a target. A file that is missing is no error: a project may have a spec
// only, Python metadata only, or neither. What could not be understood is in the diagnostics of the result.
// Read runs nothing and reads only from the project's tree; it is safe for concurrent use when the tree is.
// The error is about reading the tree, or about a file that is larger than any honest one is.
func Read(p Project, t Target) (*Needs, error) {
	r := reading{project: p, target: t, markers: t.environment(), needs: &Needs{Project: p.Name, Commit: p.Commit}}
	var err error
	if r.meta, err = pymeta.Read(p.Tree); err != nil {
		return nil, fmt.Errorf("reading the Python metadata of %s: %w", p.Name, err)
	}
	if len(p.Metadata) > 0 {
		r.complete()
	}
	r.needs.Unread = r.meta.Unread
	if len(r.meta.Files) > 0 {
		r.needs.Metadata = r.metadataFile()
	}
	if err := r.readSpec(); err != nil {
		return nil, err
	}
	for _, d := range r.meta.Diagnostics {
		r.report(d.File, d.Line, "%s", d.Message)
	}
	r.python()
	if err := r.generate(); err != nil {
		return nil, err
	}
	r.provides()
	r.sort()
	return r.needs, nil
}

// reading is one call of Read under way.
type reading struct {
	project Project
	target  Target
	needs   *Needs
	meta    *pymeta.Metadata
	spec    *specfile.Spec // nil when there is none
	markers pymeta.Environment
}

// scmVersion is the version that the repository's tags give, empty where that is not known.
func (r *reading) scmVersion() string {
	if r.project.SCM.Node == "" {
		return ""
	}
	v, err := pymeta.SCMVersion(r.project.Tree, r.project.SCM)
	if err == nil {
		return v
	}
	v = pymeta.PlainVersion(r.project.SCM)
	if r.meta.VersionDynamic {
		r.report(r.metadataFile(), 0, "the version is made of git's tags in a way that is not known (%v); %q is taken", err, v)
	}
	return v
}

// complete fills in what only the build backend could tell.
func (r *reading) complete() {
	if err := r.meta.Complete(r.project.Metadata); err != nil {
		r.report(r.metadataFile(), 0, "what the build backend says is not understood: %v", err)
	}
}

func (r *reading) report(file string, line int, format string, args ...any) {
	d := Diagnostic{File: file, Line: line, Message: fmt.Sprintf(format, args...)}
	if !slices.Contains(r.needs.Diagnostics, d) {
		r.needs.Diagnostics = append(r.needs.Diagnostics, d)
	}
}

// add checks a requirement's text and adds it to a list.
func (r *reading) add(list *[]Requirement, q Requirement) {
	if _, err := rpm.ParseDependency(q.Request); err != nil {
		r.report(q.Origin.File, q.Origin.Line, "%s: %v", q.Origin.Section, err)
		return
	}
	*list = append(*list, q)
}

// provide adds something the project provides, once.
func (r *reading) provide(text string, file string, line int) {
	d, err := rpm.ParseDependency(text)
	if err != nil {
		r.report(file, line, "Provides: %v", err)
		return
	}
	if !slices.Contains(r.needs.Provides, d) {
		r.needs.Provides = append(r.needs.Provides, d)
	}
}

// sort puts what has no order of its own into one: diagnostics by file and line, provides by name.
func (r *reading) sort() {
	slices.SortStableFunc(r.needs.Diagnostics, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	slices.SortFunc(r.needs.Provides, func(a, b rpm.Dependency) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.String(), b.String()))
	})
}
