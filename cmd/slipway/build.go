package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/release"
)

func (a *app) buildCommand() *cobra.Command {
	var env string
	var o buildOptions
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build the images of an environment",
		Long: `Build takes every project at the environment's branch and builds what is not built yet: base images
of the locked RPMs, wheels of the projects, final images. They are pushed, and recorded as a
snapshot, which is what deploy runs.

A base is not built again while its lock is the same, a wheel not while its project is, and nothing
at all when nothing has changed. When the projects need something that slipway.lock does not have,
the lock is extended; --locked refuses that.

strategy in slipway.yaml has images built otherwise than natively: by a Containerfile, with buildah,
podman or docker. What such a build installed is checked against the lock and the commits before it is
pushed. slipway doctor says which of these programs can be used here.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(s *session) error {
				name, err := environment(s.Config, env)
				if err != nil {
					return err
				}
				if a.verbose {
					o.EngineLog = s.screen
				}
				began := time.Now()
				b, err := a.build(cmd.Context(), s, name, o)
				if err != nil {
					return err
				}
				return a.printBuilt(b, time.Since(began))
			})
		},
	}
	cmd.Flags().StringVarP(&env, "env", "e", "", "environment whose branch is built (needed where there are several)")
	o.add(cmd)
	cmd.Flags().StringVarP(&o.Layout, "layout", "o", "", "write the images to this folder, too, as an OCI image layout")
	cmd.Flags().StringVar(&o.Archives, "archives", "", "write each image to IMAGE.tar in this folder, too, for podman load and docker load")
	cmd.Flags().BoolVar(&o.Fresh, "fresh", false, "have other builders than Slipway's own take nothing from their caches")
	cmd.Flags().BoolVar(&o.NoPush, "no-push", false, "push nothing and record nothing")
	return cmd
}

// buildOptions are those of every command that builds.
type buildOptions struct {
	release.BuildOptions
	locked bool
}

func (o *buildOptions) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.RunBackends, "run-backends", false, "build every wheel with the project's own backend, even where it can be written without (--verbose says which)")
	cmd.Flags().BoolVar(&o.locked, "locked", false, "fail where slipway.lock does not have what is needed, instead of extending it")
}

// build goes all the way from commits to a snapshot.
func (a *app) build(ctx context.Context, s *session, env string, o buildOptions) (*release.Built, error) {
	c, err := s.Candidate(ctx, env)
	if err != nil {
		return nil, err
	}
	n, err := s.warnedNeeds(ctx, c)
	if err != nil {
		return nil, err
	}
	l, err := a.ensureLock(ctx, s, n, o.locked)
	if err != nil {
		return nil, err
	}
	return s.Build(ctx, c, n, l, o.BuildOptions)
}

// ensureLock reads slipway.lock and extends it where it lacks something.
func (a *app) ensureLock(ctx context.Context, s *session, n *release.Needs, locked bool) (*lock.Lock, error) {
	if !locked {
		l, _, err := s.UpdateLock(ctx, n, release.LockOptions{})
		return l, err
	}
	l, err := s.ReadLock()
	if err == nil && (l == nil || !s.Locked(n, l)) {
		err = errors.New("slipway.lock does not have what the projects need now: run slipway lock (--locked forbids to do it here)")
	}
	return l, err
}

func (a *app) printBuilt(b *release.Built, took time.Duration) error {
	return a.print(b.Snapshot, func(w io.Writer) {
		verb := "built"
		if b.Known {
			verb = "nothing to build: it is"
		}
		fmt.Fprintf(w, "%s snapshot %s of %s in %s\n\n", verb, b.Snapshot.Alias, b.Snapshot.Service, duration(took))
		rows := [][]string{{"IMAGE", "DIGEST", "BASE", "SIZE", "LAYERS"}}
		for _, img := range b.Snapshot.Images {
			rows = append(rows, []string{img.Name, img.Digest, shortDigest(img.Base), size(img.Size), fmt.Sprint(img.Layers)})
		}
		table(w, rows)
		fmt.Fprintln(w)
		rows = [][]string{{"PROJECT", "BRANCH", "COMMIT", "SUBJECT"}}
		for _, p := range b.Snapshot.Projects {
			rows = append(rows, []string{p.Name, p.Branch, shortCommit(p.Commit), p.Subject})
		}
		table(w, rows)
	})
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no arguments, but there is %q", cmd.Name(), args[0])}
	}
	return nil
}
