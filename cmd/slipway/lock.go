package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/release"
)

func (a *app) lockCommand() *cobra.Command {
	var env string
	var o release.LockOptions
	cmd := &cobra.Command{
		Use:   "lock",
		Short: "Resolve what the projects need to RPMs, into slipway.lock",
		Long: `Lock resolves the needs of an environment's images to exact RPMs and writes slipway.lock beside
slipway.yaml: name, version, repository, checksum and reason of each, and the image layer it goes
into. Every package that the old lock has and that can stay, stays; --update takes the newest.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(s *session) error {
				ctx := cmd.Context()
				name, err := environment(s.Config, env)
				if err != nil {
					return err
				}
				began := time.Now()
				c, err := s.Candidate(ctx, name)
				if err != nil {
					return err
				}
				n, err := s.Needs(ctx, c)
				if err != nil {
					return err
				}
				old, err := s.ReadLock()
				if err != nil {
					return err
				}
				l, changed, err := s.Lock(ctx, n, old, o)
				if err != nil {
					return err
				}
				if changed {
					if err := l.Write(s.LockPath()); err != nil {
						return err
					}
				}
				return a.printLocked(old, l, s.LockPath(), time.Since(began))
			})
		},
	}
	cmd.Flags().StringVarP(&env, "env", "e", "", "environment whose branch is locked (needed where there are several)")
	cmd.Flags().BoolVar(&o.Update, "update", false, "take the newest of every package")
	return cmd
}

func (a *app) printLocked(old, l *lock.Lock, path string, took time.Duration) error {
	if old == nil {
		old = &lock.Lock{}
	}
	changes := lock.Diff(old, l)
	type target struct {
		Name     string `json:"name"`
		Packages int    `json:"packages"`
		Size     int64  `json:"size"`
	}
	result := struct {
		Path    string   `json:"path"`
		Targets []target `json:"targets"`
		Changes []string `json:"changes"`
	}{Path: path}
	for _, t := range l.Targets {
		r := target{Name: t.Name, Packages: len(t.Packages)}
		for _, p := range t.Packages {
			r.Size += p.Size
		}
		result.Targets = append(result.Targets, r)
	}
	for _, c := range changes {
		result.Changes = append(result.Changes, c.String())
	}
	return a.print(result, func(w io.Writer) {
		for _, t := range result.Targets {
			fmt.Fprintf(w, "%s: %d packages, %s\n", t.Name, t.Packages, size(t.Size))
		}
		switch {
		case len(changes) == 0:
			fmt.Fprintf(w, "%s is up to date (%s)\n", path, duration(took))
		case len(old.Targets) == 0:
			fmt.Fprintf(w, "wrote %s in %s\n", path, duration(took))
		default:
			fmt.Fprintf(w, "wrote %s in %s:\n", path, duration(took))
			for _, c := range result.Changes {
				fmt.Fprintln(w, "  "+c)
			}
		}
	})
}
