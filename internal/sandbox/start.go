package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Start starts spec's command. It returns when the command has been executed,
// or with the error that prevented it. ctx governs the whole life of the
// sandbox, as in Run. Wait must be called.
func Start(ctx context.Context, spec Spec) (*Process, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	o, err := spec.order()
	if err != nil {
		return nil, &StartError{Message: err.Error(), Err: err}
	}
	p := &Process{spec: spec, newGroup: newCgroup, done: make(chan struct{})}
	if err := p.start(ctx, o); err != nil {
		if p.process != nil {
			p.killFirst()
			_, _ = p.process.Wait()
			_ = p.output.wait()
			p.control.Close()
		}
		p.release()
		return nil, err
	}
	go p.watch(ctx)
	return p, nil
}

// start does all of Start but clean up after an error.
func (p *Process) start(ctx context.Context, o *order) error {
	mapping, err := currentMapping()
	if err != nil {
		return err
	}
	o.IDs = mapping.ids()
	if o.Upper != "" {
		if err := makeUpper(o.Upper, o.Work, o.Lower[0]); err != nil {
			return err
		}
		p.cleanup = append(p.cleanup, func() { _ = removeWork(o.Work) })
	}
	l := &launch{order: o, mapping: mapping}
	defer l.close()
	if err := p.limit(l); err != nil {
		return err
	}
	for _, f := range p.spec.Forwards {
		if err := p.forward(l, f); err != nil {
			return err
		}
	}
	if err := p.launch(l); err != nil {
		return err
	}
	// The start itself can hang, on a network file system say.
	stopWatching := context.AfterFunc(ctx, func() { p.stop(Cancelled, context.Cause(ctx), -1) })
	defer stopWatching()
	if err := p.await(ctx, l); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	return nil
}

// launch is what process 1 is started with.
type launch struct {
	order   *order
	mapping idMapping
	stdio   []*os.File // three, in the order of their numbers inside
	extra   []*os.File // from firstFD on
	own     []*os.File // to be closed when process 1 has its copies
}

// pass makes process 1 inherit a file and returns the number it has there.
func (l *launch) pass(f *os.File) int {
	l.extra = append(l.extra, f)
	l.own = append(l.own, f)
	return firstFD + len(l.extra) - 1
}

func (l *launch) close() { closeAll(l.own) }

// ownThreads is about how many threads process 1 has, which share a limit by user
// with the command's processes.
const ownThreads = 16

// limit makes a control group or, where that is not allowed, sets resource
// limits instead.
func (p *Process) limit(l *launch) error {
	limits := p.spec.Limits
	group, err := p.newGroup(limits)
	if err != nil {
		if limits.Memory > 0 {
			l.order.Rlimits = append(l.order.Rlimits, rlimit{unix.RLIMIT_DATA, uint64(limits.Memory)})
		}
		if limits.Processes > 0 {
			l.order.Rlimits = append(l.order.Rlimits, rlimit{unix.RLIMIT_NPROC, uint64(limits.Processes) + ownThreads})
		}
		return nil
	}
	if group == nil {
		return nil
	}
	p.group = group
	p.cleanup = append(p.cleanup, group.remove)
	files, err := group.open()
	if err != nil {
		return err
	}
	for _, f := range files {
		fd := l.pass(f)
		if group.version == 1 {
			l.order.TaskFDs = append(l.order.TaskFDs, fd)
		} else {
			l.order.CgroupFD = fd
		}
	}
	return nil
}

// forward opens the host's side of a forward.
func (p *Process) forward(l *launch, f Forward) error {
	w := wireForward{Direction: f.Direction, Name: filepath.Base(f.Socket), Address: net.JoinHostPort("127.0.0.1", fmt.Sprint(f.Port))}
	if f.Address != "" {
		w.Address = net.JoinHostPort(f.Address, fmt.Sprint(f.Port))
	}
	dir, err := os.OpenFile(filepath.Dir(f.Socket), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return fmt.Errorf("forwarding %s: %w", f.Socket, err)
	}
	if f.Direction == Outward {
		w.FD = l.pass(dir)
		l.order.Forwards = append(l.order.Forwards, w)
		return nil
	}
	defer dir.Close()
	file, err := listen(dir, f.Socket)
	if err != nil {
		return fmt.Errorf("forwarding %s: %w", f.Socket, err)
	}
	p.cleanup = append(p.cleanup, func() { os.Remove(f.Socket) })
	w.FD = l.pass(file)
	l.order.Forwards = append(l.order.Forwards, w)
	return nil
}

// listen makes a Unix socket. It is named through its directory's descriptor,
// because a socket's own path may have 108 bytes only.
func listen(dir *os.File, socket string) (*os.File, error) {
	if info, err := os.Lstat(socket); err == nil && info.Mode().Type() == fs.ModeSocket {
		if err := os.Remove(socket); err != nil {
			return nil, err
		}
	}
	name := fdPath(int(dir.Fd())) + "/" + filepath.Base(socket)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	listener.SetUnlinkOnClose(false)
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, err
	}
	return listener.File()
}

