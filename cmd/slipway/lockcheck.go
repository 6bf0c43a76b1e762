package main

import (
	"context"
	"fmt"
	"io"
)

// checkResult is what lock --check shows.
type checkResult struct {
	Path     string        `json:"path"`
	Fit      bool          `json:"fit"`
	Problems []lockProblem `json:"problems"`
	// Elsewhere are packages that only another place than their repository has.
	Elsewhere []lockElsewhere `json:"elsewhere,omitempty"`
}

type lockElsewhere struct {
	Target   string `json:"target"`
	Package  string `json:"package"`
	Place    string `json:"place"`
	Archived bool   `json:"archived"`
}

type lockProblem struct {
	Target  string `json:"target"`
	Root    string `json:"root,omitempty"`
	Package string `json:"package,omitempty"`
	Text    string `json:"text"`
}

func (a *app) checkLock(ctx context.Context, s *session, q lockQuery) error {
	n, err := a.needs(ctx, s, q.env)
	if err != nil {
		return err
	}
	l, err := s.ReadLock()
	if err != nil {
		return err
	}
	problems, elsewhere, err := s.CheckLock(ctx, n, l)
	if err != nil {
		return err
	}
	r := checkResult{Path: s.LockPath(), Fit: len(problems) == 0, Problems: []lockProblem{}}
	gone := false
	for _, p := range problems {
		r.Problems = append(r.Problems, lockProblem{p.Target, p.Root, p.Package, p.Text})
		gone = gone || p.Package != ""
	}
	for _, e := range elsewhere {
		r.Elsewhere = append(r.Elsewhere, lockElsewhere(e))
	}
	err = a.print(r, func(w io.Writer) {
		if r.Fit {
			fmt.Fprintf(w, "%s is up to date, and its packages are there\n", r.Path)
		}
		for _, p := range problems {
			fmt.Fprintln(w, p)
		}
		for _, e := range elsewhere {
			only := "its repository does not have it any more: it is at"
			if e.Archived {
				only = "only the archive has it any more, at"
			}
			fmt.Fprintf(w, "target %s: %s: %s %s\n", e.Target, e.Package, only, e.Place)
		}
	})
	switch {
	case err != nil || r.Fit:
		return err
	case gone:
		return fmt.Errorf("%s is not fit to build from: run slipway lock, with --update NAME for packages that are gone", r.Path)
	}
	return fmt.Errorf("%s is not up to date: run slipway lock", r.Path)
}
