package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/slipway-build/slipway/internal/release"
)

// diffResult is what deps --diff shows.
type diffResult struct {
	From     string        `json:"from"`
	To       string        `json:"to"`
	Projects []projectMove `json:"projects"`
	Changes  []needChange  `json:"changes"`
	Unmet    []string      `json:"unmet,omitempty"` // at To
}

// projectMove is a project that is at another commit.
type projectMove struct {
	Project string `json:"project"`
	From    string `json:"from"`
	To      string `json:"to"`
}

// needChange is one thing that an image needs otherwise.
type needChange struct {
	Image  string   `json:"image"`
	Target string   `json:"target"`
	Change string   `json:"change"` // "added", "removed", "changed"
	Name   string   `json:"name"`
	From   []string `json:"from,omitempty"`
	To     []string `json:"to,omitempty"`
	FromBy []needer `json:"fromBy,omitempty"`
	ToBy   []needer `json:"toBy,omitempty"`
}

// needsDiff shows what the images need at one branch and not at another.
func (a *app) needsDiff(ctx context.Context, s *session, q depsQuery) error {
	from, to, ok := strings.Cut(q.diff, "..")
	if !ok || from == "" || to == "" {
		return usageError{fmt.Errorf("--diff %s: write two branches as stable..main", q.diff)}
	}
	images := s.Config.ImageNames()
	if q.env != "" {
		if _, ok := s.Config.Environments[q.env]; !ok {
			return usageError{fmt.Errorf("there is no environment %q", q.env)}
		}
		images = s.Config.ImagesOf(q.env)
	}
	r := diffResult{From: from, To: to, Projects: []projectMove{}, Changes: []needChange{}}
	var candidates [2]*release.Candidate
	var needs [2]*release.Needs
	for i, branch := range []string{from, to} {
		var err error
		if candidates[i], err = s.At(ctx, images, branch); err != nil {
			return err
		}
		if needs[i], err = s.Survey(ctx, candidates[i]); err != nil {
			return err
		}
	}
	for _, name := range s.Config.ProjectsOf(images) {
		if a, b := candidates[0].Revisions[name].Commit, candidates[1].Revisions[name].Commit; a != b {
			r.Projects = append(r.Projects, projectMove{name, a, b})
		}
	}
	for _, c := range s.DiffNeeds(needs[0], needs[1], q.build) {
		r.Changes = append(r.Changes, needChange{
			Image: c.Image, Target: c.Target, Name: c.Name, Change: changed(c),
			From: c.From, To: c.To, FromBy: needers(c.FromBy), ToBy: needers(c.ToBy),
		})
	}
	r.Unmet = unmetLines(needs[1])
	return a.print(r, func(w io.Writer) { r.write(w) })
}

func changed(c release.NeedChange) string {
	switch {
	case len(c.From) == 0:
		return "added"
	case len(c.To) == 0:
		return "removed"
	}
	return "changed"
}

func (r diffResult) write(w io.Writer) {
	for _, p := range r.Projects {
		fmt.Fprintf(w, "%s: %s -> %s\n", p.Project, shortCommit(p.From), shortCommit(p.To))
	}
	if len(r.Changes) == 0 {
		fmt.Fprintf(w, "%s and %s need the same\n", r.From, r.To)
	} else {
		rows := [][]string{{"IMAGE", "TARGET", "CHANGE", "AT " + r.From, "AT " + r.To, "BY"}}
		for _, c := range r.Changes {
			by := c.ToBy
			if len(by) == 0 {
				by = c.FromBy
			}
			rows = append(rows, []string{c.Image, c.Target, c.Change, orDash(c.From), orDash(c.To), matrixRow{By: by}.Asking()})
		}
		table(w, rows)
	}
	for _, u := range r.Unmet {
		fmt.Fprintf(w, "not met at %s: %s\n", r.To, u)
	}
}

func orDash(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, ", ")
}
