package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/config"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check slipway.yaml, or print its schema", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(&cobra.Command{
		Use:   "check",
		Short: "Say whether slipway.yaml is valid, and what is wrong with it",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			c, err := config.Load(a.configPath)
			if err != nil {
				return err
			}
			return a.print(map[string]any{"path": c.Path, "valid": true}, func(w io.Writer) {
				fmt.Fprintf(w, "%s is valid: %d projects, %d images, %d environments\n", c.Path, len(c.Projects), len(c.Images), len(c.Environments))
			})
		},
	}, &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of slipway.yaml, for editors",
		Long: `Schema prints the JSON Schema of slipway.yaml. Editors that speak the YAML language server's protocol
complete and check the file with it:

  slipway config schema > slipway.schema.json
  # first line of slipway.yaml:
  # yaml-language-server: $schema=slipway.schema.json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			schema, err := config.Schema()
			if err != nil {
				return err
			}
			_, err = a.out.Write(schema)
			return err
		},
	})
	return cmd
}
