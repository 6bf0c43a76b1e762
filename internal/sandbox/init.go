package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// runInit is process 1 of a sandbox; the calling goroutine is locked to its
// thread. An error that it returns is one that nobody could be told of.
func runInit() error {
	// Whatever the starting program left open is not the command's.
	if err := unix.CloseRange(controlFD, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("closing inherited files: %w", err)
	}
	// The kernel keeps from process 1 the signals that it handles in no way;
	// those that Go handles are taken and dropped. (Ignored ones would be
	// ignored by the command too.)
	signal.Notify(make(chan os.Signal, 1))
	control := json.NewDecoder(inherited(controlFD))
	events := json.NewEncoder(os.NewFile(eventsFD, "events"))
	var o order
	if err := control.Decode(&o); err != nil {
		return fmt.Errorf("reading the order: %w", err)
	}
	child, err := startCommand(&o)
	if err != nil {
		return events.Encode(event{Error: newStartError(err)})
	}
	if err := events.Encode(event{Started: true}); err != nil {
		return err
	}
	if o.Session {
		return serveTasks(&o, control, events)
	}
	var status exit
	if child != 0 {
		go relay(control, child)
		if status, err = reap(child); err != nil {
			return err
		}
	}
	// When process 1 ends now, the kernel kills what is left in its namespace.
	return events.Encode(event{Exit: &status})
}

// inherited wraps a file of the starting program for use with the poller, so
// that waiting for it holds no thread.
func inherited(fd int) *os.File {
	// Should this fail, waiting holds a thread after all.
	_ = syscall.SetNonblock(fd, true)
	return os.NewFile(uintptr(fd), "inherited")
}

// startCommand builds the sandbox around the process and starts the command;
// pid is 0 when there is none, as Probe wants it.
func startCommand(o *order) (pid int, err error) {
	syscall.Umask(0o022)
	if err := unix.Sethostname([]byte(o.Hostname)); err != nil {
		return 0, fmt.Errorf("setting the host name: %w", err)
	}
	if o.Network == NetworkNone {
		if err := raise("lo"); err != nil {
			return 0, err
		}
	}
	// The network is made while the host's /proc, which names namespaces, is
	// still there.
	if err := startForwards(o.Forwards); err != nil {
		return 0, err
	}
	if err := enterRoot(o); err != nil {
		return 0, err
	}
	if len(o.Args) == 0 {
		return 0, nil
	}
	return execute(o, []uintptr{0, 1, 2})
}

// relay passes on what the starting program asks for. When that is gone, so is
// the sandbox.
func relay(control *json.Decoder, child int) {
	for {
		var c command
		if err := control.Decode(&c); err != nil {
			os.Exit(137) //nolint:forbidigo // process 1 ends here, whatever its main goroutine waits for
		}
		// The command may just have ended.
		_ = syscall.Kill(-child, c.Signal)
	}
}

// reap waits for every process that becomes process 1's child until the command
// itself has ended.
func reap(child int) (exit, error) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return exit{}, fmt.Errorf("waiting for processes: %w", err)
		case pid != child:
		case status.Signaled():
			return exit{Code: 128 + int(status.Signal()), Signal: status.Signal()}, nil
		case status.Exited():
			return exit{Code: status.ExitStatus()}, nil
		}
	}
}
