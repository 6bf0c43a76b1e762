package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// supervisorName is the name under which the running program is executed again;
// its argument is the home.
const supervisorName = "slipway-local-supervisor"

// readyFD is where a supervisor writes "ok" when commands are answered, or an
// error.
const readyFD = 3

// Main takes over when the running process was started as a supervisor, and then
// never returns; otherwise it does nothing. Call it after sandbox.Main and before
// anything else in main and in TestMain.
func Main() {
	if len(os.Args) != 2 || os.Args[0] != supervisorName {
		return
	}
	unix.CloseOnExec(readyFD)
	ready := os.NewFile(readyFD, "ready")
	code := 0
	if err := supervise(home(os.Args[1]), ready); err != nil {
		fmt.Fprintln(ready, err)
		code = 1
	}
	os.Exit(code) //nolint:forbidigo // this is the main of another program
}

// supervise is a supervisor's life.
func supervise(h home, ready io.WriteCloser) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := os.Chdir(string(h)); err != nil {
		return err
	}
	lock, ok, err := h.lock()
	if err != nil {
		return err
	}
	if !ok {
		return errAlready
	}
	defer lock.Close()
	// The log begins anew, now that it can be nobody else's.
	if err := os.Truncate(h.supervisorLog(), 0); err != nil {
		return fmt.Errorf("emptying the log: %w", err)
	}
	if err := h.sweep(); err != nil {
		return fmt.Errorf("removing what a killed supervisor left: %w", err)
	}
	s := newSupervisor(h, log)
	listener, err := h.listen()
	if err != nil {
		return err
	}
	defer func() {
		if err := h.sweep(); err != nil {
			log.Warn("cleaning up", "error", err)
		}
	}()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		log.Info("going down", "signal", <-signals)
		s.down()
	}()
	go s.saveChanges()
	if _, err := io.WriteString(ready, readyText); err != nil {
		return err
	}
	ready.Close()
	log.Info("supervising", "pid", os.Getpid())
	err = s.serve(listener)
	log.Info("ended", "error", err)
	return err
}

const readyText = "ok"

var errAlready = errors.New("another supervisor lives")

// startSupervisor starts a supervisor for h and waits until it answers. That
// another one came first is no error.
func (h home) startSupervisor(ctx context.Context) error {
	if err := os.MkdirAll(string(h), 0o700); err != nil {
		return fmt.Errorf("making the state directory: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	process, err := h.execute(w)
	w.Close()
	if err != nil {
		return fmt.Errorf("starting a supervisor: %w", err)
	}
	go func() { _, _ = process.Wait() }() // it leaves no zombie behind, should this process live on
	stop := context.AfterFunc(ctx, func() { r.Close() })
	defer stop()
	said, err := io.ReadAll(io.LimitReader(r, 4096))
	text := strings.TrimSpace(string(said))
	switch {
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case text == readyText, text == errAlready.Error():
		return nil
	case err != nil:
		return fmt.Errorf("starting a supervisor: %w", err)
	case text == "":
		return fmt.Errorf("starting a supervisor: it ended at once; its log is %s", h.supervisorLog())
	}
	return fmt.Errorf("starting a supervisor: %s", text)
}

// execute runs this program again, away from the terminal.
func (h home) execute(ready *os.File) (*os.Process, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	log, err := os.OpenFile(h.supervisorLog(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	return os.StartProcess("/proc/self/exe", []string{supervisorName, string(h)}, &os.ProcAttr{
		Dir:   "/",
		Env:   []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")},
		Files: []*os.File{null, log, log, ready},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}
