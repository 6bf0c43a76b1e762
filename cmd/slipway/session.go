package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/attest"
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
	log := a.logger(s.screen)
	builder := &image.Builder{Cache: dir, Progress: s.screen, Log: log}
	reg, err := a.registry(ctx, s, conf, log)
	if err != nil {
		return nil, err
	}
	blobs := &registry.Blobs{Options: reg.Options}
	s.Pipeline = &release.Pipeline{
		Config: conf, Cache: dir, Images: builder, Registry: reg, Records: records,
		Sources:      source.Open(filepath.Join(dir.Root(), "mirrors")),
		Repositories: &rpmrepo.Client{Cache: dir, Progress: s.screen, Log: log, Offline: a.offline, Blobs: blobs, Version: version},
		Exchange:     filepath.Join(a.stateDir, "exchange"),
		Blobs:        blobs, Version: programVersion(), Now: time.Now, Progress: s.screen, Log: log,
	}
	s.Key = func() (*attest.Key, error) { return signingKey(conf) }
	s.Target = a.target(s.Pipeline, log)
	return s, nil
}

// passphraseVariable is where cosign, too, looks for a key's passphrase.
const passphraseVariable = "COSIGN_PASSWORD"

// signingKey reads the key that the configuration names.
func signingKey(conf *config.Config) (*attest.Key, error) {
	path := conf.Rel(conf.Signing.Key)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the signing key: %w", err)
	}
	key, err := attest.ParseKey(data, []byte(os.Getenv(passphraseVariable)))
	if errors.Is(err, attest.ErrPassphrase) {
		return nil, fmt.Errorf("%s: %w: set %s", path, err, passphraseVariable)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// registry is the configured one, or the embedded one, served for as long as the command runs.
func (a *app) registry(ctx context.Context, s *session, conf *config.Config, log *slog.Logger) (release.Registry, error) {
	o := registry.Options{Progress: s.screen, Log: log}
	if conf.Registry != "" {
		return release.Registry{Address: conf.Registry, Options: o}, nil
	}
	e := &registry.Embedded{Root: a.registryDir(), Log: log}
	addr, err := e.Start(context.WithoutCancel(ctx), "")
	if err != nil {
		return release.Registry{}, err
	}
	s.closers = append(s.closers, e.Close)
	return release.Registry{Address: addr + "/" + conf.Service, Options: o, Embedded: true}, nil
}

// target runs environments on this machine. Only deploying needs images.
func (a *app) target(images local.Images, log *slog.Logger) *local.Target {
	return &local.Target{State: filepath.Join(a.stateDir, "local"), Images: images, Log: log}
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
func environment(conf *config.Config, asked string) (string, error) {
	if asked != "" {
		return asked, nil
	}
	names := slices.Sorted(maps.Keys(conf.Environments))
	switch len(names) {
	case 0:
		return "", fmt.Errorf("%s has no environments: name one there, with its branch", config.FileName)
	case 1:
		return names[0], nil
	default:
		return "", usageError{fmt.Errorf("--env is missing: there are %s", strings.Join(names, ", "))}
	}
}

// running is what logs and down need: they work when neither the cache nor the records can be opened,
// as on a full disk.
type running struct {
	target      *local.Target
	service     string
	environment string
}

// running finds the environment asked for, which slipway.yaml may no longer have as long as
// something runs in it.
func (a *app) running(ctx context.Context, asked string) (*running, error) {
	conf, err := config.Load(a.configPath)
	if err != nil {
		return nil, err
	}
	r := &running{target: a.target(nil, a.logger(a.err)), service: conf.Service}
	if r.environment, err = environment(conf, asked); err != nil {
		return nil, err
	}
	if _, ok := conf.Environments[r.environment]; ok {
		return r, nil
	}
	status, err := r.target.Status(ctx, r.service, r.environment)
	if err == nil && !status.Running && status.Snapshot == "" {
		err = fmt.Errorf("there is no environment %q, and nothing runs in one: there are %s", r.environment, strings.Join(slices.Sorted(maps.Keys(conf.Environments)), ", "))
	}
	return r, err
}
