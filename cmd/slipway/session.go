package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/deploy/local"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/source"
	"github.com/slipway-build/slipway/internal/store"
)

// session is a pipeline and what it stands on, open for one command.
type session struct {
	*release.Pipeline
	screen  *screen
	closers []func() error
}

// open reads the configuration and puts the stages together. The session must be closed.
func (a *app) open(ctx context.Context) (_ *session, err error) {
	conf, err := config.Load(a.configPath)
	if err != nil {
		return nil, err
	}
	s := &session{screen: newScreen(a.err, a.quiet)}
	s.closers = append(s.closers, s.screen.Close)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	dir, err := cache.Open(a.cacheDir)
	if err != nil {
		return nil, fmt.Errorf("%w (--cache names another folder)", err)
	}
	s.closers = append(s.closers, dir.Close)
	records, err := store.Open(ctx, filepath.Join(a.stateDir, "records.db"))
	if err != nil {
		return nil, fmt.Errorf("%w (--state names another folder)", err)
	}
	s.closers = append(s.closers, records.Close)
	log := a.logger()
	builder := &image.Builder{Cache: dir, Progress: s.screen, Log: log}
	reg, err := a.registry(ctx, s, conf)
	if err != nil {
		return nil, err
	}
	s.Pipeline = &release.Pipeline{
		Config: conf, Cache: dir, Images: builder, Registry: reg, Records: records,
		Sources:      source.Open(filepath.Join(dir.Root(), "mirrors")),
		Repositories: &rpmrepo.Client{Cache: dir, Progress: s.screen, Log: log, Offline: a.offline, Version: version},
		Version:      version, Now: time.Now, Progress: s.screen, Log: log,
	}
	s.Target = &local.Target{State: filepath.Join(a.stateDir, "local"), Images: s.Pipeline, Log: log}
	return s, nil
}

// registry is the configured one, or the embedded one, served for as long as the command runs.
func (a *app) registry(ctx context.Context, s *session, conf *config.Config) (release.Registry, error) {
	o := registry.Options{Progress: s.screen, Log: a.logger()}
	if conf.Registry != "" {
		return release.Registry{Address: conf.Registry, Options: o}, nil
	}
	e := &registry.Embedded{Root: a.registryDir(), Log: a.logger()}
	addr, err := e.Start(context.WithoutCancel(ctx), "")
	if err != nil {
		return release.Registry{}, err
	}
	s.closers = append(s.closers, e.Close)
	return release.Registry{Address: addr + "/" + conf.Service, Options: o, Embedded: true}, nil
}

func (a *app) registryDir() string { return filepath.Join(a.stateDir, "registry") }

// Close ends the session, the last opened first.
func (s *session) Close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	return errors.Join(errs...)
}

// with runs a command's work in a session.
func (a *app) with(ctx context.Context, work func(*session) error) (err error) {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return work(s)
}

// environment is the one asked for, or the only one there is.
func environment(s *session, asked string) (string, error) {
	if asked != "" {
		return asked, nil
	}
	names := slices.Sorted(maps.Keys(s.Config.Environments))
	switch len(names) {
	case 0:
		return "", fmt.Errorf("%s has no environments: name one there, with its branch", config.FileName)
	case 1:
		return names[0], nil
	default:
		return "", usageError{fmt.Errorf("--env is missing: there are %s", strings.Join(names, ", "))}
	}
}

// deployed is the environment asked for, which slipway.yaml may no longer have as long as something
// was ever run in it.
func deployed(ctx context.Context, s *session, asked string) (string, error) {
	name, err := environment(s, asked)
	if err != nil {
		return "", err
	}
	if _, ok := s.Config.Environments[name]; ok {
		return name, nil
	}
	ran, err := s.Records.Promotions(ctx, s.Config.Service, name, 1)
	if err == nil && len(ran) == 0 {
		err = fmt.Errorf("there is no environment %q, and nothing was ever run in one: there are %s", name, strings.Join(slices.Sorted(maps.Keys(s.Config.Environments)), ", "))
	}
	return name, err
}
