package strategy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Engine is a program of this machine that builds Containerfiles.
type Engine struct {
	// Name is buildah, podman or docker.
	Name string
	// Path is the program.
	Path string
	// Rootless says that it is run by another user than root.
	Rootless bool
	// Env is its environment. Nil: ours.
	Env []string
}

// Candidate is an engine that was looked for.
type Candidate struct {
	Name string `json:"name"`
	// Found is its version.
	Found string `json:"found,omitempty"`
	// Problem says why it cannot be used; "" when it can.
	Problem string `json:"problem,omitempty"`
	engine  Engine
}

// engines are the programs that are looked for, in the order in which they are preferred: buildah needs
// neither a daemon nor, with chroot isolation, a runtime.
var engines = []string{"buildah", "podman", "docker"}

// probeTime is how long an engine may take to answer.
const probeTime = 20 * time.Second

// Engines looks for all engines and says of each whether it can be used.
func Engines(ctx context.Context) []Candidate {
	var list []Candidate
	for _, name := range engines {
		list = append(list, probe(ctx, name))
	}
	return list
}

func probe(ctx context.Context, name string) Candidate {
	c := Candidate{Name: name}
	path, err := exec.LookPath(name)
	if err != nil {
		c.Problem = "it is not installed"
		return c
	}
	c.engine = Engine{Name: name, Path: path, Rootless: os.Geteuid() != 0}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	out, err := c.engine.output(ctx, "--version")
	if err != nil {
		c.Problem = fmt.Sprintf("it does not start: %v", err)
		return c
	}
	c.Found, _, _ = strings.Cut(strings.TrimSpace(out), "\n")
	// info asks docker's daemon, and the others' storage.
	if _, err := c.engine.output(ctx, "info"); err != nil {
		c.Problem = fmt.Sprintf("it does not work: %v", err)
	}
	return c
}

// ErrNoEngine says that no engine of this machine can be used.
var ErrNoEngine = errors.New("none of buildah, podman and docker can be used here (slipway doctor says why): install buildah")

// FindEngine is the first engine that can be used.
func FindEngine(ctx context.Context) (*Engine, error) {
	for _, name := range engines {
		if c := probe(ctx, name); c.Problem == "" {
			return &c.engine, nil
		}
	}
	return nil, ErrNoEngine
}

// Build says what an engine is to build.
type Build struct {
	// Context is the folder that COPY takes from; File is the Containerfile's path.
	Context, File string
	// Bases are images of the registry (HOST/NAME@DIGEST) by the names that the Containerfile has for them.
	Bases map[string]string
	// Args are the build arguments.
	Args map[string]string
	// Epoch is the date of the image and its files, in seconds since 1970, where the engine can set it.
	Epoch int64
	// To is where the image is pushed: HOST/NAME:TAG. The registry is one of this machine.
	To string
	// Fresh has nothing taken from the engine's cache of layers.
	Fresh bool
	// Log hears what the engine says. Nil: nobody does.
	Log io.Writer
}

// EngineError is a build that an engine gave up.
type EngineError struct {
	Engine, Step string
	// Output is the end of what it said.
	Output string
	Err    error
}

func (e *EngineError) Error() string {
	return fmt.Sprintf("%s %s: %v\n  %s", e.Engine, e.Step, e.Err, strings.ReplaceAll(e.Output, "\n", "\n  "))
}

func (e *EngineError) Unwrap() error { return e.Err }

// Run builds an image and pushes it. The error is an *EngineError where the engine is at fault.
func (e *Engine) Run(ctx context.Context, b Build) error {
	for _, name := range sortedKeys(b.Bases) {
		if err := e.base(ctx, name, b.Bases[name]); err != nil {
			return err
		}
	}
	if err := e.step(ctx, b.Log, e.buildArgs(b)...); err != nil {
		return err
	}
	push := []string{"push"}
	if e.Name != "docker" {
		push = append(push, "--quiet", "--tls-verify=false")
	}
	push = append(push, b.To)
	return e.step(ctx, b.Log, push...)
}

// base brings a base image under its name, unless it is there: names are made of digests.
func (e *Engine) base(ctx context.Context, name, ref string) error {
	if _, err := e.output(ctx, e.images("inspect", name)...); err == nil {
		return nil
	}
	pull := []string{"pull"}
	if e.Name != "docker" {
		pull = append(pull, "--quiet", "--tls-verify=false")
	}
	if err := e.step(ctx, nil, append(pull, ref)...); err != nil {
		return err
	}
	return e.step(ctx, nil, "tag", ref, name)
}

// images is a command about an image: buildah has no group of them.
func (e *Engine) images(verb, name string) []string {
	if e.Name == "buildah" {
		return []string{verb, "--type", "image", name}
	}
	return []string{"image", verb, name}
}

func (e *Engine) buildArgs(b Build) []string {
	args := []string{"build"}
	if e.Name != "docker" {
		args = append(args, "--layers", "--force-rm", "--format", "oci", "--pull-never", fmt.Sprintf("--timestamp=%d", b.Epoch))
		if os.Getenv("BUILDAH_ISOLATION") == "" { // chroot needs no runtime, no cgroups, and works in containers
			args = append(args, "--isolation", "chroot")
		}
	}
	if b.Fresh {
		args = append(args, "--no-cache")
	}
	for _, name := range sortedKeys(b.Args) {
		args = append(args, "--build-arg", name+"="+b.Args[name])
	}
	return append(args, "--tag", b.To, "--file", b.File, b.Context)
}

// step runs the engine for its effect.
func (e *Engine) step(ctx context.Context, log io.Writer, args ...string) error {
	var out bytes.Buffer
	cmd := e.command(ctx, args...)
	cmd.Stdout = &out
	if log != nil {
		cmd.Stdout = io.MultiWriter(&out, log)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return &EngineError{Engine: e.Name, Step: args[0], Output: tail(out.String()), Err: err}
	}
	return nil
}

func (e *Engine) output(ctx context.Context, args ...string) (string, error) {
	var out, said bytes.Buffer
	cmd := e.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		line := tail(said.String())
		return "", fmt.Errorf("%w: %s", err, line[strings.LastIndexByte(line, '\n')+1:])
	}
	return out.String(), nil
}

// command makes a process group of its own, which ends with ctx.
func (e *Engine) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, e.Path, args...)
	cmd.Env = e.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// tail is the end of an engine's output: what a person needs to see why it failed.
func tail(text string) string {
	const most = 20
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
