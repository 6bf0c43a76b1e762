package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/registry"
)

func (a *app) registryCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "registry", Short: "The registry embedded in slipway", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	var listen string
	serve := &cobra.Command{
		Use:   "serve",
		Short: "Serve the embedded registry, for podman, skopeo and the like",
		Long: `Serve answers as an OCI registry with the images that slipway has built on this machine, until it is
interrupted. The other commands need no such server; they read and write the same folder.

  slipway registry serve &
  podman run --rm --tls-verify=false 127.0.0.1:5055/SERVICE/IMAGE:ENVIRONMENT`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			e := &registry.Embedded{Root: a.registryDir(), Log: a.logger(a.err)}
			addr, err := e.Start(cmd.Context(), listen)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "serving %s on http://%s\n", a.registryDir(), addr)
			<-cmd.Context().Done()
			return errors.Join(e.Close())
		},
	}
	serve.Flags().StringVar(&listen, "listen", "127.0.0.1:5055", "address to serve on (loopback)")
	cmd.AddCommand(serve)
	return cmd
}
