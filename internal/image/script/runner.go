package script

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/image/rpmlua"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/sandbox"
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

// Run carries out the steps, each in a sandbox of its own, the earlier ones' changes visible to the
// later ones. The error is an *Error where a script is at fault.
func (r *Runner) Run(ctx context.Context, steps []Step) error {
	for i := range steps {
		if err := r.step(ctx, &steps[i]); err != nil {
			return err
		}
	}
	return os.RemoveAll(r.Upper + ".work")
}

func (r *Runner) step(ctx context.Context, s *Step) error {
	fail := func(output string, err error) error {
		return &Error{Package: s.Package, Script: s.Script.Kind.String(), Output: output, Err: err}
	}
	spec, err := r.spec(s)
	if err != nil {
		return fail("", err)
	}
	text, err := r.sandboxed(ctx, spec)
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err != nil {
		return fail(text, err)
	}
	r.Log.Debug("script ran", "script", s.String(), "output", text)
	return nil
}

func (r *Runner) spec(s *Step) (sandbox.Spec, error) {
	if err := check(s); err != nil {
		return sandbox.Spec{}, err
	}
	spec := sandbox.Spec{
		Lower: r.Lower,
		Upper: r.Upper,
		Env: []string{
			"PATH=/sbin:/bin:/usr/sbin:/usr/bin", // rpm's %_install_script_path
			"HOME=/root",
			"LANG=C.UTF-8",
			"TZ=UTC",
			fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.Epoch),
		},
		Hostname: "localhost",
		Limits:   sandbox.Limits{Time: maxTime, Output: maxOutput, Memory: maxMemory, Processes: maxProcesses},
	}
	if s.Script.IsLua() {
		return spec, r.lua(s, &spec)
	}
	spec.Args = slices.Clone(s.Script.Program)
	if len(spec.Args) == 0 {
		spec.Args = []string{"/bin/sh"}
	}
	if s.Script.Body != "" {
		spec.Args = append(spec.Args, scriptFile)
		spec.Args = append(spec.Args, s.Args...)
		spec.Files = []sandbox.File{{Path: scriptFile, Content: []byte(s.Script.Body), Mode: 0o600}}
	}
	if len(s.Paths) > 0 {
		spec.Stdin = strings.NewReader(strings.Join(s.Paths, "\n") + "\n")
	}
	return spec, nil
}

// lua has rpm's Lua run the script: this program's, since the root need not have any.
func (r *Runner) lua(s *Step, spec *sandbox.Spec) (err error) {
	order := rpmlua.Order{
		Name: s.Script.Kind.String() + "(" + s.Package + ")", Body: s.Script.Body,
		Args: s.Args, Paths: s.Paths, Epoch: r.Epoch,
	}
	spec.Helper = rpmlua.Helper
	spec.Stdin, err = order.Reader()
	return err
}

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
