package script

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Runner runs steps over a stack of unpacked layers.
type Runner struct {
	// Lower are the unpacked layers, topmost first; they are not written to.
	Lower []string
	// Upper is the folder that receives what the steps change. It is made when absent.
	Upper string
	// Epoch is what scripts that honour SOURCE_DATE_EPOCH take for the time; in seconds since 1970.
	Epoch int64
	// MaxBytes is how much all scripts together may leave in Upper. Zero: 4 GiB.
	MaxBytes int64
	// Log receives the output of scripts that succeed, at debug level. Required.
	Log *slog.Logger
}

// Error is a script that failed or could not be run.
type Error struct {
	// Package is its NEVRA, Script its kind as in a spec file ("%post").
	Package, Script string
	// Output is the end of what it wrote.
	Output string
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s of package %s: %v", e.Script, e.Package, e.Err) + wrote(e.Output)
}

func (e *Error) Unwrap() error { return e.Err }

// What one script may use. Real ones need a hundredth of it.
const (
	maxTime      = 10 * time.Minute
	maxOutput    = 16 << 20
	maxMemory    = 4 << 30
	maxProcesses = 1024
	maxChanges   = 4 << 30
)

// scriptFile is where a script lies while it runs. /tmp is not part of the root filesystem.
const scriptFile = "/tmp/rpm-script"

// check says why a script cannot be run at all.
func check(s *Step) error {
	if s.Script.Flags&(rpm.ScriptExpand|rpm.ScriptQueryFormat) != 0 && strings.Contains(s.Script.Body, "%") {
		return errors.New("it wants RPM macros or tags expanded when it runs, which is not supported")
	}
	return nil
}

// tail is the end of a script's output: what a person needs to see why it failed.
func tail(output string) string {
	const keep = 4 << 10
	output = strings.ToValidUTF8(strings.TrimRight(output, "\n"), "?")
	if len(output) <= keep {
		return output
	}
	output = output[len(output)-keep:]
	if i := strings.IndexByte(output, '\n'); i >= 0 {
		output = output[i+1:]
	}
	return "…\n" + output
}
