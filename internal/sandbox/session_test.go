package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/sandbox"
	"github.com/slipway-build/slipway/internal/sandbox/sandboxtest"
)

// session starts one over a root of the test's own, with a file /tmp/text.
func session(t *testing.T, ctx context.Context, limits sandbox.Limits) *sandbox.Session {
	t.Helper()
	s, err := sandbox.Open(ctx, sandbox.Spec{
		Lower: []string{sandboxtest.Root(t)}, Upper: t.TempDir() + "/upper", Limits: limits, Grace: -1,
		Files: []sandbox.File{{Path: "/tmp/text", Mode: 0o600}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func do(s *sandbox.Session, t sandbox.Task, steps ...string) (string, error) {
	var out bytes.Buffer
	t.Args, t.Output = append([]string{"/bin/helper"}, steps...), &out
	err := s.Do(t)
	return out.String(), err
}

func TestSession(t *testing.T) {
	s := session(t, t.Context(), sandbox.Limits{Memory: 1 << 30, Processes: 100})
	text := func(content string) sandbox.Task {
		return sandbox.Task{Files: []sandbox.File{{Path: "/tmp/text", Content: []byte(content), Mode: 0o600}}}
	}
	for i, c := range []struct {
		task  sandbox.Task
		steps []string
		want  string
		code  int
	}{
		{steps: []string{"echo", "one", ",", "warn", "two", ",", "write", "/made", "it"}, want: "one\ntwo\n"},
		{steps: []string{"cat", "/made", ",", "write", "/tmp/kept", "too"}, want: "it\n"},
		{steps: []string{"cat", "/tmp/kept"}, want: "too\n"},
		{task: sandbox.Task{Stdin: []byte("read me")}, steps: []string{"stdin"}, want: "read me"},
		{steps: []string{"stdin"}},
		{task: text("a long text"), steps: []string{"cat", "/tmp/text", ",", "chmod", "/tmp/text", "0"}, want: "a long text"},
		{task: text("short"), steps: []string{"cat", "/tmp/text", ",", "try", "rm", "/tmp/text"}, want: "shortrefused: unlinkat /tmp/text: device or resource busy\n"},
		{task: sandbox.Task{Env: []string{"PATH=/bin", "A=b", "HOME=/"}}, steps: []string{"env"}, want: "PATH=/bin\nA=b\nHOME=/\n"},
		{steps: []string{"exit", "3"}, code: 3},
		{steps: []string{"suicide"}, code: 137},
		{steps: []string{"echo", "still here"}, want: "still here\n"},
	} {
		out, err := do(s, c.task, c.steps...)
		var exit *sandbox.ExitError
		if code := 0; errors.As(err, &exit) || err == nil {
			if exit != nil {
				code = exit.Code
			}
			if out != c.want || code != c.code || exit != nil && exit.Reason != "" {
				t.Errorf("%d: %v wrote %q and ended with %v", i, c.steps, out, err)
			}
		} else {
			t.Errorf("%d: %v: %v", i, c.steps, err)
		}
	}
	var start *sandbox.StartError
	if err := s.Do(sandbox.Task{Args: []string{"/bin/none"}}); !errors.As(err, &start) {
		t.Errorf("a missing program: %v", err)
	}
	if err := s.Do(sandbox.Task{Args: []string{"/bin/helper"}, Files: []sandbox.File{{Path: "/etc/other"}}}); err == nil {
		t.Error("a file that is none of the session's was written")
	}
	if out, err := do(s, sandbox.Task{}, "echo", "and still"); err != nil || out != "and still\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestSessionEndsProcesses leaves a process behind that holds the output open: the next command does
// not find it, and nobody waits for it.
func TestSessionEndsProcesses(t *testing.T) {
	s := session(t, t.Context(), sandbox.Limits{})
	if out, err := do(s, sandbox.Task{}, "daemon", "sleep", "3600"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := do(s, sandbox.Task{}, "ls", "/proc")
	if err != nil {
		t.Fatal(err)
	}
	var numbers []string
	for name := range strings.Lines(out) {
		if strings.Trim(name, "0123456789\n") == "" {
			numbers = append(numbers, strings.TrimSpace(name))
		}
	}
	if len(numbers) != 2 { // process 1 and ls itself
		t.Errorf("processes %v", numbers)
	}
}

func TestSessionLimits(t *testing.T) {
	for _, c := range []struct {
		task   sandbox.Task
		limits sandbox.Limits
		step   []string
		reason sandbox.Reason
		limit  string
	}{
		{task: sandbox.Task{Time: 200 * time.Millisecond}, step: []string{"stubborn"}, reason: sandbox.TimeLimit, limit: "200ms"},
		{task: sandbox.Task{MaxOutput: 4 << 10}, step: []string{"flood"}, reason: sandbox.OutputLimit, limit: "4 KiB"},
		{limits: sandbox.Limits{Memory: 64 << 20}, step: []string{"hog", "1024"}, reason: sandbox.MemoryLimit, limit: "64 MiB"},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			if c.reason == sandbox.MemoryLimit {
				needCgroup(t)
			}
			s := session(t, t.Context(), c.limits)
			if _, err := do(s, sandbox.Task{}, "echo", "fine"); err != nil {
				t.Fatal(err)
			}
			out, err := do(s, c.task, c.step...)
			var exit *sandbox.ExitError
			if !errors.As(err, &exit) || exit.Reason != c.reason || exit.Limit != c.limit {
				t.Errorf("%v: %v", c.step, err)
			}
			if c.task.MaxOutput > 0 && int64(len(out)) > c.task.MaxOutput {
				t.Errorf("%d bytes came out", len(out))
			}
		})
	}
}

func TestSessionEndsWithContext(t *testing.T) {
	because := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	s := session(t, ctx, sandbox.Limits{})
	time.AfterFunc(50*time.Millisecond, func() { cancel(because) })
	if _, err := do(s, sandbox.Task{}, "sleep", "3600"); !errors.Is(err, because) {
		t.Errorf("%v", err)
	}
	if _, err := do(s, sandbox.Task{}, "echo", "more"); !errors.Is(err, because) {
		t.Errorf("afterwards: %v", err)
	}
}
