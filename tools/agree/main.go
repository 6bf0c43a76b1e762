// Agree puts random requests to dnf and to Slipway, and prints how far the answers agree.
//
//	go run ./tools/agree --repo NAME=URL... [--seed N] [--solvable N] [--unsolvable N]
//
// The requests are drawn from what the repositories hold: sets of 1 to 40 names that dnf installs
// alone, things that are provided, paths, packages with rich dependencies, names with versions and
// architectures, patterns; and for those that cannot be met, packages that conflict, names that
// nothing has, versions that are not there, and what dnf cannot install alone. It goes on until dnf
// has said yes and no often enough. Both sides resolve into an empty root, with best=1 and
// install_weak_deps=0 unless --weak is given.
//
// Every answer of ours is verified by package check, which shares nothing with the solver, and dnf's
// too wherever it is another one. Every difference is printed with what is known about it. The exit
// status is 1 when a verdict differs, when an answer of ours is not valid, or when less than --same
// of the answers are the same set of packages.
//
// It needs dnf 4 with its Python modules (Debian: python3-dnf).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/resolve/dnf"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "agree:", err)
		stop()
		os.Exit(1)
	}
}

// options are the command line's.
type options struct {
	repos                []rpmrepo.Config
	arch                 string
	seed                 uint64
	solvable, unsolvable int
	same                 float64
	weak, multilib       bool
	modules              bool
	platform             string
	explain              bool
	cache                string
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := options{}
	flags := flag.NewFlagSet("agree", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Func("repo", "repository as `NAME=URL` or NAME=FOLDER; may be repeated", o.addRepo)
	flags.StringVar(&o.arch, "arch", "x86_64", "architecture")
	flags.Uint64Var(&o.seed, "seed", 1, "the same seed draws the same requests from the same repositories")
	flags.IntVar(&o.solvable, "solvable", 800, "how many requests that dnf can meet there are to be at least")
	flags.IntVar(&o.unsolvable, "unsolvable", 250, "how many that it cannot")
	flags.Float64Var(&o.same, "same", 0.99, "share of the solvable requests that must have the same answer")
	flags.BoolVar(&o.weak, "weak", false, "with weak dependencies, on both sides")
	flags.BoolVar(&o.multilib, "multilib", false, "let dnf see packages for i686, too")
	flags.BoolVar(&o.modules, "modules", false, "take account of modules; else all of their packages are seen")
	flags.StringVar(&o.platform, "platform", "", "what modules are for, such as el9")
	flags.BoolVar(&o.explain, "explain", false, "print why requests cannot be met")
	flags.StringVar(&o.cache, "cache", filepath.Join(os.TempDir(), "slipway-agree"), "`folder` for metadata")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if len(o.repos) == 0 || flags.NArg() > 0 {
		return errors.New("name the repositories, each as --repo NAME=URL, and nothing else")
	}
	version, err := dnf.Version(ctx)
	if err != nil {
		return err
	}
	peers, err := openPeers(ctx, o)
	if err != nil {
		return err
	}
	defer peers.close()
	r := &report{options: o, progress: stderr, dnf: version, packages: peers.packages(), byKind: map[string]*tally{}}
	if err := r.collect(ctx, peers); err != nil {
		return err
	}
	if err := r.write(stdout); err != nil {
		return err
	}
	return r.verdict()
}

func (o *options) addRepo(text string) error {
	name, place, ok := strings.Cut(text, "=")
	if !ok || name == "" || place == "" {
		return errors.New("write it as NAME=URL")
	}
	if slices.ContainsFunc(o.repos, func(c rpmrepo.Config) bool { return c.ID == name }) {
		return errors.New("two repositories have this name")
	}
	if !strings.Contains(place, "://") {
		abs, err := filepath.Abs(place)
		if err != nil {
			return err
		}
		place = "file://" + abs
	}
	c := rpmrepo.DefaultConfig(name, place)
	c.GPGCheck = false
	o.repos = append(o.repos, c)
	return nil
}

// openPeers loads the repositories for us; dnf loads them itself.
func openPeers(ctx context.Context, o options) (*peers, error) {
	dir, err := cache.Open(o.cache)
	if err != nil {
		return nil, err
	}
	dnfDir, err := os.MkdirTemp("", "slipway-agree-")
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	p := &peers{options: o, cache: dir, dnfDir: dnfDir}
	client := &rpmrepo.Client{Cache: dir}
	for _, c := range o.repos {
		repo, err := client.Load(ctx, c)
		if err != nil {
			p.close()
			return nil, err
		}
		p.repos = append(p.repos, repo)
	}
	if o.modules {
		p.repos, _, err = resolve.Modular(ctx, p.repos, resolve.Modules{Platform: o.platform, Arch: o.arch})
		if err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}
