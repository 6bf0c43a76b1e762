package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// shell is how commands are run: where, and with which environment. It is no shell of the system's.
type shell struct {
	dir string
	env []string
}

// newShell gives commands an environment in which they write below work only and speak English.
func newShell(work string) shell {
	return shell{dir: work, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(work, "home"), "TMPDIR=" + filepath.Join(work, "tmp"), "LC_ALL=C.UTF-8",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Bench", "GIT_AUTHOR_EMAIL=bench@example.com", "GIT_COMMITTER_NAME=Bench", "GIT_COMMITTER_EMAIL=bench@example.com",
	}}
}

// command makes a command that runs there.
func (s shell) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := command(ctx, name, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// command makes a command that is a process group of its own: when ctx ends, all of it ends.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// run runs a command and gives what it printed on stdout. An error holds the end of what it said.
func (s shell) run(ctx context.Context, name string, args ...string) (string, error) {
	cmd := s.command(ctx, name, args...)
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return out.String(), &commandError{name: brief(cmd), output: out.String() + messages.String(), err: err}
	}
	return out.String(), nil
}

// brief is the beginning of a command line, which may hold hundreds of packages.
func brief(cmd *exec.Cmd) string {
	return strings.Join(cmd.Args[:min(len(cmd.Args), 8)], " ")
}

// commandError is a command that failed.
type commandError struct {
	name, output string
	err          error
}

func (e *commandError) Error() string {
	lines := strings.Split(strings.TrimSpace(e.output), "\n")
	if len(lines) > 15 {
		lines = lines[len(lines)-15:]
	}
	return fmt.Sprintf("%s: %v\n  %s", e.name, e.err, strings.Join(lines, "\n  "))
}

func (e *commandError) Unwrap() error { return e.err }
