package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// demo is one run.
type demo struct {
	dir     string // holds cache/, state/, service/
	slipway string
	root    string // of Slipway's own checkout
	address string // where staging answers
	steps   []step
}

// step is a line of the table at the end.
type step struct {
	name string
	took time.Duration
	size string
}

func newDemo(dir, slipway string) (*demo, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(root, "examples", "greeter")); err != nil {
		return nil, errors.New("run it at the top of Slipway's checkout: make demo")
	}
	if slipway, err = filepath.Abs(slipway); err != nil {
		return nil, err
	}
	return &demo{dir: dir, slipway: slipway, root: root}, nil
}

func (d *demo) service() string { return filepath.Join(d.dir, "service") }

// play is the whole story.
func (d *demo) play(ctx context.Context) error {
	if err := preflight(); err != nil {
		return err
	}
	if err := d.clear(ctx); err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{d.prepare, d.first, d.fix, d.broken} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	d.conclude()
	return nil
}

// preflight names what is missing before anything is begun.
func preflight() error {
	for _, tool := range []string{"go", "git", "apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is missing: the demo makes its RPMs of Debian packages, so it runs on Debian (or a relative) with Go and git", tool)
		}
	}
	lists, err := filepath.Glob("/var/lib/apt/lists/*_Packages*")
	if err == nil && len(lists) > 0 {
		return nil
	}
	args := []string{"apt-get", "update", "-qq"}
	if os.Getuid() != 0 {
		args = append([]string{"sudo"}, args...)
	}
	fmt.Println("no package lists on this machine yet:", strings.Join(args, " "))
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // short, and harmless when it goes on
	cmd.Stdout, cmd.Stderr, cmd.Stdin = os.Stdout, os.Stderr, os.Stdin
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("fetching package lists: %w (run apt-get update as root)", err)
	}
	return nil
}

// clear takes the last run's service away. Caches stay: they are never wrong.
func (d *demo) clear(ctx context.Context) error {
	if err := d.down(ctx); err != nil {
		return err
	}
	for _, sub := range []string{"service", "state"} {
		if err := os.RemoveAll(filepath.Join(d.dir, sub)); err != nil {
			return fmt.Errorf("clearing the last run: %w", err)
		}
	}
	return os.MkdirAll(d.dir, 0o755)
}

// down stops what a run started.
func (d *demo) down(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(d.service(), "slipway.yaml")); errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever started
	}
	for _, env := range []string{"stg", "prod"} {
		if out, err := d.command(ctx, "down", "--env", env).CombinedOutput(); err != nil {
			return fmt.Errorf("stopping %s: %w\n%s", env, err, out)
		}
	}
	return nil
}

func (d *demo) prepare(ctx context.Context) error {
	var universe string
	err := d.step("RPM universe, made of Debian packages", func() (string, error) {
		cmd := exec.CommandContext(ctx, "go", "run", "./tools/universe", "--size", "small", "--cache", filepath.Join(d.dir, "universe"))
		cmd.Dir, cmd.Stderr = d.root, os.Stderr
		out, err := cmd.Output()
		universe = strings.TrimSpace(string(out))
		if err != nil {
			return "", err
		}
		return folderSize(universe), nil
	})
	if err != nil {
		return err
	}
	return d.step("example: three projects, two branches", func() (string, error) {
		if err := d.show(exec.CommandContext(ctx, filepath.Join(d.root, "examples/greeter/make-repos"), d.service(), universe)); err != nil {
			return "", err
		}
		return "", d.freePorts(ctx)
	})
}

// freePorts moves the environments to ports that nobody uses, where theirs are taken.
func (d *demo) freePorts(ctx context.Context) error {
	path := filepath.Join(d.service(), "slipway.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d.address = "127.0.0.1:8080"
	var listen net.ListenConfig
	for _, address := range []string{"127.0.0.1:8080", "127.0.0.1:8081"} {
		l, err := listen.Listen(ctx, "tcp", address)
		if err != nil {
			if l, err = listen.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
				return err
			}
			text = bytes.ReplaceAll(text, []byte(address), []byte(l.Addr().String()))
			if address == d.address {
				d.address = l.Addr().String()
			}
		}
		l.Close()
	}
	return os.WriteFile(path, text, 0o644)
}

// first is from commits to the first answer.
func (d *demo) first(ctx context.Context) error {
	for _, s := range []struct {
		name string
		args []string
	}{
		{"slipway deps: what the projects need, and who says so", []string{"deps", "--env", "stg"}},
		{"slipway lock: resolved to RPMs", []string{"lock", "--env", "stg"}},
		{"slipway build: base and final images, pushed", []string{"build", "--env", "stg"}},
		{"slipway deploy: running and healthy", []string{"deploy", "--env", "stg"}},
	} {
		err := d.step(s.name, func() (string, error) {
			if err := d.show(d.command(ctx, s.args...)); err != nil {
				return "", err
			}
			return d.sizeOf(ctx, s.args[0])
		})
		if err != nil {
			return err
		}
	}
	return d.expect(ctx, "Helo")
}

