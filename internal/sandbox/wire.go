package sandbox

import (
	"errors"
	"syscall"
)

// The starting program and process 1 speak JSON over two pipes. On control the
// program sends one order and then any number of commands; its end of file means
// that the program is gone. On events process 1 sends what happens.

const (
	controlFD = 3
	eventsFD  = 4
	firstFD   = 5 // the first of the files that an order refers to
)

// order is everything process 1 has to do.
type order struct {
	Lower       []string
	Upper, Work string
	ReadOnly    bool
	Mounts      []Mount
	Files       []File
	Args, Env   []string
	Helper      bool // run this very program, as Args say
	Dir         string
	User        string
	UID, GID    int
	Groups      []int
	Hostname    string
	Network     Network
	Forwards    []wireForward
	Disk        int64
	IDs         int  // number of ids there are inside
	Session     bool // commands come later, one after the other

	// TaskFDs are open "tasks" files of version 1 control groups that the
	// command belongs in, CgroupFD the directory of one of version 2 (0: none).
	TaskFDs  []int
	CgroupFD int
	// Rlimits stand in for missing control groups.
	Rlimits []rlimit

	confined bool // the thread that starts commands is
}

type rlimit struct {
	Resource int
	Value    uint64
}

// wireForward is a Forward whose host side is an inherited file: of the
// listening socket (Inward), or of the directory the socket is in (Outward).
type wireForward struct {
	Direction Direction
	FD        int
	Name      string
	Address   string // host:port inside
}

// command is sent while the sandbox runs. A session's are a Task, when the last one has ended, and
// in the end End.
type command struct {
	Signal syscall.Signal `json:",omitempty"`
	Task   *task          `json:",omitempty"`
	End    bool           `json:",omitempty"`
}

// task is a command of a session.
type task struct {
	Args, Env []string
	Helper    bool
	Stdin     []byte
	Files     []File
}

// event is sent by process 1: first Started or Error, then, after Started, Exit. In between a session
// sends, for each task, any number of Output and in the end Ended or Error.
type event struct {
	Started bool        `json:",omitempty"`
	Error   *startError `json:",omitempty"`
	Exit    *exit       `json:",omitempty"`
	Output  []byte      `json:",omitempty"`
	Ended   *exit       `json:",omitempty"`
}

type exit struct {
	Code   int
	Signal syscall.Signal
}

type startError struct {
	Message string
	Errno   syscall.Errno
}

// StartError is a command that could not be started inside the sandbox. It
// unwraps to the system's error where there is one, so that
// errors.Is(err, fs.ErrNotExist) finds a missing program.
type StartError struct {
	Message string
	Err     error
}

func (e *StartError) Error() string { return "starting the sandbox: " + e.Message }
func (e *StartError) Unwrap() error { return e.Err }

func (e *startError) err() error {
	out := &StartError{Message: e.Message}
	if e.Errno != 0 {
		out.Err = e.Errno
	}
	return out
}

func newStartError(err error) *startError {
	out := &startError{Message: err.Error()}
	errors.As(err, &out.Errno)
	return out
}
