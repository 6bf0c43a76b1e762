package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/strategy"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Which ways to build work on this machine, and why others do not",
		Long: `Doctor looks for the programs with which images can be built otherwise than natively (strategy in
slipway.yaml), and says of each whether it can be used and why not. The first one that can is used. The
native builder needs none of them.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	}
}

// diagnosis is what doctor says.
type diagnosis struct {
	Engines []strategy.Candidate `json:"engines"`
	// Used is the engine that builds Containerfiles; "" where none can.
	Used string `json:"used,omitempty"`
}

func (a *app) doctor(ctx context.Context) error {
	d := diagnosis{Engines: strategy.Engines(ctx)}
	for _, c := range d.Engines {
		if c.Problem == "" && d.Used == "" {
			d.Used = c.Name
		}
	}
	return a.print(d, func(w io.Writer) {
		rows := [][]string{{"BUILDS CONTAINERFILES", "VERSION", ""}}
		for _, c := range d.Engines {
			verdict := "can be used"
			switch {
			case c.Problem != "":
				verdict = "no: " + c.Problem
			case c.Name == d.Used:
				verdict = "is used"
			}
			rows = append(rows, []string{c.Name, c.Found, verdict})
		}
		table(w, rows)
		if d.Used == "" {
			fmt.Fprintln(w, "\nstrategy: containerfile cannot be used here: install buildah")
		}
	})
}
