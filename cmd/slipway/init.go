package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/scaffold"
)

func (a *app) initCommand() *cobra.Command {
	var o scaffold.Options
	var force bool
	cmd := &cobra.Command{
		Use:   "init [FOLDER]",
		Short: "Write a first slipway.yaml for a folder of checkouts",
		Long: `Init looks at the git checkouts in a folder: spec files, setup.cfg, pyproject.toml, Containerfiles,
Ansible package lists, .repo files, branches. It writes a slipway.yaml there and says what it guessed
and why. Nothing of the checkouts is run.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{errors.New("init takes one folder")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			draft, err := scaffold.Scan(cmd.Context(), dir, o)
			if err != nil {
				return err
			}
			path := filepath.Join(dir, config.FileName)
			text := draft.YAML()
			_, invalid := config.Parse(text, path)
			if err := writeNew(path, text, force); err != nil {
				return err
			}
			return a.print(map[string]any{"path": path, "notes": draft.Notes}, func(w io.Writer) {
				fmt.Fprintf(w, "wrote %s\n\nguessed, and why:\n", path)
				for _, n := range draft.Notes {
					fmt.Fprintln(w, "  "+n)
				}
				if invalid != nil {
					fmt.Fprintf(w, "\nto be completed:\n%v\n", invalid)
				}
				fmt.Fprintln(w, "\nnext: look at it, then slipway deps")
			})
		},
	}
	cmd.Flags().StringVar(&o.Service, "service", "", "name of the service (default: the folder's)")
	cmd.Flags().StringVar(&o.Release, "release", "", "OS release of the images, such as fedora-43 (default: what a Containerfile's FROM says)")
	cmd.Flags().BoolVar(&force, "force", false, "replace a slipway.yaml that is there")
	return cmd
}

// writeNew writes a file that must not be there, unless it may be replaced.
func writeNew(path string, data []byte, replace bool) error {
	if _, err := os.Lstat(path); err == nil && !replace {
		return fmt.Errorf("%s is there already: --force replaces it", path)
	}
	if err := renameio.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("writing configuration: %w", err)
	}
	return nil
}
