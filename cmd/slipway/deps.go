package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/requirement"
)

// depsQuery is what deps is asked for.
type depsQuery struct {
	env           string
	build, strict bool
	drift, matrix bool
	output        string
	diff          string
}

func (a *app) depsCommand() *cobra.Command {
	var q depsQuery
	cmd := &cobra.Command{
		Use:   "deps",
		Short: "What each project needs, and where it says so",
		Long: `Deps reads the spec files and the Python metadata of every project at an environment's branch, and
the package lists of the images, and shows what each image needs from RPM repositories: each thing
once, with every file and line that asks for it.`,
		Example: `  slipway deps --env stg             # what each image needs
  slipway deps --env stg --drift     # where a spec file and the Python metadata disagree
  slipway deps --env stg --matrix    # what each target's repositories have of it
  slipway deps --env stg --matrix --format html --output matrix.html
  slipway deps --diff stable..main   # what would be needed if stable moved to main`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := q.check(cmd); err != nil {
				return err
			}
			return a.with(cmd.Context(), func(s *session) error { return a.deps(cmd.Context(), s, q) })
		},
	}
	f := cmd.Flags()
	f.StringVarP(&q.env, "env", "e", "", "environment whose branch is read (needed where there are several)")
	f.BoolVar(&q.build, "build", false, "show what is needed to build the projects, too, and what their spec files generate")
	f.BoolVar(&q.drift, "drift", false, "show where a project's spec file and its Python metadata disagree")
	f.BoolVar(&q.matrix, "matrix", false, "show what the repositories of every target have of it (--format also markdown or html)")
	f.StringVar(&q.diff, "diff", "", "show what changes from one branch to another, A..B (images of --env, or all)")
	f.StringVar(&q.output, "output", "", "write the matrix to a file")
	f.BoolVar(&q.strict, "strict", false, "end with status 1 where there is something to answer for")
	return cmd
}

// check says which flags do not go together.
func (q depsQuery) check(cmd *cobra.Command) error {
	switch {
	case q.strict && !q.drift && !q.matrix:
		return usageError{errors.New("--strict goes with --drift or --matrix")}
	case q.output != "" && !q.matrix:
		return usageError{errors.New("--output goes with --matrix")}
	}
	return errors.Join(oneOf(cmd, "build", "drift"), oneOf(cmd, "drift", "matrix", "diff"))
}

func (a *app) deps(ctx context.Context, s *session, q depsQuery) error {
	if q.diff != "" {
		return a.needsDiff(ctx, s, q)
	}
	env, err := environment(s.Config, q.env)
	if err != nil {
		return err
	}
	if q.drift {
		return a.drift(ctx, s, env, q.strict)
	}
	if q.matrix {
		return a.matrix(ctx, s, env, q)
	}
	c, err := s.Candidate(ctx, env)
	if err != nil {
		return err
	}
	n, err := s.Needs(ctx, c)
	if err != nil {
		return err
	}
	report := depsReport(n, q.build)
	if report.Exceptions, err = exceptions(s, n); err != nil {
		return err
	}
	return a.print(report, func(w io.Writer) { writeDeps(w, report) })
}

// dep is one thing that an image needs.
type dep struct {
	Request string   `json:"request"`
	By      []needer `json:"by"`
}

// needer is who asks for it.
type needer struct {
	Project   string `json:"project,omitempty"`
	File      string `json:"file"`
	Line      int    `json:"line,omitempty"`
	Section   string `json:"section,omitempty"`
	Written   string `json:"written"`
	Condition string `json:"condition,omitempty"`
}

// imageDeps is what one image needs.
type imageDeps struct {
	Image    string   `json:"image"`
	Target   string   `json:"target"`
	Needs    []dep    `json:"needs"`
	Projects []string `json:"projects"` // that are in the image and so not asked of repositories
}

// generatedDeps is what building one project's RPM would need beyond building its wheel.
type generatedDeps struct {
	Project string `json:"project"`
	Target  string `json:"target"`
	Needs   []dep  `json:"needs"`
}

// depsResult is all that deps shows.
type depsResult struct {
	Images []imageDeps `json:"images"`
	// Generated is what %generate_buildrequires of the projects' spec files would ask for, too.
	Generated []generatedDeps `json:"generated,omitempty"`
	// Exceptions are what images take that is no signed RPM.
	Exceptions []exception `json:"exceptions,omitempty"`
	Warnings   []string    `json:"warnings,omitempty"`
}

