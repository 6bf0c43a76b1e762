package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/requirement/specfile"
	"github.com/slipway-build/slipway/internal/requirement/specfile/macroset"
)

// maxInspected bounds the spec file that is read, in bytes.
const maxInspected = 4 << 20

// specQuery is what inspect spec is asked for.
type specQuery struct {
	selectors
	target  string
	defines []string
	macros  bool
	expand  string
}

func (a *app) inspectSpecCommand() *cobra.Command {
	var q specQuery
	cmd := &cobra.Command{
		Use:   "spec FILE --target RELEASE[/ARCH]",
		Short: "What a spec file says",
		Long: `Spec reads a spec file with the macros of an OS release and prints its packages with what they need
and provide. With a selector it prints that list alone, a line each as rpmspec -q does.`,
		Example: `  slipway inspect spec hello.spec --target fedora-43
  slipway inspect spec hello.spec --target centos-stream-9 --buildrequires
  slipway inspect spec hello.spec --target fedora-43 --define '_with_tests 1' --expand '%{version}'`,
		Args: oneArgument("spec file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := inspected(q.target)
			if err = errors.Join(err, oneOf(cmd, "requires", "buildrequires", "provides", "macros", "expand")); err != nil {
				return err
			}
			return a.inspectSpec(args[0], t, q, cmd.Flags().Changed("expand"))
		},
	}
	q.flags(cmd, &q.target)
	f := cmd.Flags()
	f.StringArrayVar(&q.defines, "define", nil, "define a macro, 'NAME VALUE' (may be repeated)")
	f.BoolVar(&q.macros, "macros", false, "the macros as they stand after the last line, NAME VALUE")
	f.StringVar(&q.expand, "expand", "", "expand a text after the last line")
	return cmd
}

func (a *app) inspectSpec(file string, t config.Target, q specQuery, expand bool) error {
	spec, err := readSpec(file, t, q.defines)
	if err != nil {
		return err
	}
	r := inspectedSpecOf(spec, t)
	a.complain(filepath.Dir(file), r.Diagnostics)
	if err := a.printSpec(spec, r, q, expand); err != nil {
		return err
	}
	for _, d := range r.Diagnostics {
		if d.Fatal {
			return fmt.Errorf("rpm refuses %s for %s:%d", file, d.File, d.Line)
		}
	}
	return nil
}

// readSpec reads a spec file as part of the folder that it really lies in.
func readSpec(file string, t config.Target, defines []string) (*specfile.Spec, error) {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return nil, fmt.Errorf("reading a spec file: %w", err)
	}
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("reading a spec file: %w", err)
	}
	defer root.Close()
	name := filepath.Base(file)
	if st, err := root.Stat(name); err == nil && !st.Mode().IsRegular() {
		return nil, fmt.Errorf("reading a spec file: %s is not a file", file)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading a spec file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxInspected+1))
	if err != nil {
		return nil, fmt.Errorf("reading a spec file: %w", err)
	}
	if len(data) > maxInspected {
		return nil, fmt.Errorf("reading %s: larger than %d bytes", file, maxInspected)
	}
	macros := macroset.Engine(macroset.Target{Release: t.Release, Arch: t.Arch}, nil)
	macros.Set("_sourcedir", ".")
	for _, d := range defines {
		if err := macros.Define(d); err != nil {
			return nil, usageError{fmt.Errorf("--define %q: %w", d, err)}
		}
	}
	return specfile.Parse(name, data, specfile.Options{Macros: macros, Arch: t.Arch, Files: root.FS()})
}

func (a *app) printSpec(spec *specfile.Spec, r inspectedSpec, q specQuery, expand bool) error {
	switch {
	case q.requires:
		return a.printList(r.each(func(p inspectedPackage) []specDependency { return p.Requires }))
	case q.provides:
		return a.printList(r.each(func(p inspectedPackage) []specDependency { return p.Provides }))
	case q.buildRequires:
		return a.printList(inOrder(dependencyTexts(r.BuildRequires)))
	case q.macros:
		var list []string
		macros := spec.Macros()
		for _, name := range macros.Names() {
			body, _ := macros.Body(name)
			list = append(list, strings.TrimRight(name+" "+body, " "))
		}
		return a.printList(list)
	case expand:
		text, err := spec.Expand(q.expand)
		if err != nil {
			return fmt.Errorf("expanding %q: %w", q.expand, err)
		}
		return a.printList([]string{text})
	}
	return a.print(r, func(w io.Writer) { r.write(w) })
}

