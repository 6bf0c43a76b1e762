package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// serveTasks is process 1 of a session: it runs one command after the other until it is told to end.
func serveTasks(o *order, control *json.Decoder, events *json.Encoder) error {
	t := &tasks{order: o, events: events}
	todo := make(chan command)
	go t.receive(control, todo)
	for c := range todo {
		if c.End {
			break
		}
		done := event{}
		status, err := t.run(c.Task)
		if err != nil {
			done.Error = newStartError(err)
		} else {
			done.Ended = &status
		}
		if err := t.send(done); err != nil {
			return err
		}
	}
	return t.send(event{Exit: &exit{}})
}

type tasks struct {
	order   *order
	sending sync.Mutex
	events  *json.Encoder
	current atomic.Int64 // the process of the task that runs, or 0
}

func (t *tasks) send(e event) error {
	t.sending.Lock()
	defer t.sending.Unlock()
	return t.events.Encode(e)
}

// receive passes on tasks and signals. When the starting program is gone, so is the sandbox.
func (t *tasks) receive(control *json.Decoder, todo chan<- command) {
	for {
		var c command
		if err := control.Decode(&c); err != nil {
			os.Exit(137) //nolint:forbidigo // process 1 ends here, whatever its main goroutine waits for
		}
		if c.Task != nil || c.End {
			todo <- c
			continue
		}
		if pid := t.current.Load(); pid != 0 {
			_ = syscall.Kill(-int(pid), c.Signal) // it may just have ended
		}
	}
}

// run runs a task to its end, and ends whatever it leaves running.
func (t *tasks) run(c *task) (exit, error) {
	for _, f := range c.Files {
		if err := rewrite(f); err != nil {
			return exit{}, fmt.Errorf("placing %s: %w", f.Path, err)
		}
	}
	stdin, err := memoryFile(c.Stdin)
	if err != nil {
		return exit{}, fmt.Errorf("preparing standard input: %w", err)
	}
	defer stdin.Close()
	read, write, err := os.Pipe()
	if err != nil {
		return exit{}, err
	}
	defer read.Close()
	t.order.Args, t.order.Env, t.order.Helper = c.Args, c.Env, c.Helper
	pid, err := execute(t.order, []uintptr{stdin.Fd(), write.Fd(), write.Fd()})
	write.Close()
	if err != nil {
		return exit{}, err
	}
	t.current.Store(int64(pid))
	forwarded := make(chan error, 1)
	go func() { forwarded <- t.forward(read) }()
	status, err := reap(pid)
	t.current.Store(0)
	return status, errors.Join(err, endAll(), <-forwarded)
}

// forward sends what a task writes, until nobody can write any more.
func (t *tasks) forward(from *os.File) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if err := t.send(event{Output: buffer[:n]}); err != nil {
				return err
			}
		}
		if err != nil {
			return nil //nolint:nilerr // the end of file, the only error a pipe has
		}
	}
}

// endAll kills every process in the sandbox but this one.
func endAll() error {
	for {
		err := syscall.Kill(-1, syscall.SIGKILL)
		if err != nil && err != syscall.ESRCH {
			return fmt.Errorf("ending what a command left running: %w", err)
		}
		_, err = syscall.Wait4(-1, nil, 0, nil)
		switch err {
		case nil, syscall.EINTR:
		case syscall.ECHILD:
			return nil
		default:
			return fmt.Errorf("waiting for processes: %w", err)
		}
	}
}

// rewrite gives a file that was placed by a mount other content. No command can have put something
// else in the place of a mount.
func rewrite(f File) error {
	fd, err := unix.Open(f.Path, unix.O_WRONLY|unix.O_TRUNC|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), f.Path)
	_, err = file.Write(f.Content)
	return errors.Join(err, file.Chmod(f.Mode.Perm()), file.Close())
}

// memoryFile is a file with this content, to be read from its beginning.
func memoryFile(content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("stdin", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "stdin")
	if _, err := f.WriteAt(content, 0); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
