package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Session is a sandbox in which several commands run, one after the other: each finds the root
// filesystem and /tmp as the ones before left it, and no process of theirs. To start a sandbox takes
// longer than most scripts of packages. Its methods must not be called concurrently.
type Session struct {
	p     *Process
	files []string // paths of the Spec's Files
}

// Task is a command of a session.
type Task struct {
	// Args and Helper are as in Spec. Env is the whole environment.
	Args   []string
	Helper *Helper
	Env    []string
	// Stdin is what the command can read.
	Stdin []byte
	// Files get the content that is given here. Each must be one of the Spec's.
	Files []File
	// Output receives what the command writes, to both of its outputs. Nil discards it.
	Output io.Writer
	// Time and MaxOutput are as Limits.Time and Limits.Output; zero is no limit.
	Time      time.Duration
	MaxOutput int64
}

// Open starts a sandbox for several commands. Args, Helper, Env, the standard files and Limits.Time
// and Limits.Output of the Spec are not used, those of tasks are. ctx governs the whole life of the
// sandbox. Close must be called.
func Open(ctx context.Context, spec Spec) (*Session, error) {
	spec.Args, spec.Helper, spec.Env = nil, nil, nil
	spec.Stdin, spec.Stdout, spec.Stderr = nil, nil, nil
	spec.Limits.Time, spec.Limits.Output = 0, 0
	spec.session = make(chan event)
	p, err := Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	s := &Session{p: p}
	for _, f := range spec.Files {
		s.files = append(s.files, f.Path)
	}
	return s, nil
}

// Do runs a command and waits for its end, which is that of everything it started. Its error is as
// Run's. After an *ExitError with a Reason, and after the end of the context, the session has ended.
func (s *Session) Do(t Task) error {
	wire, err := s.wire(t)
	if err != nil {
		return &StartError{Message: err.Error(), Err: err}
	}
	before := s.p.group.exceeded()
	s.p.commands.Lock()
	err = json.NewEncoder(s.p.control).Encode(command{Task: wire})
	s.p.commands.Unlock()
	if err != nil {
		return s.ended()
	}
	if t.Time > 0 {
		timer := time.AfterFunc(t.Time, func() { s.p.stop(TimeLimit, nil, s.p.spec.grace()) })
		defer timer.Stop()
	}
	left := t.MaxOutput
	for e := range s.p.spec.session {
		switch {
		case e.Error != nil:
			return e.Error.err()
		case e.Ended != nil:
			return s.verdict(t, *e.Ended, before)
		case t.MaxOutput > 0 && int64(len(e.Output)) > left:
			e.Output = e.Output[:left]
			s.p.stop(OutputLimit, nil, -1)
		}
		left -= int64(len(e.Output))
		if t.Output == nil {
			continue
		}
		if _, err := t.Output.Write(e.Output); err != nil {
			return err
		}
	}
	return s.limited(t, s.ended())
}

func (s *Session) wire(t Task) (*task, error) {
	w := &task{Args: t.Args, Env: t.Env, Stdin: t.Stdin, Files: t.Files}
	if t.Helper != nil {
		w.Helper = true
		w.Args = append([]string{t.Helper.name}, t.Args...)
	}
	if len(w.Args) == 0 || w.Args[0] == "" {
		return nil, errors.New("no command")
	}
	for _, text := range slices.Concat(w.Args, w.Env) {
		if strings.ContainsRune(text, 0) {
			return nil, errors.New("an argument contains a zero byte")
		}
	}
	for _, f := range t.Files {
		if !slices.Contains(s.files, f.Path) {
			return nil, errors.New(f.Path + " is not a file of the session")
		}
	}
	return w, nil
}

// verdict is the error that a task's end amounts to. Before is what limit had been reached before it.
func (s *Session) verdict(t Task, e exit, before Reason) error {
	s.p.stopping.Lock()
	reason, cause := s.p.reason, s.p.cause
	s.p.stopping.Unlock()
	if reason == "" && e.Code == 0 {
		return nil
	}
	if now := s.p.group.exceeded(); reason == "" && now != before {
		reason = now
	}
	return s.limited(t, &ExitError{Code: e.Code, Signal: e.Signal, Reason: reason, Limit: s.p.spec.Limits.text(reason), cause: cause})
}

// limited names the limit of a task that an error is about.
func (s *Session) limited(t Task, err error) error {
	if e, ok := errors.AsType[*ExitError](err); ok {
		e.Limit = Limits{Memory: s.p.spec.Limits.Memory, Processes: s.p.spec.Limits.Processes, Time: t.Time, Output: t.MaxOutput}.text(e.Reason)
	}
	return err
}

// ended is the error of a sandbox that ended before it was told to.
func (s *Session) ended() error {
	for range s.p.spec.session { // nobody else listens
	}
	if _, err := s.p.Wait(); err != nil {
		return err
	}
	return &ExitError{Code: 128 + int(syscall.SIGKILL), Signal: syscall.SIGKILL, Reason: Killed}
}

// Close ends the sandbox and waits for that.
func (s *Session) Close() {
	s.p.commands.Lock()
	_ = json.NewEncoder(s.p.control).Encode(command{End: true}) // an error means that it has ended
	s.p.commands.Unlock()
	_ = s.ended()
}
