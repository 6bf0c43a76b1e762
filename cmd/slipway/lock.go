package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/release"
)

// lockQuery is what slipway lock is asked.
type lockQuery struct {
	env     string
	options release.LockOptions
	check   bool
	vendor  bool
	export  string
	target  string
}

func (a *app) lockCommand() *cobra.Command {
	var q lockQuery
	cmd := &cobra.Command{
		Use:   "lock [--update [NAME...]]",
		Short: "Resolve what the projects need to RPMs, into slipway.lock",
		Long: `Lock resolves the needs of an environment's images to exact RPMs and writes slipway.lock beside
slipway.yaml: name, version, repository, checksum and reason of each, and the image layer it goes
into. Every package that the old lock has and that can stay, stays; --update takes the newest, with
NAMEs of packages the newest of those, and of others only what they then need. (A package that is
called as a command below is named after two dashes: lock --update -- tree.)

--refresh takes the newest of every package that the lock has, and changes nothing else. --update chooses
anew, as if there were no lock: also between packages that provide the same thing, and without what the
repositories have dropped.

--vendor also keeps the packages of the lock in the archive that slipway.yaml names, a folder or a
registry. There a build finds them when their repository has dropped them, and the next lock can
keep them.

--check changes nothing: it ends with status 1 when the lock was not made for what is needed now, or
when a package of it cannot be fetched any more. Nothing is downloaded for that; with --offline it is
the cache that must have the packages.

--export writes slipway.lock as it is in the format of Konflux's rpm-lockfile-prototype, for builders
that fetch RPMs beforehand. It has the packages of all images and of the wheel builds, neither source
packages nor metadata of modules.`,
		Args: func(cmd *cobra.Command, args []string) error {
			q.options.Only = args
			return q.validate(cmd)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(s *session) error {
				switch {
				case q.export != "":
					return a.exportLock(cmd.Context(), s, q)
				case q.check:
					return a.checkLock(cmd.Context(), s, q)
				}
				return a.lock(cmd.Context(), s, q)
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&q.env, "env", "e", "", "environment whose branch is locked (needed where there are several)")
	f.BoolVar(&q.options.Update, "update", false, "take the newest of every package, or of the named ones")
	f.BoolVar(&q.options.Refresh, "refresh", false, "take the newest of what the lock has, and change nothing else")
	f.BoolVar(&q.vendor, "vendor", false, "keep the packages of the lock in the archive")
	f.BoolVar(&q.check, "check", false, "only say whether the lock is up to date and its packages are still to be had")
	f.StringVar(&q.export, "export", "", "write slipway.lock to this file as rpms.lock.yaml (- is stdout)")
	f.StringVar(&q.target, "target", "", "with --export: this target alone (needed where several have one architecture)")
	cmd.AddCommand(a.lockDiffCommand(), a.lockWhyCommand(), a.lockTreeCommand())
	return cmd
}

// validate looks for flags that do not go together.
func (q lockQuery) validate(cmd *cobra.Command) error {
	if len(q.options.Only) > 0 && !q.options.Update {
		return usageError{fmt.Errorf("there is no lock command %q; packages are named with --update", q.options.Only[0])}
	}
	if q.target != "" && q.export == "" {
		return usageError{errors.New("--target goes with --export")}
	}
	var modes []string
	for _, name := range []string{"update", "refresh", "check", "export"} {
		if cmd.Flags().Changed(name) {
			modes = append(modes, "--"+name)
		}
	}
	if len(modes) > 1 {
		return usageError{fmt.Errorf("%s exclude each other", strings.Join(modes, " and "))}
	}
	if q.vendor && (q.check || q.export != "") {
		return usageError{errors.New("--vendor goes neither with --check nor with --export")}
	}
	return nil
}

// needs goes from an environment to what its images need.
func (a *app) needs(ctx context.Context, s *session, env string) (*release.Needs, error) {
	name, err := environment(s.Config, env)
	if err != nil {
		return nil, err
	}
	c, err := s.Candidate(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.warnedNeeds(ctx, c)
}

// warnedNeeds reads what a candidate needs, and says on stderr what the files leave open.
func (s *session) warnedNeeds(ctx context.Context, c *release.Candidate) (*release.Needs, error) {
	n, err := s.Needs(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, line := range needWarnings(n) {
		fmt.Fprintln(s.screen, "warning: "+printable(line))
	}
	return n, nil
}

func (a *app) lock(ctx context.Context, s *session, q lockQuery) error {
	began := time.Now()
	n, err := a.needs(ctx, s, q.env)
	if err != nil {
		return err
	}
	l, old, err := s.UpdateLock(ctx, n, q.options)
	if err != nil {
		return err
	}
	var kept []release.Vendored
	if q.vendor {
		if kept, err = s.Vendor(ctx, l); err != nil {
			return err
		}
	}
	return a.printLocked(old, l, kept, s.LockPath(), time.Since(began))
}

// vendored is what the archive was given of a target.
type vendored struct {
	Target    string `json:"target"`
	Reference string `json:"reference"`
	Packages  int    `json:"packages"`
	New       int    `json:"new"`
	Size      int64  `json:"size"` // of the new ones
}

func (a *app) printLocked(old, l *lock.Lock, kept []release.Vendored, path string, took time.Duration) error {
	if old == nil {
		old = &lock.Lock{}
	}
	changes := lock.Diff(old, l)
	type target struct {
		Name     string `json:"name"`
		Packages int    `json:"packages"`
		Size     int64  `json:"size"`
	}
	result := struct {
		Path     string     `json:"path"`
		Targets  []target   `json:"targets"`
		Changes  []string   `json:"changes"`
		Vendored []vendored `json:"vendored,omitempty"`
	}{Path: path}
	for _, v := range kept {
		result.Vendored = append(result.Vendored, vendored{v.Target, v.Reference, v.Total, v.Packages, v.Bytes})
	}
	for _, t := range l.Targets {
		r := target{Name: t.Name, Packages: len(t.Packages)}
		for _, p := range t.Packages {
			r.Size += p.Size
		}
		result.Targets = append(result.Targets, r)
	}
	for _, c := range changes {
		result.Changes = append(result.Changes, c.String())
	}
	return a.print(result, func(w io.Writer) {
		for _, t := range result.Targets {
			fmt.Fprintf(w, "%s: %d packages, %s\n", t.Name, t.Packages, size(t.Size))
		}
		switch {
		case len(changes) == 0:
			fmt.Fprintf(w, "%s is up to date (%s)\n", path, duration(took))
		case len(old.Targets) == 0:
			fmt.Fprintf(w, "wrote %s in %s\n", path, duration(took))
		default:
			fmt.Fprintf(w, "wrote %s in %s:\n", path, duration(took))
			for _, c := range result.Changes {
				fmt.Fprintln(w, "  "+c)
			}
		}
		for _, v := range result.Vendored {
			fmt.Fprintf(w, "%s: the archive has all %d packages, %d of them new (%s): %s\n", v.Target, v.Packages, v.New, size(v.Size), v.Reference)
		}
	})
}
