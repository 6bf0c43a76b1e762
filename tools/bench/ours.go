package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/registry"
)

// service is a configuration of Slipway's, and where it keeps things: folders below work.
type service struct {
	*bench
	config, cache, state string
}

// slipway runs a command of the service and gives what it said.
func (s service) slipway(ctx context.Context, args ...string) (string, error) {
	args = append(args, "--quiet", "--config", s.path(s.config), "--cache", s.path(s.cache), "--state", s.path(s.state))
	return s.run(ctx, s.program, args...)
}

// expect runs a command that must say something.
func (s service) expect(ctx context.Context, text string, args ...string) error {
	out, err := s.slipway(ctx, args...)
	if err == nil && !strings.Contains(out, text) {
		err = fmt.Errorf("slipway %s said nothing of %q:\n%s", args[0], text, out)
	}
	return err
}

// release is what the targets are called: the universe is made of Debian 12's packages.
const release = "universe-12"

// environmentYAML is what all configurations have in common.
const environmentYAML = `targets:
  os:
    release: ` + release + `
    arch: x86_64
    python: "3.11"
    repositories: [{file: bench.repo}]
environments:
  bench: {branch: main}
`

// writeBase writes the configuration of an image without projects, which is its own base.
func (s service) writeBase(u *updates, compression string) error {
	return s.write(u, `service: bench
projects: {}
images:
  base:
    packages: [`+quoted(s.universe.names())+`]
    packing: {compression: `+compression+`}
`+environmentYAML)
}

// writeGreeter writes the configuration of the example service's web image on the same base.
func (s service) writeGreeter(registry string) error {
	return s.write(nil, `service: bench
registry: `+registry+`/bench
projects:
  greetlib: {git: ./repos/greetlib}
  greetcore: {git: ./repos/greetcore}
  greetweb: {git: ./repos/greetweb}
images:
  web:
    projects: [greetlib, greetcore, greetweb]
    packages: [`+quoted(s.universe.names())+`]
    files:
      - {from: "greetweb:files/run-web.sh", to: /usr/bin/run-web.sh, mode: "0755"}
      - {from: "greetweb:files/greeter.yaml", to: /etc/greeter/greeter.yaml, mode: "0644"}
    env: {PYTHONUNBUFFERED: "1"}
    user: "1001"
    entrypoint: [/usr/bin/run-web.sh]
    ports: [8080]
`+environmentYAML)
}

func (s service) write(u *updates, text string) error {
	if err := os.MkdirAll(s.path(s.config), 0o755); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(s.path(s.config, "bench.repo"), []byte(repositoryFile(s.universe, u)), 0o644),
		os.WriteFile(s.path(s.config, "slipway.yaml"), []byte(text), 0o644),
	)
}

func quoted(names []string) string { return `"` + strings.Join(names, `", "`) + `"` }

// fillCache makes a new cache that has the downloaded packages and nothing else.
func (s service) fillCache(ctx context.Context) error {
	if err := s.clear(s.cache, s.state); err != nil {
		return err
	}
	dir, err := cache.Open(s.path(s.cache))
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, name := range s.universe.names() {
		if err := putPackage(ctx, dir, s.universe.files[name]); err != nil {
			return err
		}
	}
	return nil
}

// putPackage stores a package as Slipway's download does: in the cache under rpm, by its sha256.
func putPackage(ctx context.Context, dir *cache.Dir, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, _, err = dir.Put(ctx, "rpm", hex.EncodeToString(h.Sum(nil)), f)
	return err
}

// forgetLock removes slipway.lock.
func (s service) forgetLock() error { return s.clear(filepath.Join(s.config, "slipway.lock")) }

// serve starts a registry of the kind that slipway embeds, in a folder below work, until the bench ends.
func (b *bench) serve(ctx context.Context, dir string) (address string, err error) {
	r := &registry.Embedded{Root: b.path(dir)}
	if address, err = r.Start(ctx, ""); err != nil {
		return "", err
	}
	b.stop = append(b.stop, r.Close)
	return address, nil
}

// blobBytes is the size of an OCI image layout.
func (b *bench) blobBytes(layout string) (int64, error) {
	var n int64
	err := filepath.WalkDir(b.path(layout, "blobs"), func(_ string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}
