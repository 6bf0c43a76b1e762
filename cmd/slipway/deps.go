package main

import (
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

func (a *app) depsCommand() *cobra.Command {
	var env string
	var build bool
	cmd := &cobra.Command{
		Use:   "deps",
		Short: "What each project needs, and where it says so",
		Long: `Deps reads the spec files and the Python metadata of every project at an environment's branch, and
the package lists of the images, and shows what each image needs from RPM repositories: each thing
once, with every file and line that asks for it.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(s *session) error {
				name, err := environment(s, env)
				if err != nil {
					return err
				}
				c, err := s.Candidate(cmd.Context(), name)
				if err != nil {
					return err
				}
				n, err := s.Needs(cmd.Context(), c)
				if err != nil {
					return err
				}
				report := depsReport(n, build)
				return a.print(report, func(w io.Writer) { writeDeps(w, report) })
			})
		},
	}
	cmd.Flags().StringVarP(&env, "env", "e", "", "environment whose branch is read (needed where there are several)")
	cmd.Flags().BoolVar(&build, "build", false, "show what is needed to build the projects, too")
	return cmd
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

// depsResult is all that deps shows.
type depsResult struct {
	Images   []imageDeps `json:"images"`
	Warnings []string    `json:"warnings,omitempty"`
}

func depsReport(n *release.Needs, build bool) depsResult {
	var r depsResult
	for _, t := range n.Targets {
		for _, root := range t.Roots {
			if root.Image == lock.BuildRoot && !build {
				continue
			}
			r.Images = append(r.Images, imageReport(t.Target, root))
		}
		for _, project := range slices.Sorted(maps.Keys(n.Projects[t.Target])) {
			for _, d := range n.Projects[t.Target][project].Diagnostics {
				r.Warnings = append(r.Warnings, project+"/"+d.String())
			}
		}
	}
	r.Warnings = append(r.Warnings, n.Warnings...)
	slices.Sort(r.Warnings)
	r.Warnings = slices.Compact(r.Warnings)
	return r
}

func imageReport(target string, root *requirement.Merged) imageDeps {
	img := imageDeps{Image: root.Image, Target: target}
	for _, item := range root.Items {
		d := dep{Request: item.Request.String()}
		for _, by := range item.By {
			d.By = append(d.By, needer{by.Origin.Project, by.Origin.File, by.Origin.Line, by.Origin.Section, by.Written, by.Condition})
		}
		img.Needs = append(img.Needs, d)
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
		if img.Image == lock.BuildRoot {
			title = "to build the projects"
		}
		fmt.Fprintf(w, "%s on %s\n", title, img.Target)
		rows := [][]string{{"  NEEDS", "WRITTEN AS", "BY"}}
		for _, d := range img.Needs {
			for j, by := range d.By {
				request := ""
				if j == 0 {
					request = d.Request
				}
				rows = append(rows, []string{"  " + request, by.Written, by.where()})
			}
		}
		table(w, rows)
		if len(img.Projects) > 0 {
			fmt.Fprintf(w, "  from git: %s\n", strings.Join(img.Projects, ", "))
		}
	}
	if len(r.Warnings) > 0 {
		fmt.Fprintln(w, "\nwarnings:")
		for _, l := range r.Warnings {
			fmt.Fprintln(w, "  "+l)
		}
	}
}

func (n needer) where() string {
	s := n.File
	if n.Project != "" {
		s = n.Project + "/" + n.File
	}
	if n.Line > 0 {
		s += fmt.Sprintf(":%d", n.Line)
	}
	if n.Section != "" {
		s += " (" + n.Section + ")"
	}
	if n.Condition != "" {
		s += " if " + n.Condition
	}
	return s
}
