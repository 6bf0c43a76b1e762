package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/requirement"
)

// driftResult is what deps --drift shows.
type driftResult struct {
	Drift    []driftEntry `json:"drift"`
	Unmet    []string     `json:"unmet,omitempty"`
	Warnings []string     `json:"warnings,omitempty"`
}

// driftEntry is one thing about which a project's sources disagree.
type driftEntry struct {
	Project string   `json:"project"`
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Targets []string `json:"targets"`
	Spec    []needer `json:"spec,omitempty"`
	Python  []needer `json:"python,omitempty"`
	Allowed string   `json:"allowed,omitempty"` // why
}

// drift compares the projects' sources at an environment's branch.
func (a *app) drift(ctx context.Context, s *session, env string, strict bool) error {
	c, err := s.Candidate(ctx, env)
	if err != nil {
		return err
	}
	n, err := s.Survey(ctx, c)
	if err != nil {
		return err
	}
	r := driftReport(s.Pipeline, n)
	if err := a.print(r, func(w io.Writer) { r.write(w) }); err != nil || !strict {
		return err
	}
	return r.strict()
}

func driftReport(p *release.Pipeline, n *release.Needs) driftResult {
	drifts, stale := p.Drift(n)
	r := driftResult{Drift: []driftEntry{}, Unmet: unmetLines(n), Warnings: stale}
	for _, d := range drifts {
		r.Drift = append(r.Drift, driftEntry{
			Project: d.Project, Name: d.Name, Kind: string(d.Kind), Targets: d.Targets,
			Spec: needers(d.Spec), Python: needers(d.Python), Allowed: d.Allowed,
		})
	}
	return r
}

// unmetLines tells what projects need of each other and do not get, each once.
func unmetLines(n *release.Needs) []string {
	unmet := n.Unmet()
	if len(unmet) == 0 {
		return nil
	}
	return strings.Split((&release.UnmetError{Unmet: unmet}).Error(), "\n")
}

func needers(list []requirement.Requirement) []needer {
	var out []needer
	for _, q := range list {
		out = append(out, needer{q.Origin.Project, q.Origin.File, q.Origin.Line, q.Origin.Section, q.Written, q.Condition})
	}
	return out
}

// strict is the error of a report that has something to answer for.
func (r driftResult) strict() error {
	open := 0
	for _, d := range r.Drift {
		if d.Allowed == "" {
			open++
		}
	}
	if open+len(r.Unmet) > 0 {
		return fmt.Errorf("--strict: sources disagree about %d things, and %d needs of projects are not met", open, len(r.Unmet))
	}
	return nil
}

func (r driftResult) write(w io.Writer) {
	rows := [][]string{{"PROJECT", "DEPENDENCY", "THE SPEC SAYS", "THE PYTHON METADATA SAYS", "SO"}}
	for _, d := range r.Drift {
		if d.Allowed == "" {
			rows = append(rows, d.rows()...)
		}
	}
	if len(rows) > 1 {
		table(w, rows)
	} else {
		fmt.Fprintln(w, "spec files and Python metadata agree")
	}
	r.writeAllowed(w)
	for _, u := range r.Unmet {
		fmt.Fprintln(w, "not met: "+u)
	}
	writeWarnings(w, r.Warnings)
}

// writeAllowed writes a line for what is allowed for by the same reason.
func (r driftResult) writeAllowed(w io.Writer) {
	var lines []string
	names := map[string][]string{}
	for _, d := range r.Drift {
		if d.Allowed == "" {
			continue
		}
		key := fmt.Sprintf("%s: \x00: %s (%s)", d.Project, d.Kind, d.Allowed)
		if names[key] == nil {
			lines = append(lines, key)
		}
		names[key] = append(names[key], d.Name)
	}
	for _, key := range lines {
		fmt.Fprintln(w, "allowed: "+strings.Replace(key, "\x00", strings.Join(names[key], ", "), 1))
	}
}

// rows shows a drift, a line for each place.
func (d driftEntry) rows() [][]string {
	var rows [][]string
	for i := range max(len(d.Spec), len(d.Python)) {
		row := []string{"", "", said(d.Spec, i), said(d.Python, i), ""}
		if i == 0 {
			row[0], row[1], row[4] = d.Project, d.Name, d.Kind
		}
		rows = append(rows, row)
	}
	return rows
}

// said is what the i-th place says, or that nobody says anything.
func said(list []needer, i int) string {
	switch {
	case i < len(list):
		return fmt.Sprintf("%s (%s:%d)", list[i].Written, list[i].File, list[i].Line)
	case i == 0:
		return "-"
	}
	return ""
}
