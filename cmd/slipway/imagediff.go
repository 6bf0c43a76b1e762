package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/image/inspect"
)

func (a *app) imageCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "image", Short: "Compare images", Args: noArguments, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.imageDiffCommand())
	return cmd
}

func (a *app) imageDiffCommand() *cobra.Command {
	var files bool
	cmd := &cobra.Command{
		Use:   "diff FROM TO",
		Short: "What tells two images apart: packages, files, layers",
		Long: `Diff reads two images, whoever built them, and tells what changes from the first to the second: RPMs and
Python projects, files (their type, mode, owner, content, links and extended attributes; not their times),
and how much a machine that has the first one pulls for the second.

For FROM and TO: ` + imageReferences,
		Example: `  slipway image diff embedded/greeter/web:prod embedded/greeter/web:stg
  slipway image diff oci:before:web oci:after:web --files`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError{fmt.Errorf("two images are wanted, there are %d", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.imageDiff(cmd.Context(), args[0], args[1], files)
		},
	}
	cmd.Flags().BoolVar(&files, "files", false, "list all files that differ, not the first ones only")
	return cmd
}

// imageDifference is what image diff says.
type imageDifference struct {
	From string `json:"from"` // digests
	To   string `json:"to"`
	inspect.Difference
}

func (a *app) imageDiff(ctx context.Context, from, to string, files bool) error {
	return a.withImages(func(o *opener) error {
		x, err := o.content(ctx, from)
		if err != nil {
			return err
		}
		y, err := o.content(ctx, to)
		if err != nil {
			return err
		}
		r := imageDifference{x.Digest, y.Digest, inspect.Diff(x, y)}
		return a.print(r, func(w io.Writer) {
			for _, p := range []string{x.Problem, y.Problem} {
				if p != "" {
					fmt.Fprintln(w, p)
				}
			}
			r.write(w, files)
		})
	})
}

func (r imageDifference) write(w io.Writer, all bool) {
	if r.From == r.To {
		fmt.Fprintf(w, "the same image, %s\n", shortDigest(r.From))
		return
	}
	fmt.Fprintf(w, "%s -> %s\n", shortDigest(r.From), shortDigest(r.To))
	fmt.Fprintf(w, "%d layers are in both (%s); %s to pull\n", r.Shared, size(r.SharedBytes), size(r.Pull))
	if len(r.Parts) > 0 {
		rows := [][]string{{"", "PACKAGE", "FROM", "TO", "BYTES"}}
		for _, p := range r.Parts {
			rows = append(rows, []string{sign(p.Change), p.Name, p.From, p.To, grown(p.Bytes)})
		}
		fmt.Fprintln(w)
		table(w, rows)
	}
	if len(r.Files) == 0 {
		fmt.Fprintln(w, "\nno file differs")
		return
	}
	rows := [][]string{{"", "FILE", "WHAT", "BYTES"}}
	for i, f := range r.Files {
		if i == largest && !all {
			break
		}
		rows = append(rows, []string{sign(f.Change), f.Path, strings.Join(f.What, ", "), grown(f.To - f.From)})
	}
	fmt.Fprintln(w)
	table(w, rows)
	if n := len(r.Files) - len(rows) + 1; n > 0 {
		fmt.Fprintf(w, "and %d more files (--files lists them)\n", n)
	}
}

// sign is a change in one letter.
func sign(c inspect.Change) string {
	switch c {
	case inspect.Added:
		return "+"
	case inspect.Removed:
		return "-"
	default:
		return "~"
	}
}

// grown writes bytes with their sign.
func grown(n int64) string {
	switch {
	case n < 0:
		return "-" + size(-n)
	case n > 0:
		return "+" + size(n)
	}
	return ""
}