// fix is a one-line fix of the library, from its commit to the new answer.
func (d *demo) fix(ctx context.Context) error {
	err := d.step("a typo's fix: from its commit to the pod", func() (string, error) {
		if err := d.change(ctx, "fix-the-typo"); err != nil {
			return "", err
		}
		return "", d.show(d.command(ctx, "deploy", "--env", "stg", "--reason", "fix the typo"))
	})
	if err != nil {
		return err
	}
	return d.expect(ctx, "Hello")
}

// broken is a commit that must not reach anybody.
func (d *demo) broken(ctx context.Context) error {
	err := d.step("a broken commit: refused by its health check", func() (string, error) {
		if err := d.change(ctx, "break-the-greeting"); err != nil {
			return "", err
		}
		said, err := d.output(d.command(ctx, "deploy", "--env", "stg"))
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !strings.Contains(said, "goes on running") {
			return "", fmt.Errorf("the broken commit was not refused by its health check (%w)", err)
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	return d.expect(ctx, "Hello")
}

func (d *demo) change(ctx context.Context, name string) error {
	return d.show(exec.CommandContext(ctx, filepath.Join(d.root, "examples/greeter/change"), d.service(), name))
}

// expect asks the service and holds its answer against what it must contain.
func (d *demo) expect(ctx context.Context, want string) error {
	url := "http://" + d.address + "/"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		return fmt.Errorf("asking the service: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return fmt.Errorf("asking the service: %w", err)
	}
	answer := strings.TrimSpace(string(body))
	fmt.Printf("  $ curl %s\n  %s\n", url, answer)
	if resp.StatusCode != http.StatusOK || !strings.Contains(answer, want) {
		return fmt.Errorf("the service answered %s %q, not %q", resp.Status, answer, want)
	}
	return nil
}

func (d *demo) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append(args, "--config", d.service(), "--cache", filepath.Join(d.dir, "cache"), "--state", filepath.Join(d.dir, "state"))
	return exec.CommandContext(ctx, d.slipway, args...)
}

// show runs a command with its output indented. On a terminal its progress bars are seen.
func (d *demo) show(cmd *exec.Cmd) error {
	if f, err := os.Stderr.Stat(); err == nil && f.Mode()&os.ModeCharDevice != 0 {
		cmd.Stderr = os.Stderr
	}
	_, err := d.output(cmd)
	return err
}

// output runs a command and gives what it printed, after showing it.
func (d *demo) output(cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout = &out
	if cmd.Stderr == nil {
		cmd.Stderr = &out
	}
	err := cmd.Run()
	if text := strings.TrimRight(out.String(), "\n"); text != "" {
		fmt.Println("  " + strings.ReplaceAll(text, "\n", "\n  "))
	}
	return out.String(), err
}

// step runs a part of the story, prints its name and time, and keeps them for the table.
func (d *demo) step(name string, run func() (size string, err error)) error {
	fmt.Printf("\n== %s\n", name)
	began := time.Now()
	size, err := run()
	took := time.Since(began)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Printf("  -- %s\n", span(took))
	d.steps = append(d.steps, step{name, took, size})
	return nil
}

// sizeOf tells how much a step made: bytes of RPMs, of images.
func (d *demo) sizeOf(ctx context.Context, command string) (string, error) {
	switch command {
	case "lock":
		out, err := d.command(ctx, "lock", "--env", "stg", "--format", "json").Output()
		var v struct {
			Targets []struct{ Packages, Size int64 }
		}
		if err == nil {
			err = json.Unmarshal(out, &v)
		}
		if err != nil || len(v.Targets) == 0 {
			return "", err
		}
		return fmt.Sprintf("%d RPMs, %s", v.Targets[0].Packages, size(v.Targets[0].Size)), nil
	case "build":
		out, err := d.command(ctx, "build", "--env", "stg", "--format", "json").Output()
		var v struct {
			Images []struct {
				Name string
				Size int64
			}
		}
		if err == nil {
			err = json.Unmarshal(out, &v)
		}
		var parts []string
		for _, img := range v.Images {
			parts = append(parts, fmt.Sprintf("%s %s", img.Name, size(img.Size)))
		}
		return strings.Join(parts, ", "), err
	}
	return "", nil
}

func (d *demo) conclude() {
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STEP\tTIME\tSIZE")
	var all time.Duration
	for _, s := range d.steps {
		all += s.took
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.name, span(s.took), s.size)
	}
	fmt.Fprintf(w, "all\t%s\t\n", span(all))
	_ = w.Flush()
	flags := "-c " + d.service() + " --cache " + filepath.Join(d.dir, "cache") + " --state " + filepath.Join(d.dir, "state")
	fmt.Printf(`
Staging still answers: curl http://%s/   (and /version says from which commits)

To try next:
  alias s='bin/slipway %s'
  s status                      what runs, from which commits, since when
  s logs --env stg worker -f    the worker asks the web server by its name
  s deploy --env prod           production: branch stable, on a port of its own
  $EDITOR %s && (cd %s && git commit -am 'my change') && s deploy --env stg

Stop everything: make demo-down
`, d.address, flags, filepath.Join(d.service(), "repos/greetlib/src/greetlib/phrases.yaml"), filepath.Join(d.service(), "repos/greetlib"))
}

func folderSize(dir string) string {
	var n int64
	_ = filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return size(n)
}

func size(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func span(t time.Duration) string { return fmt.Sprintf("%.2f s", t.Seconds()) }
