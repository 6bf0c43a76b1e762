// Bench measures Slipway beside the tools that people use for the same work, in one run: on the same
// machine, with the same packages, on the same file system.
//
//	go run ./tools/bench [-n RUNS] [-size small|full] [-base] [-format text|markdown|json]
//
// It is run at the top of the checkout. The packages are those of tools/universe. What is compared,
// and with what, is in rows.go and finalrows.go: resolution with dnf, base images with dnf and tar and with dnf inside
// of buildah, final images with buildah and pip.
//
// Every figure is the median, over the runs, of the wall clock of whole commands, from an empty start
// to the result; nothing is taken from inside of a program. The tools take turns, so that a machine
// that is busy for a while is so for all. What is prepared for a run and looked at after it is not in
// the figure. A tool that is not there has no figure, and the table says why.
//
// As root it works in a tmpfs where there is memory enough, in a mount namespace of its own: whatever
// way it ends, no mount is left. It needs nothing but Go, git and what tools/universe needs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if err := enterNamespace(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "bench: interrupted")
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are those of the command line.
type options struct {
	runs     int
	size     string
	universe string
	dir      string
	slipway  string
	base     bool
	final    bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.runs, "n", 3, "how often each thing is measured")
	flags.StringVar(&o.size, "size", "small", "size of the RPM universe: small or full")
	flags.StringVar(&o.universe, "universe", "", "`folder` of a universe that is there already")
	flags.StringVar(&o.dir, "dir", "", "`folder` to work in, on its own file system (default: a tmpfs, where root has the memory for it)")
	flags.StringVar(&o.slipway, "slipway", "bin/slipway", "the `program`")
	flags.BoolVar(&o.base, "base", false, "base images only, with more peers, zstd, and the memory that all of it takes")
	flags.BoolVar(&o.final, "final", false, "only final images: a commit, and what it takes with many projects")
	format := flags.String("format", "text", "text, markdown or json")
	if err := flags.Parse(args); err != nil {
		return err
	}
	write, ok := formats[*format]
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("%q is no option", flags.Arg(0))
	case !ok:
		return fmt.Errorf("-format %s: it is text, markdown or json", *format)
	case o.runs < 1:
		return fmt.Errorf("-n %d: it is 1 or more", o.runs)
	}
	b, err := open(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	report, err := b.measure(ctx)
	if err != nil {
		return err
	}
	return write(stdout, report)
}
