package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/requirement"
	"github.com/slipway-build/slipway/internal/rpm"
)

func (a *app) inspectCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "inspect", Short: "What a spec file, a project's Python metadata, or an image says", Args: noArguments,
		Long: `Inspect reads one file, folder or image and prints what it says, without a slipway.yaml.
Nothing of it is run. What could not be read goes to stderr, with file and line.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.inspectSpecCommand(), a.inspectPythonCommand(), a.inspectImageCommand())
	return cmd
}

// selectors are the flags that print one list instead of a summary.
type selectors struct{ requires, buildRequires, provides bool }

func (s *selectors) flags(cmd *cobra.Command, target *string) {
	f := cmd.Flags()
	f.StringVar(target, "target", "", "OS release, and architecture where it is not x86_64: fedora-43, centos-stream-9/aarch64 (needed)")
	f.BoolVar(&s.requires, "requires", false, "what is needed to run it, one dependency a line")
	f.BoolVar(&s.buildRequires, "buildrequires", false, "what is needed to build it")
	f.BoolVar(&s.provides, "provides", false, "what it provides")
}

// inspected is the target that a command line names.
func inspected(target string) (config.Target, error) {
	if target == "" {
		return config.Target{}, usageError{errors.New("--target is missing: for which release, such as fedora-43?")}
	}
	t, err := config.ParseTarget(target)
	if err != nil {
		return t, usageError{fmt.Errorf("--target: %w", err)}
	}
	return t, nil
}

// oneArgument is the check of commands that take one.
func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%s takes one %s", cmd.CommandPath(), what)}
		}
		return nil
	}
}

// oneOf checks that at most one of these flags is given.
func oneOf(cmd *cobra.Command, names ...string) error {
	var given []string
	for _, n := range names {
		if cmd.Flags().Changed(n) {
			given = append(given, "--"+n)
		}
	}
	if len(given) > 1 {
		return usageError{fmt.Errorf("%s exclude each other", strings.Join(given, " and "))}
	}
	return nil
}

// printList prints a selector's result, a line each.
func (a *app) printList(list []string) error {
	return a.print(slices.Concat([]string{}, list), func(w io.Writer) {
		for _, s := range list {
			fmt.Fprintln(w, s)
		}
	})
}

// diagnostic is something that could not be read.
type diagnostic struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
	Fatal   bool   `json:"fatal,omitempty"` // rpm refuses the file for it
}

// complain writes diagnostics to stderr, their files as seen from here.
func (a *app) complain(dir string, list []diagnostic) {
	for _, d := range list {
		at := requirement.Diagnostic{File: filepath.Join(dir, filepath.FromSlash(d.File)), Line: d.Line, Message: d.Message}
		fmt.Fprintln(a.err, printable(at.String()))
	}
}

// inOrder sorts dependencies as rpm does in a package's header: by name, each once.
func inOrder(texts []string) []string {
	name := func(s string) string {
		if d, err := rpm.ParseDependency(s); err == nil {
			return d.Name
		}
		return s
	}
	texts = slices.Clone(texts)
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(cmp.Compare(name(a), name(b)), cmp.Compare(a, b)) })
	return slices.Compact(texts)
}

func (a *app) inspectPythonCommand() *cobra.Command {
	var target string
	var s selectors
	cmd := &cobra.Command{
		Use:   "python FOLDER --target RELEASE[/ARCH]",
		Short: "What a project's setup.cfg, setup.py and pyproject.toml say",
		Long: `Python reads the Python metadata of a project's folder and prints it in RPM's words: python3dist()
requests, for the release's Python, with the markers that hold there.`,
		Args: oneArgument("folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := inspected(target)
			if err = errors.Join(err, oneOf(cmd, "requires", "buildrequires", "provides")); err != nil {
				return err
			}
			return a.inspectPython(args[0], t, s)
		},
	}
	s.flags(cmd, &target)
	return cmd
}

// inspectedPython is what inspect python says.
type inspectedPython struct {
	Folder        string        `json:"folder"`
	Target        string        `json:"target"`
	Version       string        `json:"version,omitempty"`
	Backend       string        `json:"backend"`
	Requires      []inspectedBy `json:"requires"`
	BuildRequires []inspectedBy `json:"buildRequires"`
	Provides      []string      `json:"provides"`
	Diagnostics   []diagnostic  `json:"diagnostics"`
}

// inspectedBy is a request with the place that it comes from.
type inspectedBy struct {
	Request string `json:"request"`
	needer
}

func (a *app) inspectPython(dir string, t config.Target, s selectors) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("reading a project: %w", err)
	}
	defer root.Close()
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("reading a project: %w", err)
	}
	n, err := requirement.Read(requirement.Project{Name: filepath.Base(abs), Tree: withoutSpecs{root.FS()}},
		requirement.Target{Release: t.Release, Arch: t.Arch})
	if err != nil {
		return err
	}
	if len(n.Runtime)+len(n.Build)+len(n.Provides)+len(n.Diagnostics) == 0 {
		return fmt.Errorf("%s has no setup.cfg, setup.py or pyproject.toml", dir)
	}
	r := inspectedPython{
		Folder: dir, Target: t.Release + "/" + t.Arch, Version: n.Version, Backend: n.Backend.Name,
		Requires: inspectedNeeds(n.Runtime), BuildRequires: inspectedNeeds(n.Build), Provides: []string{}, Diagnostics: []diagnostic{},
	}
	for _, p := range n.Provides {
		r.Provides = append(r.Provides, p.String())
	}
	for _, d := range n.Diagnostics {
		r.Diagnostics = append(r.Diagnostics, diagnostic{File: d.File, Line: d.Line, Message: d.Message})
	}
	a.complain(dir, r.Diagnostics)
	switch {
	case s.requires:
		return a.printList(requests(r.Requires))
	case s.buildRequires:
		return a.printList(requests(r.BuildRequires))
	case s.provides:
		return a.printList(inOrder(r.Provides))
	}
	return a.print(r, func(w io.Writer) { r.write(w) })
}

func inspectedNeeds(list []requirement.Requirement) []inspectedBy {
	out := []inspectedBy{}
	for _, q := range list {
		out = append(out, inspectedBy{q.Request, needer{"", q.Origin.File, q.Origin.Line, q.Origin.Section, q.Written, q.Condition}})
	}
	return out
}

func requests(list []inspectedBy) []string {
	var out []string
	for _, q := range list {
		out = append(out, q.Request)
	}
	return inOrder(out)
}

func (r inspectedPython) write(w io.Writer) {
	fmt.Fprintf(w, "%s for %s\n", r.Folder, r.Target)
	table(w, [][]string{{"version", cmp.Or(r.Version, "(not written down)")}, {"build backend", r.Backend}})
	for _, list := range []struct {
		title string
		needs []inspectedBy
	}{{"needs", r.Requires}, {"needs to be built", r.BuildRequires}} {
		if len(list.needs) == 0 {
			continue
		}
		fmt.Fprintln(w, "\n"+list.title)
		var rows [][]string
		for _, q := range list.needs {
			rows = append(rows, []string{"  " + q.Request, q.Written, q.where()})
		}
		table(w, rows)
	}
	fmt.Fprintln(w, "\nprovides")
	for _, p := range r.Provides {
		fmt.Fprintln(w, "  "+p)
	}
}

// withoutSpecs is a project's tree in which spec files are not seen.
type withoutSpecs struct{ fs.FS }

func (t withoutSpecs) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(t.FS, name)
	return slices.DeleteFunc(list, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".spec") }), err
}
