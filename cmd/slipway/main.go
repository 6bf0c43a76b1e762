// Command slipway takes a service made of several Python projects from a commit to running pods.
//
// Each command is a file of this package, as thin as it can be: it reads flags, calls the stages
// through package release, and prints.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/slipway-build/slipway/internal/deploy/local"
	"github.com/slipway-build/slipway/internal/sandbox"
)

func main() {
	// Where this process is a sandbox's first one, or a local deployment's supervisor, these calls
	// do not return.
	sandbox.Main()
	local.Main()
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{args: os.Args[1:], in: os.Stdin, out: os.Stdout, err: os.Stderr}
	return a.run(ctx)
}