func depsReport(n *release.Needs, build bool) depsResult {
	var r depsResult
	for _, t := range n.Targets {
		for _, root := range t.Roots {
			if lock.IsBuildRoot(root.Image) && !build {
				continue
			}
			r.Images = append(r.Images, imageReport(t.Target, root))
		}
		if build {
			r.Generated = append(r.Generated, generatedReport(t.Target, n.Projects[t.Target])...)
		}
	}
	r.Warnings = needWarnings(n)
	return r
}

// generatedReport lists what the spec files of a target's projects generate, each request once.
func generatedReport(target string, projects map[string]*requirement.Needs) []generatedDeps {
	var list []generatedDeps
	for _, name := range slices.Sorted(maps.Keys(projects)) {
		g := generatedDeps{Project: name, Target: target}
		by := map[string][]requirement.Requirement{}
		for _, q := range projects[name].Generated {
			if !slices.Contains(by[q.Request], q) {
				by[q.Request] = append(by[q.Request], q)
			}
		}
		for _, request := range slices.Sorted(maps.Keys(by)) {
			g.Needs = append(g.Needs, dep{Request: request, By: needers(by[request])})
		}
		if len(g.Needs) > 0 {
			list = append(list, g)
		}
	}
	return list
}

func imageReport(target string, root *requirement.Merged) imageDeps {
	img := imageDeps{Image: root.Image, Target: target}
	for _, item := range root.Items {
		img.Needs = append(img.Needs, dep{Request: item.Request.String(), By: needers(item.By)})
	}
	for _, v := range root.Virtuals {
		img.Projects = append(img.Projects, v.Label)
	}
	return img
}

func writeDeps(w io.Writer, r depsResult) {
	for i, img := range r.Images {
		if i > 0 {
			fmt.Fprintln(w)
		}
		title := "image " + img.Image
		if lock.IsBuildRoot(img.Image) {
			title = "to build the projects"
		}
		fmt.Fprintf(w, "%s on %s\n", title, img.Target)
		writeNeeds(w, img.Needs)
		if len(img.Projects) > 0 {
			fmt.Fprintf(w, "  from git: %s\n", strings.Join(img.Projects, ", "))
		}
	}
	for _, g := range r.Generated {
		fmt.Fprintf(w, "\nto build the RPM of %s on %s, generated by its spec file\n", g.Project, g.Target)
		writeNeeds(w, g.Needs)
	}
	writeExceptions(w, r.Exceptions)
	writeWarnings(w, r.Warnings)
}

func writeNeeds(w io.Writer, needs []dep) {
	rows := [][]string{{"  NEEDS", "WRITTEN AS", "BY"}}
	for _, d := range needs {
		for j, by := range d.By {
			request := ""
			if j == 0 {
				request = d.Request
			}
			rows = append(rows, []string{"  " + request, by.Written, by.where()})
		}
	}
	table(w, rows)
}

// needWarnings are what the projects' files and the package lists leave open, each once, sorted.
func needWarnings(n *release.Needs) []string {
	list := slices.Clone(n.Warnings)
	for _, t := range n.Targets {
		for _, project := range slices.Sorted(maps.Keys(n.Projects[t.Target])) {
			for _, d := range n.Projects[t.Target][project].Diagnostics {
				list = append(list, project+"/"+d.String())
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func writeWarnings(w io.Writer, warnings []string) {
	if len(warnings) > 0 {
		fmt.Fprintln(w, "\nwarnings:")
	}
	for _, l := range warnings {
		fmt.Fprintln(w, "  "+l)
	}
}

// place is the file and line where it is asked for.
func (n needer) place() string {
	s := n.File
	if n.Project != "" {
		s = n.Project + "/" + n.File
	}
	if n.Line > 0 {
		s += fmt.Sprintf(":%d", n.Line)
	}
	return s
}

// where is the place with what explains it.
func (n needer) where() string {
	s := n.place()
	if n.Section != "" {
		s += " (" + n.Section + ")"
	}
	if n.Condition != "" {
		s += " if " + n.Condition
	}
	return s
}
