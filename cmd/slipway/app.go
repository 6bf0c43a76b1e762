package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// app is the command line: what it reads and writes, and the flags that every command has.
type app struct {
	args     []string
	in       io.Reader
	out, err io.Writer

	configPath string
	cacheDir   string
	stateDir   string
	format     string
	verbose    bool
	offline    bool
	quiet      bool
}

// usageError is a mistake in the command line itself.
type usageError struct{ error }

// run executes the command line and returns the exit status: 0, 1 for an error, 2 for a mistake in
// the command line, 130 where it was interrupted.
func (a *app) run(ctx context.Context) int {
	root := a.command()
	root.SetArgs(a.args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(a.err, "interrupted: nothing was left half done, run it again to go on")
		return 130
	case errors.As(err, new(usageError)):
		fmt.Fprintf(a.err, "error: %s\n%s --help explains it\n", printable(err.Error()), cmd.CommandPath())
		return 2
	default:
		fmt.Fprintf(a.err, "error: %s\n", printable(err.Error()))
		return 1
	}
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "slipway",
		Short: "From commits in several repositories to running pods",
		Long: `Slipway takes a service made of several Python projects from a commit to running pods.

Projects come from git, all at one branch; everything else comes as RPMs, resolved, locked and
verified. Images are built in this process, without a daemon, and the same commits give the same
digests on any machine.

A first time through:
  slipway init            write slipway.yaml for a folder of checkouts
  slipway deps            what the projects need, and where they say so
  slipway lock            which RPMs that means
  slipway deploy --env stg   build what is not built yet, and run it`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("there is no command %q", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("slipway {{.Version}}\n")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	f := root.PersistentFlags()
	f.StringVarP(&a.configPath, "config", "c", ".", "slipway.yaml, or its folder")
	f.StringVar(&a.cacheDir, "cache", "", "folder for what can be made again (default $XDG_CACHE_HOME/slipway)")
	f.StringVar(&a.stateDir, "state", "", "folder for records, the embedded registry and local deployments (default $XDG_STATE_HOME/slipway)")
	f.StringVar(&a.format, "format", "text", "how results are printed: text or json")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say more of what is done, on stderr")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no progress on stderr")
	f.BoolVar(&a.offline, "offline", false, "take packages and repository metadata from the cache only")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.checkFlags(formats(cmd)) }
	root.AddCommand(a.initCommand(), a.configCommand(), a.depsCommand(), a.inspectCommand(), a.lockCommand(), a.resolveCommand(), a.buildCommand(), a.deployCommand(),
		a.statusCommand(), a.logsCommand(), a.downCommand(), a.registryCommand(), a.cacheCommand(), a.imageCommand(), a.doctorCommand(), a.exportCommand(), a.compareCommand(), a.s2iCommand())
	return root
}

func (a *app) checkFlags(formats []string) error {
	if !slices.Contains(formats, a.format) {
		return usageError{fmt.Errorf("--format %s: it is %s", a.format, strings.Join(formats, " or "))}
	}
	for _, d := range []struct {
		dir            *string
		variable, home string
	}{{&a.cacheDir, "XDG_CACHE_HOME", ".cache"}, {&a.stateDir, "XDG_STATE_HOME", ".local/state"}} {
		if *d.dir != "" {
			continue
		}
		base := os.Getenv(d.variable)
		if !filepath.IsAbs(base) { // the specification says to ignore relative ones
			home, err := os.UserHomeDir()
			if err != nil {
				return fmt.Errorf("finding a folder to work in: %w (set %s)", err, d.variable)
			}
			base = filepath.Join(home, d.home)
		}
		*d.dir = filepath.Join(base, "slipway")
	}
	return nil
}

// logger writes warnings, with --verbose everything.
func (a *app) logger(w io.Writer) *slog.Logger {
	level := slog.LevelWarn
	if a.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, at slog.Attr) slog.Attr {
		if at.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return at
	}}))
}
