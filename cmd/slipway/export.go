package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"
)

func (a *app) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Write what is needed to build without Slipway", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var env, dir string
	var o buildOptions
	export := &cobra.Command{
		Use:   "containerfile",
		Short: "Containerfiles of an environment's images, with all they need",
		Long: `Containerfile writes a folder from which buildah, podman or docker build the environment's images without
Slipway and without the network: the locked RPMs with a repository of them, the projects at their commits,
for each image a Containerfile of its base and one of the image, and build.sh, which runs them in order.
workflow.yaml does that at GitHub, openshift.yaml has the builds and image streams of OpenShift.

The bases are installed by dnf of an image of the same distribution, which build.sh is given the name of:
it is the one thing that is not in the folder.`,
		Example: "  slipway export containerfile --env stg --output exported\n  cd exported && ./build.sh registry.fedoraproject.org/fedora:43",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return usageError{fmt.Errorf("--output is missing: the folder to write to")}
			}
			return a.with(cmd.Context(), func(s *session) error {
				name, err := environment(s.Config, env)
				if err != nil {
					return err
				}
				return a.exportContainerfiles(cmd.Context(), s, name, dir, o)
			})
		},
	}
	export.Flags().StringVarP(&env, "env", "e", "", "environment whose branch is exported (needed where there are several)")
	export.Flags().StringVarP(&dir, "output", "o", "", "folder to write to; it must not exist or be empty")
	export.Flags().BoolVar(&o.locked, "locked", false, "fail where slipway.lock does not have what is needed, instead of extending it")
	cmd.AddCommand(export)
	return cmd
}

func (a *app) exportContainerfiles(ctx context.Context, s *session, env, dir string, o buildOptions) error {
	c, err := s.Candidate(ctx, env)
	if err != nil {
		return err
	}
	s.WantPip = true
	n, err := s.warnedNeeds(ctx, c)
	if err != nil {
		return err
	}
	l, err := a.ensureLock(ctx, s, n, o.locked)
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	list, err := s.ExportContainerfiles(ctx, c, n, l, dir)
	if err != nil {
		return err
	}
	return a.print(list, func(w io.Writer) {
		fmt.Fprintf(w, "%s has what builds these images without Slipway: ./build.sh IMAGE-WITH-DNF\n\n", dir)
		rows := [][]string{{"IMAGE", "CONTAINERFILE", "RPMS", "PROJECTS"}}
		for _, x := range list {
			rows = append(rows, []string{x.Image, x.Containerfile, fmt.Sprint(x.Packages), fmt.Sprint(x.Projects)})
		}
		table(w, rows)
	})
}
