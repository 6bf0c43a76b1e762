package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

//go:embed peer.py
var peerScript string

// systemPython is the interpreter that has dnf's modules, whatever python3 is on the PATH.
const systemPython = "/usr/bin/python3"

// bench is one run of the program.
type bench struct {
	asked options
	self  string // this program
	work  string // folder of all that is written
	peers bool   // dnf and its modules are there
	sets  []set
	log   io.Writer
}

// set is repositories that are measured together.
type set struct {
	name  string
	repos []string // folders
}

func open(ctx context.Context, o options, log io.Writer) (*bench, error) {
	b := &bench{asked: o, log: log}
	var err error
	if b.asked.slipway, err = filepath.Abs(o.slipway); err != nil {
		return nil, err
	}
	if _, err := os.Stat(b.asked.slipway); err != nil {
		return nil, fmt.Errorf("%w: make build makes it", err)
	}
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.sets, err = setsOf(ctx, o, log); err != nil {
		return nil, err
	}
	if b.work, err = os.MkdirTemp("", "slipway-resolvebench-"); err != nil {
		return nil, err
	}
	for n, s := range b.sets {
		for i, folder := range s.repos {
			s.repos[i] = b.path(fmt.Sprintf("set%d-%d", n, i))
			if err := onlyPrimary(folder, s.repos[i]); err != nil {
				return nil, errors.Join(err, os.RemoveAll(b.work))
			}
		}
	}
	b.peers = exec.CommandContext(ctx, systemPython, "-c", "import hawkey, dnf").Run() == nil
	if !b.peers {
		fmt.Fprintln(log, systemPython, "has no dnf module (Debian: python3-dnf): ours is measured alone")
	}
	return b, nil
}

// setsOf finds what is to be measured.
func setsOf(ctx context.Context, o options, log io.Writer) ([]set, error) {
	var sets []set
	if o.repos != "" {
		found, err := filepath.Glob(filepath.Join(o.repos, "*", "repodata", "repomd.xml"))
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("-repos %s: there are no folders with repodata in it", o.repos)
		}
		given := set{name: filepath.Base(o.repos)}
		for _, path := range found {
			given.repos = append(given.repos, filepath.Dir(filepath.Dir(path)))
		}
		slices.Sort(given.repos)
		sets = append(sets, given)
	}
	if o.listed == "" {
		cmd := exec.CommandContext(ctx, "go", "run", "./tools/universe", "--size", "listed")
		cmd.Stderr = log
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("making the repository of 70,000 packages: %w", err)
		}
		o.listed = strings.TrimSpace(string(out))
	}
	return append(sets, set{"listed", []string{o.listed}}), nil
}

// measure measures everything.
func (b *bench) measure(ctx context.Context) (*report, error) {
	r := &report{Runs: b.asked.runs, Seed: b.asked.seed}
	for _, s := range b.sets {
		fmt.Fprintln(b.log, s.name)
		rows, err := b.measureSet(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("measuring %s: %w", s.name, err)
		}
		r.Sets = append(r.Sets, *rows)
	}
	return r, nil
}

func (b *bench) measureSet(ctx context.Context, s set) (*measuredSet, error) {
	drawn, err := b.ours(ctx, task{Repos: s.repos, Cache: b.path("cache"), Draw: b.asked.requests, Seed: b.asked.seed})
	if err != nil {
		return nil, err
	}
	m := &measuredSet{Name: s.name, Packages: drawn.Packages, Requests: len(drawn.Requests)}
	xml, cold, warm := newRow("XML, in process", "hawkey"), newRow("command, empty cache", "dnf"), newRow("command, full cache", "dnf")
	names := drawn.Requests[min(2, len(drawn.Requests)-1)] // three names
	for range b.asked.runs {
		if err := errors.Join(b.loads(ctx, s, xml), b.commands(ctx, s, names, cold, warm)); err != nil {
			return nil, err
		}
		for _, row := range []*row{xml, cold, warm} {
			fmt.Fprintln(b.log, row.latest())
		}
	}
	solving := newRow("solving a request", "libsolv")
	if err := b.solves(ctx, s, drawn.Requests, m, solving); err != nil {
		return nil, err
	}
	for _, row := range []*row{xml, cold, warm, solving} {
		row.conclude()
		m.Rows = append(m.Rows, *row)
	}
	return m, nil
}

func (b *bench) path(name string) string { return filepath.Join(b.work, name) }

// fresh gives an empty folder of that name.
func (b *bench) fresh(name string) (string, error) {
	return b.path(name), errors.Join(os.RemoveAll(b.path(name)), os.Mkdir(b.path(name), 0o755))
}

