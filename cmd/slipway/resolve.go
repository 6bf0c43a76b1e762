package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// resolveQuery is what slipway resolve is asked.
type resolveQuery struct {
	repos    []string // NAME=URL
	arch     string
	release  string
	modules  []string
	weak     bool
	empty    bool
	requests []string
}

func (a *app) resolveCommand() *cobra.Command {
	var q resolveQuery
	cmd := &cobra.Command{
		Use:   "resolve --repo NAME=URL... REQUEST...",
		Short: "Which packages some repositories give for some requests",
		Long: `Resolve prints the packages that dnf would install for the requests into an empty root, one a line, as
name-[epoch:]version-release.arch, sorted. It is a tool for experiments: it needs no slipway.yaml and
changes nothing. When the requests cannot be met it says why on stderr and ends with status 1.

A request is read as dnf reads an argument: as the name of a package, with or without architecture,
version and release; else as what a package provides ("python3dist(flask) >= 2"), else as a path. It may
be a pattern with *, ? and []: of every name that fits, a package is installed; of paths that fit, one
of the packages. A rich dependency such as "(a or b)" is a request, too; a group (@name) is not.
The root is always an empty one; nothing of this machine is looked at.
Modules hide packages as they do for dnf: those of streams that are neither enabled with --module nor
the default are not seen, and those of the others stand before packages of the same name.
No package is downloaded, so no signature is checked; metadata is, by its checksums.`,
		Example: `  slipway resolve --repo base=https://example.org/os --repo extra=/srv/rpms bash "python3dist(flask) >= 2"
  slipway resolve --repo base=/srv/rpms "python3-flask*" bash-5.2.15 /usr/bin/git
  slipway resolve --release fedora-43 --repo base=https://example.org/os --repo copr:packit/packit-main packit`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("there is no request: name a package, or anything else that can be required")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			q.requests = args
			return a.resolve(cmd.Context(), q)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&q.repos, "repo", nil, "repository as NAME=URL, NAME=FOLDER or [NAME=]copr:OWNER/PROJECT; may be repeated, and is needed once at least")
	f.StringVar(&q.arch, "arch", "x86_64", "architecture to resolve for; packages of no other are seen but noarch")
	f.StringVar(&q.release, "release", "", "OS release, such as fedora-43: what Copr projects build for, and modules require")
	f.StringArrayVar(&q.modules, "module", nil, "stream of a module to enable, as MODULE:STREAM; may be repeated")
	f.BoolVar(&q.weak, "weak", false, "also what is recommended, as dnf does by default")
	f.BoolVar(&q.empty, "installroot-empty", true, "resolve into an empty root, as dnf --installroot does with one; there is no other way")
	return cmd
}

func (a *app) resolve(ctx context.Context, q resolveQuery) (err error) {
	debug.SetGCPercent(400) // it is over in a moment: nearly all that it makes it needs to the end
	problem, confs, err := q.problem()
	if err != nil {
		return err
	}
	dir, err := cache.Open(a.cacheDir)
	if err != nil {
		return fmt.Errorf("%w (--cache names another folder)", err)
	}
	screen := newScreen(a.err, a.quiet)
	defer func() { err = errors.Join(err, screen.Close(), dir.Close()) }()
	client := &rpmrepo.Client{Cache: dir, Progress: screen, Log: a.logger(screen), Offline: a.offline, Version: version}
	problem.Repositories = make([]*rpmrepo.Repository, len(confs))
	g, loading := errgroup.WithContext(ctx)
	for i, conf := range confs {
		g.Go(func() (err error) {
			problem.Repositories[i], err = client.Load(loading, conf)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	problem.Repositories, _, err = resolve.Modular(ctx, problem.Repositories, resolve.Modules{
		Enabled: q.modules, Platform: resolve.PlatformOf(q.release), Arch: q.arch,
	})
	if unfit, ok := errors.AsType[*resolve.ModuleError](err); ok && unfit.Cause != nil && q.release == "" {
		return fmt.Errorf("%w\n(--release says which release it is, which streams may require)", err)
	} else if err != nil {
		return err
	}
	solution, err := resolve.Resolve(ctx, problem)
	if err != nil {
		return err
	}
	return a.printResolved(solution)
}

// problem reads the command line; the repositories are yet to be loaded.
func (q resolveQuery) problem() (resolve.Problem, []rpmrepo.Config, error) {
	p := resolve.Problem{Arch: q.arch, Weak: q.weak}
	var confs []rpmrepo.Config
	if !q.empty {
		return p, nil, usageError{errors.New("--installroot-empty=false: only an empty root can be resolved for")}
	}
	if len(q.repos) == 0 {
		return p, nil, usageError{errors.New("--repo is missing: name a repository as NAME=URL")}
	}
	for _, r := range q.repos {
		conf, err := q.repository(r)
		if err != nil {
			return p, nil, err
		}
		if slices.ContainsFunc(confs, func(c rpmrepo.Config) bool { return c.ID == conf.ID }) {
			return p, nil, usageError{fmt.Errorf("--repo: two repositories are called %s", conf.ID)}
		}
		conf.GPGCheck = false
		confs = append(confs, conf)
	}
	for _, text := range q.requests {
		d, err := rpm.ParseDependency(text)
		if err != nil {
			return p, nil, usageError{fmt.Errorf("request %q: %w", text, err)}
		}
		p.Requests = append(p.Requests, resolve.Request{Dependency: d})
	}
	return p, confs, nil
}

// repository reads one --repo.
func (q resolveQuery) repository(text string) (rpmrepo.Config, error) {
	name, place, ok := strings.Cut(text, "=")
	if !ok && strings.HasPrefix(text, coprPrefix) {
		name, place, ok = "", text, true
	} else if name == "" || place == "" {
		ok = false
	}
	if !ok {
		return rpmrepo.Config{}, usageError{fmt.Errorf("--repo %s: write it as NAME=URL or copr:OWNER/PROJECT", text)}
	}
	if project, ok := strings.CutPrefix(place, coprPrefix); ok {
		if q.release == "" {
			return rpmrepo.Config{}, usageError{fmt.Errorf("--repo %s: --release is missing, such as fedora-43: Copr builds a project for several", text)}
		}
		conf, err := rpmrepo.Copr(project, rpmrepo.CoprChroot(q.release, q.arch))
		if err != nil {
			return conf, usageError{fmt.Errorf("--repo %s: %w", text, err)}
		}
		if name != "" {
			conf.ID = name
		}
		return conf, nil
	}
	if !strings.Contains(place, "://") {
		abs, err := filepath.Abs(place)
		if err != nil {
			return rpmrepo.Config{}, fmt.Errorf("finding repository %s: %w", name, err)
		}
		place = abs
	}
	return rpmrepo.DefaultConfig(name, place), nil
}

const coprPrefix = "copr:"

func (a *app) printResolved(s *resolve.Solution) error {
	type chosen struct {
		NEVRA      string `json:"nevra"`
		Repository string `json:"repository"`
	}
	result := struct {
		Packages []chosen `json:"packages"`
	}{Packages: make([]chosen, 0, len(s.Packages))}
	for _, c := range s.Packages {
		result.Packages = append(result.Packages, chosen{c.Package.NEVRA.String(), c.Repository.Config.ID})
	}
	// By their bytes, as sort does in the C locale: what reads the lines need not know versions.
	slices.SortFunc(result.Packages, func(a, b chosen) int { return strings.Compare(a.NEVRA, b.NEVRA) })
	return a.print(result, func(w io.Writer) {
		for _, p := range result.Packages {
			fmt.Fprintln(w, p.NEVRA)
		}
	})
}
