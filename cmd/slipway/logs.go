package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/deploy"
)

func (a *app) logsCommand() *cobra.Command {
	var env string
	r := deploy.LogRequest{}
	cmd := &cobra.Command{
		Use:   "logs [WORKLOAD]",
		Short: "What the workloads of an environment wrote",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("logs takes one workload, or none for all")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := a.running(cmd.Context(), env)
			if err != nil {
				return err
			}
			r.Service, r.Environment = at.service, at.environment
			if len(args) == 1 {
				r.Workload = args[0]
			}
			return at.target.Logs(cmd.Context(), r, a.out)
		},
	}
	cmd.Flags().StringVarP(&env, "env", "e", "", "environment (needed where there are several)")
	cmd.Flags().BoolVarP(&r.Follow, "follow", "f", false, "go on as lines are written")
	cmd.Flags().IntVarP(&r.Tail, "tail", "n", 100, "how many lines of each to begin with; -1 is all")
	return cmd
}

func (a *app) downCommand() *cobra.Command {
	var env string
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop what runs in an environment",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := a.running(cmd.Context(), env)
			if err != nil {
				return err
			}
			if err := at.target.Down(cmd.Context(), at.service, at.environment); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "nothing of %s runs in %s any more\n", at.service, at.environment)
			return err
		},
	}
	cmd.Flags().StringVarP(&env, "env", "e", "", "environment (needed where there are several)")
	return cmd
}
