package source

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// maxOutput bounds what one git command may print.
const maxOutput = 256 << 20

// gitError is git's own complaint.
type gitError struct {
	command string
	message string
	silent  bool // it complained of nothing; message is how it ended
}

func (e *gitError) Error() string { return "git " + e.command + ": " + e.message }

// git runs the git program in dir and returns what it printed.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := gitCommand(ctx, dir, args...)
	var out, msg bytes.Buffer
	cmd.Stdout, cmd.Stderr = &limited{buf: &out, left: maxOutput}, &limited{buf: &msg, left: 64 << 10}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		text := complaint(msg.String())
		silent := text == ""
		if silent {
			text = err.Error()
		}
		return "", &gitError{command: args[0], message: scrub(text, args), silent: silent}
	}
	return out.String(), nil
}

func gitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{
		"-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "gc.auto=0", "-c", "core.fsmonitor=false",
		// A server that says nothing for two minutes has gone.
		"-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=120",
	}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(cleanEnv(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	// Nobody is there to answer a question, unless the user's own environment says who is.
	for name, value := range map[string]string{"GIT_ASKPASS": "true", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=30 -o ServerAliveCountMax=4"} {
		if os.Getenv(name) == "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	// Its helpers (ssh, remote-https, index-pack) are to end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// cleanEnv drops what would point git at another repository (we may run inside a git hook).
func cleanEnv() []string {
	var env []string
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		switch name {
		case "GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
			"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE",
			"GIT_REPLACE_REF_BASE", "GIT_DEFAULT_HASH", "LC_ALL":
		default:
			env = append(env, e)
		}
	}
	return env
}

// complaint picks the line of git's output that says what is wrong.
func complaint(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, prefix := range []string{"fatal: ", "error: ", "remote: "} {
		for _, l := range lines {
			if rest, ok := strings.CutPrefix(l, prefix); ok {
				return printable(rest)
			}
		}
	}
	return printable(lines[len(lines)-1])
}

// scrub removes the credentials of any URL among the arguments from git's words.
func scrub(text string, args []string) string {
	for _, a := range args {
		if clean := Redact(a); clean != a {
			text = strings.ReplaceAll(text, a, clean)
			if i, j := strings.Index(a, "://"), strings.LastIndex(a, "@"); i >= 0 && j > i {
				text = strings.ReplaceAll(text, a[i+3:j+1], "")
			}
		}
	}
	return text
}

// limited is a buffer that stops the writer when it is full.
type limited struct {
	buf  *bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return 0, fmt.Errorf("more output than allowed")
	}
	l.left -= len(p)
	return l.buf.Write(p)
}