// loads measures reading the XML once on each side.
func (b *bench) loads(ctx context.Context, s set, r *row) error {
	cache, err := b.fresh("cold")
	if err != nil {
		return err
	}
	o, err := b.ours(ctx, task{Repos: s.repos, Cache: cache})
	if err != nil {
		return err
	}
	r.Ours.add(o.Wall, o.CPU)
	if !b.peers {
		return nil
	}
	if cache, err = b.fresh("hawkey"); err != nil {
		return err
	}
	if o, err = b.peer(ctx, task{Repos: s.repos, Cache: cache}); err != nil {
		return err
	}
	r.Theirs.add(o.Wall, o.CPU)
	return nil
}

// commands measures both commands once, with an empty cache and with the one that this fills.
func (b *bench) commands(ctx context.Context, s set, names []string, cold, warm *row) error {
	for _, dir := range []string{"slipway", "dnf", "root"} {
		if _, err := b.fresh(dir); err != nil {
			return err
		}
	}
	ours := []string{b.asked.slipway, "resolve", "--quiet", "--cache", b.path("slipway")}
	for i, folder := range s.repos {
		ours = append(ours, "--repo", fmt.Sprintf("r%d=%s", i, folder))
	}
	for _, r := range []*row{cold, warm} {
		if err := b.time(ctx, &r.Ours, append(slices.Clone(ours), names...), 0); err != nil {
			return err
		}
	}
	if !b.peers {
		return nil
	}
	if err := os.WriteFile(b.path("dnf.conf"), []byte(dnfConfig(s)), 0o644); err != nil {
		return err
	}
	dnf := []string{"dnf", "--quiet", "--config", b.path("dnf.conf"), "--setopt=cachedir=" + b.path("dnf"),
		"--installroot", b.path("root"), "--releasever", "1", "--assumeno", "install"}
	for _, r := range []*row{cold, warm} {
		// It ends with 1, for our answer is no.
		if err := b.time(ctx, &r.Theirs, append(slices.Clone(dnf), names...), 1); err != nil {
			return err
		}
	}
	return nil
}

func dnfConfig(s set) string {
	var c strings.Builder
	c.WriteString("[main]\ngpgcheck=0\nbest=1\ninstall_weak_deps=0\nplugins=0\nreposdir=/nonexistent\nexcludepkgs=*.i686\n")
	for i, folder := range s.repos {
		fmt.Fprintf(&c, "[r%d]\nbaseurl=file://%s\nmodule_hotfixes=1\n", i, folder)
	}
	return c.String()
}

// time runs a command that is to end with a status.
func (b *bench) time(ctx context.Context, to *times, args []string, status int) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	before := time.Now()
	err := cmd.Run()
	took := time.Since(before)
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != status || status != 0 && !strings.Contains(output.String(), "Operation aborted") {
		return fmt.Errorf("%s: %w\n%s", args[0], errors.Join(err, ctx.Err()), output.String())
	}
	to.add(took.Seconds(), (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds())
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		to.Memory = max(to.Memory, usage.Maxrss<<10)
	}
	return nil
}

// solves lets both solve all requests, and compares the sizes of the answers.
func (b *bench) solves(ctx context.Context, s set, requests [][]string, m *measuredSet, r *row) error {
	t := task{Repos: s.repos, Cache: b.path("cache"), Requests: requests}
	for range b.asked.runs {
		ours, err := b.ours(ctx, t)
		if err != nil {
			return err
		}
		for _, one := range ours.Solved[1:] {
			r.Ours.add(one.Wall, one.CPU)
		}
		if !b.peers {
			continue
		}
		if t.Cache, err = b.fresh("hawkey"); err != nil {
			return err
		}
		theirs, err := b.peer(ctx, t)
		if err != nil {
			return err
		}
		t.Cache = b.path("cache")
		m.SameSize = 0
		for n, one := range theirs.Solved {
			if n > 0 {
				r.Theirs.add(one.Wall, one.CPU)
			}
			if one.Install == ours.Solved[n].Install {
				m.SameSize++
			}
		}
	}
	return nil
}

// ours runs a task in a new process of this program.
func (b *bench) ours(ctx context.Context, t task) (outcome, error) {
	return answer(ctx, t, b.self, childArg)
}

// peer runs it in one of Python's, with dnf's modules.
func (b *bench) peer(ctx context.Context, t task) (outcome, error) {
	return answer(ctx, t, systemPython, "-c", peerScript)
}

func answer(ctx context.Context, t task, program string, args ...string) (o outcome, err error) {
	text, err := json.Marshal(t)
	if err != nil {
		return o, err
	}
	cmd := exec.CommandContext(ctx, program, append(args, string(text))...)
	var messages bytes.Buffer
	cmd.Stderr = &messages
	out, err := cmd.Output()
	if err != nil {
		return o, fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, messages.String())
	}
	return o, json.Unmarshal(out, &o)
}
