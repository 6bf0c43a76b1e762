// Resolvebench measures how long Slipway takes to find out what would be installed, beside what dnf is
// made of, in one run: hawkey and libsolv in a process of their own, and the dnf command.
//
//	go run ./tools/resolvebench [-n RUNS] [-repos FOLDER] [-requests N] [-seed N] [-format text|json]
//
// It is run at the top of the checkout, after make build. FOLDER holds repositories, each a folder with
// repodata; SLIPWAY_TESTDATA_CS9 may name it as well. Beside it, or alone, a repository of 70,000
// packages is measured, which tools/universe makes of apt's package lists.
//
// What is measured, each in a new process, by turns, and given as medians of wall clock and of
// processor time:
//
//	XML      from primary.xml to packages that can be asked about. Ours verifies checksums, writes the
//	         index to its cache and maps it; hawkey only reads (build_cache=False). There are
//	         no file lists, nor modules.
//	command  slipway resolve and dnf install --assumeno of the same names, with an empty cache and
//	         with a full one.
//	solving  the same requests, one after another, with all loaded: Resolve with a Memory and libsolv
//	         (hawkey's Goal.run). Requests are 1 to 40 names of those that can be installed, drawn by
//	         the seed. The first of all is not counted, on neither side.
//
// It needs root no more than network, but Debian's python3-dnf; without, ours is measured alone.
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

// options are those of the command line.
type options struct {
	runs, requests int
	seed           uint64
	repos, listed  string
	slipway        string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) == 3 && os.Args[1] == childArg {
		err = child(ctx, os.Args[2], os.Stdout)
	} else {
		err = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "resolvebench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	var o options
	flags := flag.NewFlagSet("resolvebench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.runs, "n", 5, "how often each thing is measured")
	flags.StringVar(&o.repos, "repos", os.Getenv("SLIPWAY_TESTDATA_CS9"), "`folder` of repositories")
	flags.StringVar(&o.listed, "listed", "", "`folder` of the repository of 70,000 packages, where it is there already")
	flags.IntVar(&o.requests, "requests", 200, "how many requests are solved")
	flags.Uint64Var(&o.seed, "seed", 1, "of the requests")
	flags.StringVar(&o.slipway, "slipway", "bin/slipway", "the `program`")
	format := flags.String("format", "text", "text or json")
	if err := flags.Parse(args); err != nil {
		return err
	}
	write, ok := formats[*format]
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("%q is no option", flags.Arg(0))
	case !ok:
		return fmt.Errorf("-format %s: it is text or json", *format)
	case o.runs < 1 || o.requests < 2:
		return errors.New("-n is 1 or more, and -requests 2 or more")
	}
	b, err := open(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.work)) }()
	r, err := b.measure(ctx)
	if err != nil {
		return err
	}
	return write(stdout, r)
}