// inspectedSpec is what inspect spec says.
type inspectedSpec struct {
	File          string             `json:"file"`
	Target        string             `json:"target"`
	Packages      []inspectedPackage `json:"packages"`
	BuildRequires []specDependency   `json:"buildRequires"`
	Generators    []string           `json:"generators,omitempty"` // of dynamic build requirements
	Diagnostics   []diagnostic       `json:"diagnostics"`
}

// inspectedPackage is the main package or a sub-package.
type inspectedPackage struct {
	Name     string           `json:"name"`
	EVR      string           `json:"evr"`
	Arch     string           `json:"arch"`
	Line     int              `json:"line"`
	Built    bool             `json:"built"` // it has %files
	Requires []specDependency `json:"requires"`
	Provides []specDependency `json:"provides"`
}

// specDependency is one dependency and where the spec says so.
type specDependency struct {
	Text      string `json:"text"`
	Tag       string `json:"tag"`
	Written   string `json:"written,omitempty"`
	File      string `json:"file"`
	Line      int    `json:"line"`
	Condition string `json:"condition,omitempty"`
	Implied   bool   `json:"implied,omitempty"` // no line asks for it
}

func inspectedSpecOf(s *specfile.Spec, t config.Target) inspectedSpec {
	r := inspectedSpec{File: s.File, Target: t.Release + "/" + t.Arch, BuildRequires: specDependencies(s.BuildRequires), Diagnostics: []diagnostic{}}
	for _, p := range s.Packages {
		r.Packages = append(r.Packages, inspectedPackage{
			Name: p.Name, EVR: p.EVR(), Arch: p.Arch, Line: p.Line, Built: p.Built,
			Requires: specDependencies(p.Requires), Provides: specDependencies(p.Provides),
		})
	}
	for _, g := range s.Dynamic {
		r.Generators = append(r.Generators, strings.Join(append([]string{g.Name}, g.Args...), " "))
	}
	for _, d := range s.Diagnostics {
		r.Diagnostics = append(r.Diagnostics, diagnostic(d))
	}
	return r
}

func specDependencies(list []specfile.Dependency) []specDependency {
	out := []specDependency{}
	for _, d := range list {
		out = append(out, specDependency{d.Text, d.Tag, d.Written, d.File, d.Line, d.Condition, d.Implied})
	}
	return out
}

func dependencyTexts(list []specDependency) []string {
	var out []string
	for _, d := range list {
		out = append(out, d.Text)
	}
	return out
}

// each lists what the packages say, one after the other, as rpmspec -q does: also those that are not
// built.
func (r inspectedSpec) each(of func(inspectedPackage) []specDependency) []string {
	var out []string
	for _, p := range r.Packages {
		out = append(out, inOrder(dependencyTexts(of(p)))...)
	}
	return out
}

func (r inspectedSpec) write(w io.Writer) {
	fmt.Fprintf(w, "%s for %s\n", r.File, r.Target)
	for _, p := range r.Packages {
		note := ""
		if !p.Built {
			note = " (without %files: not built)"
		}
		fmt.Fprintln(w)
		rows := [][]string{{fmt.Sprintf("package %s %s %s, line %d%s", p.Name, p.EVR, p.Arch, p.Line, note)}}
		rows = append(rows, r.rows(p.Requires)...)
		table(w, append(rows, r.rows(p.Provides)...))
	}
	if len(r.BuildRequires) > 0 {
		fmt.Fprintln(w)
		table(w, append([][]string{{"to be built"}}, r.rows(r.BuildRequires)...))
	}
	for _, g := range r.Generators {
		fmt.Fprintf(w, "  and what %%%s adds\n", g)
	}
}

// rows shows dependencies with their lines.
func (r inspectedSpec) rows(list []specDependency) [][]string {
	var rows [][]string
	for _, d := range list {
		at := fmt.Sprintf("%s:%d", d.File, d.Line)
		switch {
		case d.Implied:
			at += " (implied)"
		case d.Condition != "":
			at += " (" + d.Condition + ")"
		}
		rows = append(rows, []string{"  " + d.Tag, d.Text, at})
	}
	return rows
}
