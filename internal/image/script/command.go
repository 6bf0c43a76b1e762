package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/sandbox"
)

// Command is a program that runs over the layers of an image, as root, to change it.
type Command struct {
	// Args are the program, looked up in Env's PATH, and its arguments.
	Args []string
	// Env are further variables as "name=value"; they win over those that every command has.
	Env []string
	// Network gives it the network of this machine.
	Network bool
}

// CommandError is a command that failed or could not be run.
type CommandError struct {
	// Output is the end of what it wrote.
	Output string
	Err    error
}

func (e *CommandError) Error() string { return e.Err.Error() + wrote(e.Output) }

func (e *CommandError) Unwrap() error { return e.Err }

// Command runs one command in a sandbox of its own, within the limits that scripts have; several in
// turn see what the earlier ones changed. The error is a *CommandError where the command is at fault.
func (r *Runner) Command(ctx context.Context, c Command) error {
	spec := sandbox.Spec{
		Lower:    r.Lower,
		Upper:    r.Upper,
		Args:     c.Args,
		Env:      r.env(c.Env),
		Hostname: "localhost",
		Limits:   sandbox.Limits{Time: maxTime, Output: maxOutput, Memory: maxMemory, Processes: maxProcesses},
	}
	if c.Network {
		if err := network(&spec); err != nil {
			return err
		}
	}
	output, err := r.sandboxed(ctx, spec)
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err != nil {
		return &CommandError{Output: output, Err: err}
	}
	r.Log.Debug("command ran", "command", strings.Join(c.Args, " "), "output", output)
	return os.RemoveAll(r.Upper + ".work")
}

// env is the environment of a command: further variables, and those among the usual ones that they
// do not set.
func (r *Runner) env(more []string) []string {
	env := slices.Clone(more)
	for _, v := range []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
		"HOME=/root",
		"LANG=C.UTF-8",
		"TZ=UTC",
		"PYTHONDONTWRITEBYTECODE=1",
		"PYTHONHASHSEED=0",
		fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.Epoch),
	} {
		name, _, _ := strings.Cut(v, "=")
		if !slices.ContainsFunc(more, func(m string) bool { return strings.HasPrefix(m, name+"=") }) {
			env = append(env, v)
		}
	}
	return env
}

// network opens the network, and tells how names are found there.
func network(spec *sandbox.Spec) error {
	const names = "/etc/resolv.conf"
	spec.Network = sandbox.NetworkHost
	data, err := os.ReadFile(names)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading how names are found: %w", err)
	}
	spec.Files = append(spec.Files, sandbox.File{Path: names, Content: data})
	return nil
}

// sandboxed runs what a spec says, watches what it leaves on the disk, and gives the end of its output.
func (r *Runner) sandboxed(ctx context.Context, spec sandbox.Spec) (string, error) {
	var output bytes.Buffer
	spec.Stdout, spec.Stderr = &output, &output
	watched, stop := r.watch(ctx)
	_, err := sandbox.Run(watched, spec)
	stop()
	text := tail(output.String())
	var exit *sandbox.ExitError
	switch {
	case errors.Is(context.Cause(watched), errTooMuch):
		return text, errTooMuch
	case err == nil, errors.As(err, &exit), ctx.Err() != nil:
		return text, err
	}
	return text, fmt.Errorf("it cannot be run: %w", err)
}

// wrote is how an error tells of output.
func wrote(output string) string {
	if output == "" {
		return ""
	}
	return "; it wrote:\n  " + strings.ReplaceAll(output, "\n", "\n  ")
}
