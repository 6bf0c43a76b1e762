package sandbox

import (
	"os"
	"slices"
)

// Helper is a part of the running program that a sandbox runs in the place of a program of its root,
// which then need not have any. Its process runs one again by executing /proc/self/exe under its name.
type Helper struct {
	name string
	main func() int
}

// helpers are those of the running program. They are made before main begins and never change.
var helpers []*Helper

// NewHelper makes a helper of a function, which Main runs in a process of its own when a sandbox is
// started with it; os.Args are the name and Spec.Args, the result is the exit code. It is called
// for package-level variables only, so that the helper is known in every process of the program.
// The name must not be one of a helper that is already there.
func NewHelper(name string, main func() int) *Helper {
	if slices.ContainsFunc(helpers, func(h *Helper) bool { return h.name == name }) {
		panic("sandbox: two helpers of the name " + name)
	}
	h := &Helper{name, main}
	helpers = append(helpers, h)
	return h
}

// runHelper runs the helper of this process, if it is one's.
func runHelper() {
	for _, h := range helpers {
		if os.Args[0] == h.name {
			os.Exit(h.main()) //nolint:forbidigo // this is the main of another program
		}
	}
}