// launch starts process 1.
func (p *Process) launch(l *launch) error {
	if err := p.connect(l); err != nil {
		return err
	}
	control, controlHere, err := os.Pipe()
	if err != nil {
		return err
	}
	l.own = append(l.own, control)
	p.control = controlHere
	eventsHere, events, err := os.Pipe()
	if err != nil {
		return err
	}
	l.own = append(l.own, events)
	p.cleanup = append(p.cleanup, func() { controlHere.Close(); eventsHere.Close() })
	p.events = json.NewDecoder(eventsHere)

	program, name := "/proc/self/exe", sealName
	sys := &syscall.SysProcAttr{Cloneflags: p.namespaces(), Setsid: true}
	if l.mapping.helpers {
		name = mapName
	} else {
		sys.UidMappings, sys.GidMappings = l.mapping.uid, l.mapping.gid
		sys.GidMappingsEnableSetgroups = os.Geteuid() == 0
	}
	if fd, err := sealedMount(); err == nil {
		program, name = fdPath(fd), initName
		defer unix.Close(fd)
	}
	p.started = time.Now()
	p.process, err = os.StartProcess(program, []string{name}, &os.ProcAttr{
		Dir:   "/",
		Env:   []string{"GOMAXPROCS=2"},
		Files: append(append(l.stdio, control, events), l.extra...),
		Sys:   sys,
	})
	if err != nil {
		return &StartError{Message: "making namespaces: " + err.Error() + namespaceHint(err), Err: err}
	}
	return nil
}

func (p *Process) namespaces() uintptr {
	flags := uintptr(unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS)
	if p.spec.Network == NetworkNone {
		flags |= unix.CLONE_NEWNET
	}
	return flags
}

func namespaceHint(err error) string {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return " (user namespaces are not allowed here: set sysctl kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0, or in a container run it privileged)"
	case errors.Is(err, unix.ENOSPC):
		return " (no more user namespaces: raise sysctl user.max_user_namespaces)"
	case errors.Is(err, unix.EINVAL):
		return " (this kernel has no user namespaces)"
	}
	return ""
}

// await gives process 1 its order and waits until the command runs.
func (p *Process) await(ctx context.Context, l *launch) error {
	l.close() // or the pipes never end
	l.own = nil
	if l.mapping.helpers {
		if err := l.mapping.write(ctx, p.process.Pid); err != nil {
			return err
		}
		if _, err := p.control.Write([]byte{0}); err != nil {
			return fmt.Errorf("mapping ids: %w", err)
		}
	}
	writeErr := json.NewEncoder(p.control).Encode(l.order)
	var first event
	if err := p.events.Decode(&first); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("process 1 ended; does main call sandbox.Main first?")
		}
		return &StartError{Message: err.Error(), Err: errors.Join(err, writeErr)}
	}
	if first.Error != nil {
		return first.Error.err()
	}
	return nil
}

// connect prepares standard input and output.
func (p *Process) connect(l *launch) error {
	p.output = &output{left: -1, exceeded: func() { p.stop(OutputLimit, nil, -1) }}
	if p.spec.Limits.Output > 0 {
		p.output.left = p.spec.Limits.Output
	}
	stdin, err := p.input(l)
	if err != nil {
		return err
	}
	stdout, err := p.outputFile(l, p.spec.Stdout)
	if err != nil {
		return err
	}
	stderr, err := p.outputFile(l, p.spec.Stderr)
	if err != nil {
		return err
	}
	l.stdio = []*os.File{stdin, stdout, stderr}
	return nil
}

// input returns the command's standard input.
func (p *Process) input(l *launch) (*os.File, error) {
	switch stdin := p.spec.Stdin.(type) {
	case nil:
		f, err := os.Open(os.DevNull)
		l.own = append(l.own, f)
		return f, err
	case *os.File:
		return stdin, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l.own = append(l.own, r)
	// Closing the pipe at the end stops the copying, unless that waits for the
	// reader, whose business it is to end.
	p.cleanup = append(p.cleanup, func() { w.Close() })
	go func() {
		defer w.Close()
		_, _ = io.Copy(w, p.spec.Stdin) // a command need not read it all
	}()
	return r, nil
}

// outputFile returns a file for the command to write to. A file without a limit
// is used as it is.
func (p *Process) outputFile(l *launch, w io.Writer) (*os.File, error) {
	if w == nil {
		f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		l.own = append(l.own, f)
		return f, err
	}
	if f, ok := w.(*os.File); ok && p.spec.Limits.Output == 0 {
		return f, nil
	}
	r, pipe, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l.own = append(l.own, pipe)
	p.output.copy(w, r)
	return pipe, nil
}
