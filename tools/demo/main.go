// Command demo shows Slipway's main job on this machine: commits of three projects become RPM-based
// images and a service that answers; a one-line fix reaches it; a broken commit does not.
//
// It works in a folder of its own (-dir), prints each step with its duration as it goes, and leaves
// the service running. `demo down` stops all that it started.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("finding a folder to work in: %w (set XDG_CACHE_HOME)", err)
	}
	dir := flag.String("dir", filepath.Join(cache, "slipway-demo"), "folder to work in")
	slipway := flag.String("slipway", "bin/slipway", "the program")
	flag.Parse()
	d, err := newDemo(*dir, *slipway)
	if err != nil {
		return err
	}
	switch flag.Arg(0) {
	case "":
		err = d.play(ctx)
	case "down":
		err = d.down(ctx)
	default:
		return fmt.Errorf("%q: it is down, or nothing", flag.Arg(0))
	}
	if ctx.Err() != nil {
		return errors.New("interrupted: `make demo-down` stops what was started")
	}
	return err
}
