package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// bench is one run of the program.
type bench struct {
	shell
	asked    options
	checkout string
	program  string // slipway
	work     string // folder of everything that is made; holds home/, tmp/, universe/ and the tools' own
	universe universe
	stop     []func() error // ends what was started, the last first
	log      io.Writer
}

// open makes the folder to work in and fills it with what all tools share.
func open(ctx context.Context, o options, log io.Writer) (_ *bench, err error) {
	b := &bench{asked: o, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.checkout, err = os.Getwd(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(b.checkout, "examples", "greeter")); err != nil {
		return nil, errors.New("run it at the top of Slipway's checkout: make bench")
	}
	if b.program, err = exec.LookPath(o.slipway); err != nil {
		return nil, fmt.Errorf("%w: make build makes it", err)
	}
	if b.program, err = filepath.Abs(b.program); err != nil {
		return nil, err
	}
	from := o.universe
	if from == "" {
		if from, err = b.makeUniverse(ctx); err != nil {
			return nil, err
		}
	}
	if err := b.makeWork(); err != nil {
		return nil, err
	}
	b.shell = newShell(b.work)
	if b.universe, err = copyUniverse(from, filepath.Join(b.work, "universe")); err != nil {
		return nil, err
	}
	return b, nil
}

// makeUniverse asks the tool next door, which keeps universes in a cache.
func (b *bench) makeUniverse(ctx context.Context) (string, error) {
	cmd := command(ctx, "go", "run", "./tools/universe", "--size", b.asked.size)
	cmd.Stderr = b.log
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("making the RPM universe: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// makeWork makes the folder to work in: a tmpfs where there is memory for it.
func (b *bench) makeWork() (err error) {
	if b.work, err = os.MkdirTemp(b.asked.dir, "slipway-bench-"); err != nil {
		return err
	}
	// Root may write everywhere, a sandbox's users may not.
	if err := os.Chmod(b.work, 0o755); err != nil {
		return err
	}
	if b.asked.dir == "" && canMount() {
		free, err := memory("MemAvailable")
		if err != nil {
			return err
		}
		if need := workSize(b.asked.size); free > need+need/4 {
			if err := mountTmpfs(b.work, need); err != nil {
				return fmt.Errorf("mounting a tmpfs: %w (-dir names a folder instead)", err)
			}
		} else {
			fmt.Fprintf(b.log, "%d MB of memory are free, and a tmpfs wants %d: working in %s\n", free>>20, (need+need/4)>>20, b.work)
		}
	}
	for _, sub := range []string{"home", "tmp", "scratch"} {
		if err := os.Mkdir(filepath.Join(b.work, sub), 0o755); err != nil {
			return err
		}
	}
	return b.shield()
}

// workSize is what a run needs at most, in bytes.
func workSize(size string) int64 {
	if size == "small" {
		return 3 << 30
	}
	return 9 << 30
}

// shield keeps what the tools put into places of their own, whatever they are told, in the work
// folder; and has rpm write its database where an image has it, which is not Debian's default.
func (b *bench) shield() error {
	if err := os.WriteFile(filepath.Join(b.work, "home", ".rpmmacros"), []byte("%_dbpath /var/lib/rpm\n"), 0o644); err != nil {
		return err
	}
	if !canMount() {
		return nil
	}
	for _, dir := range []string{"/var/lib/containers", "/run/containers"} {
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		if err := mountTmpfs(dir, 64<<20); err != nil {
			return fmt.Errorf("mounting a tmpfs on %s: %w", dir, err)
		}
		b.stop = append(b.stop, func() error { return unmount(dir) })
	}
	return nil
}

// close ends what was started and removes the work folder.
func (b *bench) close() error {
	var errs []error
	for i := len(b.stop) - 1; i >= 0; i-- {
		errs = append(errs, b.stop[i]())
	}
	b.stop = nil
	if b.work != "" {
		if canMount() {
			errs = append(errs, unmountBelow(b.work))
		}
		errs = append(errs, os.RemoveAll(b.work))
	}
	return errors.Join(errs...)
}

// measure runs all rows and gives the report.
func (b *bench) measure(ctx context.Context) (*report, error) {
	r, err := b.describe(ctx)
	if err != nil {
		return nil, err
	}
	contests := b.contests
	if b.asked.final {
		contests = b.finalContests
	}
	for _, c := range contests() {
		fmt.Fprintln(b.log, c.what)
		row, err := b.hold(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.what, err)
		}
		r.Rows = append(r.Rows, *row)
	}
	return r, nil
}

// contest is one thing that is measured, and who does it.
type contest struct {
	what     string
	entrants []entrant // ours first
}

// entrant is one tool's way to do it. Only run is timed. All but name and run may be absent.
type entrant struct {
	name   string
	needs  []string // programs
	root   bool     // it is for root only
	setup  func(ctx context.Context) error
	before func(ctx context.Context) error
	run    func(ctx context.Context) error
	after  func(ctx context.Context) (size int64, err error) // size of the result in bytes, 0: not of interest
}

// hold lets the entrants take turns. One of others that fails is said to have failed, and why; ours
// may not fail.
func (b *bench) hold(ctx context.Context, c contest) (*row, error) {
	result := &row{What: c.what, Entries: make([]entry, len(c.entrants))}
	for i, e := range c.entrants {
		result.Entries[i].Tool = e.name
		result.Entries[i].Missing = missing(e)
	}
	for round := range b.asked.runs {
		for i, e := range c.entrants {
			out := &result.Entries[i]
			if out.Missing != "" {
				continue
			}
			err := b.once(ctx, e, round, out)
			if err != nil && (i == 0 || ctx.Err() != nil) {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			} else if err != nil {
				fmt.Fprintf(b.log, "  %s: %v\n", e.name, err)
				*out = entry{Tool: e.name, Missing: "failed"}
			}
		}
	}
	result.conclude()
	return result, nil
}

// once measures an entrant once.
func (b *bench) once(ctx context.Context, e entrant, round int, out *entry) error {
	steps := []func(context.Context) error{e.before}
	if round == 0 {
		steps = []func(context.Context) error{e.setup, e.before}
	}
	for _, step := range steps {
		if step == nil {
			continue
		}
		if err := step(ctx); err != nil {
			return fmt.Errorf("preparing: %w", err)
		}
	}
	worked, err := processorTime()
	if err != nil {
		return err
	}
	watch := watchMemory()
	began := time.Now()
	err = e.run(ctx)
	took := time.Since(began)
	peak := watch.stop()
	if err != nil {
		return err
	}
	until, err := processorTime()
	if err != nil {
		return err
	}
	out.Runs = append(out.Runs, took.Seconds())
	out.Work = append(out.Work, (until - worked).Seconds())
	out.Memory = max(out.Memory, peak)
	fmt.Fprintf(b.log, "  %s: %s\n", e.name, span(took.Seconds()))
	if e.after != nil {
		if out.Bytes, err = e.after(ctx); err != nil {
			return fmt.Errorf("looking at the result: %w", err)
		}
	}
	return nil
}

// processorTime is what this process and the commands that have ended spent on processors so far.
func processorTime() (time.Duration, error) {
	var sum time.Duration
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var u unix.Rusage
		if err := unix.Getrusage(who, &u); err != nil {
			return 0, fmt.Errorf("reading processor times: %w", err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum, nil
}

// missing says why an entrant can't take part; "" where it can.
func missing(e entrant) string {
	for _, program := range e.needs {
		if _, err := exec.LookPath(program); err != nil {
			return program + " not installed"
		}
	}
	if e.root && os.Getuid() != 0 {
		return "for root only"
	}
	return ""
}

// path is a place in the work folder.
func (b *bench) path(parts ...string) string {
	return filepath.Join(append([]string{b.work}, parts...)...)
}

// clear makes sure that places in the work folder do not exist.
func (b *bench) clear(names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, os.RemoveAll(b.path(name)))
	}
	return errors.Join(errs...)
}
