package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/deploy"
)

// home is the state directory of one service in one environment.
type home string

func (t *Target) home(service, environment string) (home, error) {
	if err := deploy.CheckName("service", service); err != nil {
		return "", err
	}
	if err := deploy.CheckName("environment", environment); err != nil {
		return "", err
	}
	state, err := filepath.Abs(t.State)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(state, service)
	h := home(filepath.Join(dir, environment))
	return h, checkOwner(state, dir, string(h))
}

// checkOwner refuses directories in which another user could put files and
// sockets in the place of a supervisor's: that user would see what is deployed,
// with its environment, and could have files written elsewhere. The first one may
// be shared as /tmp is; the others are in it, and may not be there yet.
func checkOwner(state string, dirs ...string) error {
	for i, dir := range append([]string{state}, dirs...) {
		stat := os.Lstat
		if i == 0 {
			stat = os.Stat
		}
		info, err := stat(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("looking at the state directory: %w", err)
		}
		if !info.IsDir() {
			return fmt.Errorf("the state directory %s is no directory", dir)
		}
		owner := int(info.Sys().(*syscall.Stat_t).Uid)
		switch shared := i == 0; {
		case owner != os.Geteuid() && (!shared || owner != 0):
			return fmt.Errorf("the state directory %s belongs to another user (id %d): choose one of your own (--state), or be that user", dir, owner)
		case info.Mode().Perm()&0o002 != 0 && (!shared || info.Mode()&fs.ModeSticky == 0):
			return fmt.Errorf("every user may write to the state directory %s: chmod o-w it, or choose another one (--state)", dir)
		}
	}
	return nil
}

func (h home) path(name string) string  { return filepath.Join(string(h), name) }
func (h home) supervisorLog() string    { return h.path("supervisor.log") }
func (h home) sockets() string          { return h.path("run") }
func (h home) logs() string             { return h.path("logs") }
func (h home) logsOf(serial int) string { return filepath.Join(h.logs(), strconv.Itoa(serial)) }

// logSerials are the generations that have logs.
func (h home) logSerials() []int {
	entries, err := os.ReadDir(h.logs())
	if err != nil {
		return nil // there are none yet
	}
	var serials []int
	for _, e := range entries {
		if serial, err := strconv.Atoi(e.Name()); err == nil {
			serials = append(serials, serial)
		}
	}
	return serials
}

// newestLogs is the newest generation that has logs, 0 if none has.
func (h home) newestLogs() int {
	newest := 0
	for _, serial := range h.logSerials() {
		newest = max(newest, serial)
	}
	return newest
}

const controlSocket = "control.sock"

// lock takes the lock that a supervisor holds while it lives; ok is false when
// one does. It is released by closing the file, or by the process's end.
func (h home) lock() (f *os.File, ok bool, err error) {
	f, err = os.OpenFile(h.path("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("opening the lock: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, true, nil
	}
	f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, false, nil
	}
	return nil, false, fmt.Errorf("locking %s: %w", h.path("lock"), err)
}

// supervised reports whether a supervisor lives.
func (h home) supervised() (bool, error) {
	f, free, err := h.lock()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if free {
		f.Close()
	}
	return !free, nil
}

// awaitEnd waits until no supervisor lives.
func (h home) awaitEnd(ctx context.Context) error {
	for {
		alive, err := h.supervised()
		if err != nil || !alive {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// sweep removes what a supervisor leaves that was killed.
func (h home) sweep() error {
	return errors.Join(os.RemoveAll(h.sockets()), os.RemoveAll(h.path(controlSocket)))
}

// listen listens on the control socket. A socket's path may have 108 bytes only,
// so it is named through its directory's descriptor.
func (h home) listen() (net.Listener, error) {
	var listener net.Listener
	err := h.throughDir(func(dir string) (err error) {
		listener, err = new(net.ListenConfig).Listen(context.Background(), "unix", filepath.Join(dir, controlSocket))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listening for commands: %w", err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	return listener, os.Chmod(h.path(controlSocket), 0o600)
}

func (h home) dial(ctx context.Context) (conn net.Conn, err error) {
	err = h.throughDir(func(dir string) (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, controlSocket))
		return err
	})
	return conn, err
}

func (h home) throughDir(f func(dir string) error) error {
	dir, err := os.Open(string(h))
	if err != nil {
		return err
	}
	defer dir.Close()
	return f(fmt.Sprintf("/proc/self/fd/%d", dir.Fd()))
}

// record is what state.json holds.
type record struct {
	// Pid of the supervisor that wrote it.
	Pid int `json:"pid"`
	// Serial of the newest generation.
	Serial int `json:"serial"`
	// Status as Status reports it while the supervisor lives.
	Status deploy.Status `json:"status"`
	// Logs are the log files of each workload's instances.
	Logs []instanceLog `json:"logs,omitempty"`
}

type instanceLog struct {
	Workload string `json:"workload"`
	File     string `json:"file"`
}

// load reads the record; an absent one is empty.
func (h home) load() (record, error) {
	var r record
	data, err := os.ReadFile(h.path("state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("reading the state: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("reading the state: %s: %w", h.path("state.json"), err)
	}
	return r, nil
}

func (h home) save(r record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	if err := renameio.WriteFile(h.path("state.json"), append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	return nil
}
