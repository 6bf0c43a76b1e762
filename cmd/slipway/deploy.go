package main

import (
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/release"
)

func (a *app) deployCommand() *cobra.Command {
	var env, snapshot, reason string
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Build what an environment's branch has now, and run it",
		Long: `Deploy builds the environment's branch (or finds that it is built) and runs the snapshot. The new
version must become healthy before the old one goes; when it does not, the old one serves on and the
command fails, saying why. With --snapshot it builds nothing and runs that one.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(s *session) error {
				ctx := cmd.Context()
				name, err := environment(s.Config, env)
				if err != nil {
					return err
				}
				began := time.Now()
				var snap *release.Snapshot
				if snapshot != "" {
					snap, err = s.Records.Snapshot(ctx, s.Config.Service, snapshot)
				} else {
					var b *release.Built
					if b, err = a.build(ctx, s, name, o); err == nil {
						snap = b.Snapshot
					}
				}
				if err != nil {
					return err
				}
				built := time.Since(began)
				result, err := s.Deploy(ctx, name, snap, actor(), reason)
				if err != nil {
					return fmt.Errorf("snapshot %s in %s: %w", snap.Alias, name, err)
				}
				return a.printDeployed(snap, result, built, time.Since(began))
			})
		},
	}
	cmd.Flags().StringVarP(&env, "env", "e", "", "environment to deploy to (needed where there are several)")
	cmd.Flags().StringVar(&snapshot, "snapshot", "", "run this snapshot (alias or ID) instead of building")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the records")
	o.add(cmd)
	return cmd
}

// actor is who runs the command, for the records.
func actor() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

func (a *app) printDeployed(s *release.Snapshot, r deploy.Result, built, all time.Duration) error {
	return a.print(struct {
		Snapshot *release.Snapshot `json:"snapshot"`
		Result   deploy.Result     `json:"result"`
	}{s, r}, func(w io.Writer) {
		if r.Unchanged {
			fmt.Fprintf(w, "snapshot %s runs already\n\n", s.Alias)
		} else {
			fmt.Fprintf(w, "snapshot %s runs after %s (%s to build, %s to deploy)\n\n", s.Alias, duration(all), duration(built), duration(all-built))
		}
		writeWorkloads(w, r.Status)
	})
}
