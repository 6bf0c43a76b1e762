package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/release"
)

// matrixFormats are what deps --matrix prints besides text and JSON.
var matrixFormats = []string{"markdown", "html"}

// formats are the values of --format that a command line may have.
func formats(cmd *cobra.Command) []string {
	list := []string{"text", "json"}
	if f := cmd.Flags().Lookup("matrix"); f != nil && f.Changed {
		list = append(list, matrixFormats...)
	}
	return list
}

// matrixResult is what deps --matrix shows.
type matrixResult struct {
	Service  string       `json:"service"`
	Branch   string       `json:"branch"`
	Targets  []string     `json:"targets"`
	Rows     []matrixRow  `json:"rows"`
	Drift    []driftEntry `json:"drift"` // that nothing allows for
	Unmet    []string     `json:"unmet,omitempty"`
	Warnings []string     `json:"warnings,omitempty"`
}

// matrixRow is one dependency.
type matrixRow struct {
	Name  string       `json:"name"`
	Cells []matrixCell `json:"cells"` // one for each target
	By    []needer     `json:"by"`
}

// matrixCell is what a target has of it.
type matrixCell struct {
	State      string `json:"state"` // "fit", "missing", "too old", "too new", "unfit"; "" where nobody asks
	Text       string `json:"text"`
	Package    string `json:"package,omitempty"`
	Repository string `json:"repository,omitempty"`
	Has        string `json:"has,omitempty"`
	Needs      string `json:"needs,omitempty"`
	Lacking    bool   `json:"lacking,omitempty"`
}

// matrix shows what each target has of what the images need.
func (a *app) matrix(ctx context.Context, s *session, env string, q depsQuery) error {
	c, err := s.Candidate(ctx, env)
	if err != nil {
		return err
	}
	m, err := s.Matrix(ctx, c, q.build)
	if err != nil {
		return err
	}
	r := matrixReport(s.Pipeline, c.Branch, m)
	if err := a.printMatrix(r, q.output); err != nil || !q.strict {
		return err
	}
	return r.strict()
}

func matrixReport(p *release.Pipeline, branch string, m *release.Matrix) matrixResult {
	drift := driftReport(p, m.Needs)
	r := matrixResult{
		Service: p.Config.Service, Branch: branch, Targets: m.Targets, Rows: []matrixRow{}, Drift: []driftEntry{},
		Unmet: drift.Unmet, Warnings: depsReport(m.Needs, false).Warnings,
	}
	r.Warnings = append(r.Warnings, drift.Warnings...)
	for _, d := range drift.Drift {
		if d.Allowed == "" {
			r.Drift = append(r.Drift, d)
		}
	}
	for _, row := range m.Rows {
		out := matrixRow{Name: row.Name, By: needers(row.By)}
		for _, c := range row.Cells {
			cell := matrixCell{State: string(c.State), Text: c.String(), Repository: c.Repository, Has: c.Has, Needs: c.Needs, Lacking: c.Lacking()}
			if c.State == release.CellFit {
				cell.Package = c.Package.String()
			}
			out.Cells = append(out.Cells, cell)
		}
		r.Rows = append(r.Rows, out)
	}
	return r
}

// strict is the error of a matrix that has something to answer for.
func (r matrixResult) strict() error {
	if lacking := r.Lacking(); lacking+len(r.Drift)+len(r.Unmet) > 0 {
		return fmt.Errorf("--strict: %d cells are missing, too old or otherwise unfit, sources disagree about %d things, and %d needs of projects are not met",
			lacking, len(r.Drift), len(r.Unmet))
	}
	return nil
}

// Lacking counts the cells that have no fit package.
func (r matrixResult) Lacking() int {
	n := 0
	for _, row := range r.Rows {
		for _, c := range row.Cells {
			if c.Lacking {
				n++
			}
		}
	}
	return n
}

// printMatrix prints in the format asked for, to a file where one is named.
func (a *app) printMatrix(r matrixResult, file string) error {
	write := r.write
	switch a.format {
	case "markdown":
		write = r.markdown
	case "html":
		write = r.html
	}
	to := *a
	var b bytes.Buffer
	if file != "" {
		to.out = &b
	}
	if err := to.print(r, write); err != nil || file == "" {
		return err
	}
	if err := renameio.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the matrix: %w", err)
	}
	return nil
}

func (r matrixResult) write(w io.Writer) {
	rows := [][]string{append(append([]string{"NEEDS"}, upper(r.Targets)...), "BY")}
	for _, row := range r.Rows {
		cells := []string{row.Name}
		for _, c := range row.Cells {
			cells = append(cells, c.Text)
		}
		rows = append(rows, append(cells, row.Asking()))
	}
	table(w, rows)
	for _, u := range r.Unmet {
		fmt.Fprintln(w, "not met: "+u)
	}
	if len(r.Drift) > 0 {
		fmt.Fprintf(w, "sources disagree about %d things: --drift shows them\n", len(r.Drift))
	}
	writeWarnings(w, r.Warnings)
}

func upper(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToUpper(s)
	}
	return out
}

// Asking names everyone who asks for a row.
func (r matrixRow) Asking() string {
	var by []string
	for _, n := range r.By {
		if place := n.place(); !slices.Contains(by, place) {
			by = append(by, place)
		}
	}
	return strings.Join(by, ", ")
}

// markdown writes a table that reviews and wikis show.
func (r matrixResult) markdown(w io.Writer) {
	line := func(cells []string) {
		for i, c := range cells {
			cells[i] = markdownText(c)
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
	line(append(append([]string{"needs"}, r.Targets...), "by"))
	fmt.Fprintln(w, "|"+strings.Repeat("---|", len(r.Targets)+2))
	for _, row := range r.Rows {
		cells := []string{row.Name}
		for _, c := range row.Cells {
			text := c.Text
			if c.Lacking {
				text = "✘ " + text
			}
			cells = append(cells, text)
		}
		line(append(cells, row.Asking()))
	}
	for i, u := range r.Unmet {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "- not met: %s\n", markdownText(u))
	}
}

// markdownText keeps text from being taken for markup.
func markdownText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "\n", " ").Replace(s)
}

//go:embed matrix.html
var matrixPage string

// html writes a page that needs nothing beside itself.
func (r matrixResult) html(w io.Writer) {
	page := template.Must(template.New("matrix").Parse(matrixPage))
	if err := page.Execute(w, r); err != nil {
		fmt.Fprintf(w, "<!-- %v -->", template.HTMLEscapeString(err.Error()))
	}
}
