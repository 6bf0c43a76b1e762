// Command oracle holds package specfile against rpmspec on a folder of spec files and prints how far they agree.
//
//	go run ./internal/requirement/specfile/oracle -specs DIR
//
// For every spec that rpmspec itself can parse, the requirements of every package and the build requirements are
// compared as sets. Both sides get the same macro definitions (package macroset); what that package computes in Go is
// given to rpmspec in Lua. rpmspec runs shell and Lua code of the specs, so it is run in a sandbox (bwrap) without
// network, and only what it prints is used.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	var o options
	flag.StringVar(&o.dir, "specs", "", "folder of spec files, searched to any depth")
	flag.StringVar(&o.release, "release", "fedora-43", "release whose macros are loaded")
	flag.StringVar(&o.macros, "macros", "", "macro files to load on both sides instead of the release's, separated by colons")
	flag.IntVar(&o.limit, "limit", 0, "number of specs to look at; 0: all")
	flag.BoolVar(&o.verbose, "v", false, "print every difference")
	flag.BoolVar(&o.unsafe, "unsafe", false, "run rpmspec without a sandbox; it runs the code that specs hold")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}
