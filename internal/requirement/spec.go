package requirement

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/specfile"
	"github.com/slipway-build/slipway/internal/requirement/specfile/macroset"
)

// specDirs are the folders where projects keep their spec files, in the order of preference.
var specDirs = []string{".", "packaging", "fedora", "rpm", "dist", "contrib"}

// findSpec returns the path of the project's spec file, or "". Of several, the one named after the project is meant.
func findSpec(tree fs.FS, project string) (found string, others []string, err error) {
	for _, dir := range specDirs {
		entries, err := fs.ReadDir(tree, dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, fmt.Errorf("looking for a spec file in %s: %w", dir, err)
		}
		var specs []string
		for _, e := range entries {
			if e.Type().IsRegular() && strings.HasSuffix(e.Name(), ".spec") {
				specs = append(specs, path.Join(dir, e.Name()))
			}
		}
		if len(specs) == 0 {
			continue
		}
		for _, name := range []string{project, "python-" + project, "python3-" + project} {
			if p := path.Join(dir, name+".spec"); slices.Contains(specs, p) {
				return p, slices.DeleteFunc(specs, func(s string) bool { return s == p }), nil
			}
		}
		return specs[0], specs[1:], nil
	}
	return "", nil, nil
}

// maxSpec bounds the size of a spec file, in bytes.
const maxSpec = 4 << 20

// readSpec reads the project's spec file, if there is one.
func (r *reading) readSpec() error {
	file, others, err := findSpec(r.project.Tree, r.project.Name)
	if err != nil || file == "" {
		return err
	}
	for _, other := range others {
		r.report(other, 0, "not read: %s is taken for the project's spec file", file)
	}
	data, err := readFile(r.project.Tree, file, maxSpec)
	if err != nil {
		return fmt.Errorf("reading the spec file of %s: %w", r.project.Name, err)
	}
	set := macroset.Target{Release: r.target.Release, Arch: r.target.arch(), Python: r.target.Python}
	macros := macroset.Engine(set, r.target.Macros)
	if _, own := r.target.Macros["_sourcedir"]; !own {
		macros.Set("_sourcedir", path.Dir(file)) // sources that the spec loads or includes are beside it
	}
	r.spec, err = specfile.Parse(file, data, specfile.Options{Macros: macros, Arch: r.target.arch(), Files: r.project.Tree})
	if err != nil {
		return fmt.Errorf("reading the spec file of %s: %w", r.project.Name, err)
	}
	r.needs.Spec = file
	for _, d := range r.spec.Diagnostics {
		r.report(d.File, d.Line, "%s", d.Message)
	}
	for _, pkg := range r.spec.Packages {
		if !pkg.Built {
			continue
		}
		for _, d := range pkg.Requires {
			if !d.Implied {
				r.fromSpec(&r.needs.Runtime, d, pkg.Name, Runtime)
			}
		}
	}
	for _, d := range r.spec.BuildRequires {
		r.fromSpec(&r.needs.Build, d, "", Build)
	}
	return nil
}

func readFile(tree fs.FS, name string, limit int64) ([]byte, error) {
	f, err := tree.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return data, err
}

// fromSpec adds a dependency of the spec. A name with an undefined macro in it has been reported, and is left out.
func (r *reading) fromSpec(list *[]Requirement, d specfile.Dependency, pkg string, kind Kind) {
	if strings.Contains(d.Text, "%") {
		return
	}
	name, _, _ := strings.Cut(d.Text, " ")
	if request, ok := r.target.Requests[name]; ok {
		if request == "" {
			return
		}
		d.Text = request
	}
	section := d.Tag
	if pkg != "" && pkg != r.spec.Packages[0].Name {
		section += " of " + pkg
	}
	r.add(list, Requirement{
		Request: d.Text, Written: d.Written, Kind: kind, Condition: d.Condition,
		Origin: Origin{Project: r.project.Name, File: d.File, Line: d.Line, Section: section},
	})
}
