package script

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/image/rpmlua"
	"github.com/slipway-build/slipway/internal/sandbox"
)

// Run carries out the steps in one sandbox, the earlier ones' changes visible to the later ones, and
// none of their processes. The error is an *Error where a script is at fault.
func (r *Runner) Run(ctx context.Context, steps []Step) error {
	if len(steps) == 0 {
		return nil
	}
	watched, stop := r.watch(ctx)
	defer stop()
	s := session{Runner: r, watched: watched}
	box, err := sandbox.Open(watched, sandbox.Spec{
		Lower: r.Lower, Upper: r.Upper, Hostname: "localhost",
		Files:  []sandbox.File{{Path: scriptFile, Mode: 0o600}},
		Limits: sandbox.Limits{Memory: maxMemory, Processes: maxProcesses},
	})
	if err != nil {
		return s.fail(ctx, &steps[0], "", err)
	}
	defer box.Close()
	s.box = box
	for len(steps) > 0 {
		n, err := s.next(ctx, steps)
		if err != nil {
			return err
		}
		steps = steps[n:]
	}
	return nil
}

// session is the sandbox of a row of steps.
type session struct {
	*Runner
	watched context.Context
	box     *sandbox.Session
}

// next carries out the first of the steps, and of scripts in Lua those right behind it, and says how
// many.
func (s *session) next(ctx context.Context, steps []Step) (int, error) {
	if err := check(&steps[0]); err != nil {
		return 0, s.fail(ctx, &steps[0], "", err)
	}
	if steps[0].Script.IsLua() {
		return s.lua(ctx, steps)
	}
	output, err := s.do(s.task(&steps[0]))
	if err != nil {
		return 0, s.fail(ctx, &steps[0], output, err)
	}
	s.Log.Debug("script ran", "script", steps[0].String(), "output", tail(output))
	return 1, nil
}

// task is a script of a program of the root's.
func (s *session) task(step *Step) sandbox.Task {
	t := sandbox.Task{Args: slices.Clone(step.Script.Program)}
	if len(t.Args) == 0 {
		t.Args = []string{"/bin/sh"}
	}
	if step.Script.Body != "" {
		t.Args = append(t.Args, scriptFile)
		t.Args = append(t.Args, step.Args...)
		t.Files = []sandbox.File{{Path: scriptFile, Content: []byte(step.Script.Body), Mode: 0o600}}
	}
	if len(step.Paths) > 0 {
		t.Stdin = []byte(strings.Join(step.Paths, "\n") + "\n")
	}
	return t
}

// lua has rpm's Lua run scripts: this program's, since the root need not have any. As in rpm, one
// process runs them one after the other, until one changes the process itself.
func (s *session) lua(ctx context.Context, steps []Step) (int, error) {
	var orders []rpmlua.Order
	for i := range steps {
		if !steps[i].Script.IsLua() || check(&steps[i]) != nil {
			break
		}
		orders = append(orders, rpmlua.Order{
			Name: steps[i].Script.Kind.String() + "(" + steps[i].Package + ")", Body: steps[i].Script.Body,
			Args: steps[i].Args, Paths: steps[i].Paths, Epoch: s.Epoch,
		})
	}
	mark := "\x00" + rand.Text() + "\x00"
	stdin, err := rpmlua.Marshal(mark, orders...)
	if err != nil {
		return 0, s.fail(ctx, &steps[0], "", err)
	}
	output, err := s.do(sandbox.Task{Helper: rpmlua.Helper, Stdin: stdin})
	outputs := strings.Split(output, mark)
	last := len(outputs) - 1
	if last >= len(orders) {
		last, err = 0, errors.New("what it wrote does not come from a script")
	}
	for i, text := range outputs[:last] {
		s.Log.Debug("script ran", "script", steps[i].String(), "output", tail(text))
	}
	if err != nil {
		return 0, s.fail(ctx, &steps[last], outputs[last], err)
	}
	s.Log.Debug("script ran", "script", steps[last].String(), "output", tail(outputs[last]))
	return last + 1, nil
}

// do runs a task within the limits that scripts have, and gives all of its output.
func (s *session) do(t sandbox.Task) (string, error) {
	var output bytes.Buffer
	t.Env = []string{
		"PATH=/sbin:/bin:/usr/sbin:/usr/bin", // rpm's %_install_script_path
		"HOME=/root",
		"LANG=C.UTF-8",
		"TZ=UTC",
		fmt.Sprintf("SOURCE_DATE_EPOCH=%d", s.Epoch),
	}
	t.Output, t.Time, t.MaxOutput = &output, maxTime, maxOutput
	err := s.box.Do(t)
	return output.String(), err
}

// fail is the error of a step that could not be run or that failed.
func (s *session) fail(ctx context.Context, step *Step, output string, err error) error {
	var exit *sandbox.ExitError
	switch {
	case errors.Is(context.Cause(s.watched), errTooMuch):
		err = errTooMuch
	case ctx.Err() != nil:
		return err
	case !errors.As(err, &exit):
		err = fmt.Errorf("it cannot be run: %w", err)
	}
	return &Error{Package: step.Package, Script: step.Script.Kind.String(), Output: tail(output), Err: err}
}
