package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/release"
)

func (a *app) statusCommand() *cobra.Command {
	var env string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "What runs where, from which commits, since when",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(s *session) error {
				list, err := a.statuses(cmd.Context(), s, env)
				if err != nil {
					return err
				}
				return a.print(list, func(w io.Writer) {
					for i, e := range list {
						if i > 0 {
							fmt.Fprintln(w)
						}
						e.write(w, time.Now())
					}
				})
			})
		},
	}
	cmd.Flags().StringVarP(&env, "env", "e", "", "only this environment")
	return cmd
}

// environmentStatus is an environment as status shows it.
type environmentStatus struct {
	Environment string             `json:"environment"`
	Branch      string             `json:"branch"`
	Status      deploy.Status      `json:"status"`
	Snapshot    *release.Snapshot  `json:"snapshot,omitempty"`
	Promotion   *release.Promotion `json:"lastPromotion,omitempty"`
}

func (a *app) statuses(ctx context.Context, s *session, only string) ([]environmentStatus, error) {
	names := slices.Sorted(maps.Keys(s.Config.Environments))
	if only != "" {
		if !slices.Contains(names, only) {
			return nil, fmt.Errorf("there is no environment %q: there are %s", only, strings.Join(names, ", "))
		}
		names = []string{only}
	}
	list := []environmentStatus{}
	for _, name := range names {
		e := environmentStatus{Environment: name, Branch: s.Config.Environments[name].Branch}
		var err error
		if e.Status, err = s.Target.Status(ctx, s.Config.Service, name); err != nil {
			return nil, err
		}
		if e.Status.Snapshot != "" {
			e.Snapshot, err = s.Records.Snapshot(ctx, s.Config.Service, e.Status.Snapshot)
			if err != nil && !errors.Is(err, release.ErrNoRecord) {
				return nil, err
			}
		}
		promotions, err := s.Records.Promotions(ctx, s.Config.Service, name, 1)
		if err != nil {
			return nil, err
		}
		if len(promotions) > 0 {
			e.Promotion = &promotions[0]
		}
		list = append(list, e)
	}
	return list, nil
}

func (e environmentStatus) write(w io.Writer, now time.Time) {
	fmt.Fprintf(w, "%s (branch %s): ", e.Environment, e.Branch)
	switch {
	case e.Status.Problem != "":
		fmt.Fprintln(w, e.Status.Problem)
	case !e.Status.Running:
		fmt.Fprintln(w, "nothing runs")
	default:
		fmt.Fprintf(w, "snapshot %s, since %s (%s)\n", e.Status.Alias, e.Status.Since.Local().Format(time.DateTime), ago(e.Status.Since, now))
	}
	if p := e.Promotion; p != nil && p.State != release.Succeeded {
		fmt.Fprintf(w, "last promotion %s, %s, by %s", p.State, ago(p.Began, now), p.Actor)
		if p.Message != "" {
			fmt.Fprintf(w, ": %s", firstLine(p.Message))
		}
		fmt.Fprintln(w)
	}
	if len(e.Status.Workloads) > 0 {
		fmt.Fprintln(w)
		writeWorkloads(w, e.Status)
	}
	if e.Snapshot != nil {
		fmt.Fprintln(w)
		rows := [][]string{{"  PROJECT", "COMMIT", "SUBJECT", "AUTHOR", "COMMITTED"}}
		for _, p := range e.Snapshot.Projects {
			rows = append(rows, []string{"  " + p.Name, shortCommit(p.Commit), p.Subject, p.Author, ago(p.Time, now)})
		}
		table(w, rows)
	}
}

// writeWorkloads is the table of what runs.
func writeWorkloads(w io.Writer, s deploy.Status) {
	rows := [][]string{{"  WORKLOAD", "STATE", "READY", "RESTARTS", "ADDRESS", "DIGEST"}}
	for _, wl := range s.Workloads {
		address := "-"
		if wl.Address != "" {
			address = "http://" + wl.Address
		}
		rows = append(rows, []string{"  " + wl.Name, string(wl.State), fmt.Sprintf("%d/%d", wl.Ready, wl.Replicas), fmt.Sprint(wl.Restarts), address, shortDigest(wl.Digest)})
	}
	table(w, rows)
	for _, wl := range s.Workloads {
		if wl.LastError != "" {
			fmt.Fprintf(w, "  %s: %s\n", wl.Name, firstLine(wl.LastError))
		}
	}
}
