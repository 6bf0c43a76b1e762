// Universe makes a signed repository of real RPMs out of Debian packages, for
// machines from which no mirror of an RPM distribution can be reached.
//
//	go run ./tools/universe [--size small|full|listed] [--cache DIR]
//
// It asks the system's apt for a closure of packages, downloads them, writes
// each as an RPM with files, dependencies, scriptlets and triggers as an RPM
// distribution has them (package convert says how), signs them, and adds signed
// repository metadata. It prints one line, the folder:
//
//	Packages/*.rpm
//	repodata/
//	RPM-GPG-KEY-slipway-universe   the public key
//	universe.repo                  for dnf and for Slipway
//
// The folder is named after everything that went into it (this program, the
// packages with their hashes, the options), so a second call finds it at once.
// The key is made once for each cache folder.
//
// The size small holds Python, Flask and what an image needs around them, in
// plain form. The size full has about three times as many packages, and the
// stranger things too: Lua scriptlets, triggers, weak and rich dependencies of
// every kind, obsoletes, rivals, older builds beside newer ones, and payloads in
// zstd, gzip and xz.
//
// The size listed is another thing: the metadata of 70,000 packages, which are all
// that apt's lists name and some older builds, without any RPM. It is for
// measuring what takes long in a large repository.
//
// It needs apt-get, dpkg-deb and the package lists (apt-get update), but neither
// rpm nor root.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "universe:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("universe", flag.ContinueOnError)
	flags.SetOutput(stderr)
	sizeName := flags.String("size", "small", "small, full or listed")
	folder := flags.String("cache", defaultCache(), "`folder` for downloads, universes and the signing key")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no option: universe takes --size and --cache", flags.Arg(0))
	}
	size, err := sizeNamed(*sizeName)
	if err != nil && *sizeName != listedSize {
		return err
	}
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not installed: the universe is made from Debian packages, so it needs Debian or Ubuntu", tool)
		}
	}
	dir, err := cache.Open(*folder)
	if err != nil {
		return err
	}
	defer dir.Close()
	tool, err := hashOfThisProgram()
	if err != nil {
		return err
	}
	b := builder{cache: dir, tool: tool, log: &steps{out: stderr, start: time.Now()}}
	build := func(ctx context.Context) (string, error) { return b.build(ctx, size) }
	if *sizeName == listedSize {
		build = b.buildListed
	}
	path, err := build(ctx)
	if err != nil {
		return fmt.Errorf("making the universe %s: %w", *sizeName, err)
	}
	_, err = fmt.Fprintln(stdout, path)
	return err
}

func defaultCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ".slipway-universe"
	}
	return filepath.Join(dir, "slipway-universe")
}

// steps prints what is done, and how long after the start.
type steps struct {
	out   io.Writer
	start time.Time
}

func (s *steps) say(format string, args ...any) {
	fmt.Fprintf(s.out, "%6.1f s  %s\n", time.Since(s.start).Seconds(), fmt.Sprintf(format, args...))
}
