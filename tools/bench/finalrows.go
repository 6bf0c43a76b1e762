package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// finalContests are what a team waits for after a one-line commit, on a base that is there: the rows of make bench-final.
func (b *bench) finalContests() []contest {
	s := service{b, greeterDir, "base-cache", "greeter-state"}
	p := &finalPeers{bench: b}
	pushed := b.pushedSince("our-registry")
	list := []contest{
		{"one-line commit to pushed image", append([]entrant{
			{
				name: "slipway build", setup: func(ctx context.Context) error { return b.prepareFinal(ctx, s) },
				before: func(ctx context.Context) error { return b.commit(ctx) },
				run:    func(ctx context.Context) error { return s.expect(ctx, "built snapshot", "build") },
				after:  pushed,
			},
			{
				name: "slipway build --run-backends", before: func(ctx context.Context) error { return b.commit(ctx) },
				run:   func(ctx context.Context) error { return s.expect(ctx, "built snapshot", "build", "--run-backends") },
				after: pushed,
			},
		}, p.entrants()...)},
		{"nothing changed", []entrant{
			{name: "slipway build", setup: func(ctx context.Context) error { return s.expect(ctx, "snapshot", "build") },
				run: func(ctx context.Context) error { return s.expect(ctx, "nothing to build", "build") }},
			{name: "buildah bud --layers, push", needs: []string{"buildah"}, root: true, setup: p.layered, run: p.layered},
		}},
		b.coldWorker(p),
	}
	for _, n := range []int{1, 10, 30} {
		list = append(list, b.manyProjects(n))
	}
	return list
}

// prepareFinal makes the base image, and builds and pushes the service once.
func (b *bench) prepareFinal(ctx context.Context, s service) error {
	base := service{b, "base", "base-cache", "base-state"}
	if err := base.writeBase(nil, "gzip"); err != nil {
		return err
	}
	if err := base.fillCache(ctx); err != nil {
		return err
	}
	if err := base.buildTo(ctx, layoutDir); err != nil {
		return err
	}
	return b.startGreeter(ctx, s)
}

// pushedSince gives what a registry's folder has grown by since it was last asked, in bytes.
func (b *bench) pushedSince(dir string) func(context.Context) (int64, error) {
	var last int64
	return func(context.Context) (int64, error) {
		var now int64
		err := filepath.WalkDir(b.path(dir), func(_ string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			info, err := e.Info()
			if err == nil {
				now += info.Size()
			}
			return err
		})
		grown := now - last
		if last == 0 {
			grown = 0
		}
		last = now
		return grown, err
	}
}

// finalPeers build the same image with buildah. The Containerfiles are those of finalImage, and one that does what
// source-to-image makes of a builder image.
type finalPeers struct {
	*bench
	registry string
}

const assembledContainerfile = "FROM " + baseName + `
LABEL io.openshift.s2i.scripts-url=image:///usr/libexec/s2i
COPY assemble /usr/libexec/s2i/assemble
COPY . /tmp/src/
RUN /usr/libexec/s2i/assemble
` + configure + "USER 1001\n"

// assemble is a builder image's script: it installs what is below /tmp/src.
const assemble = `#!/bin/sh -e
cd /tmp/src
PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-index --no-deps --no-build-isolation ./greetlib ./greetcore ./greetweb
rm -rf /tmp/src
`

func (p *finalPeers) start(ctx context.Context, u buildah, file, text string, options ...string) error {
	if err := u.importBase(ctx, layoutDir); err != nil {
		return err
	}
	if err := u.writeContainerfile(file, text); err != nil {
		return err
	}
	if err := os.WriteFile(p.path(greeterDir, "repos", "assemble"), []byte(assemble), 0o755); err != nil {
		return err
	}
	if p.registry == "" {
		var err error
		if p.registry, err = p.serve(ctx, "peers-registry"); err != nil {
			return err
		}
	}
	return u.bud(ctx, file, p.registry, options...)
}

func (p *finalPeers) layered(ctx context.Context) error {
	return buildah{p.bench, "buildah-layers"}.bud(ctx, "Containerfile.layered", p.registry, "--layers")
}

func (p *finalPeers) entrants() []entrant {
	commit := func(ctx context.Context) error { return p.commit(ctx) }
	entry := func(name, storage, file, text string, options ...string) entrant {
		u := buildah{p.bench, storage}
		return entrant{
			name: name, needs: []string{"buildah"}, root: true,
			setup:  func(ctx context.Context) error { return p.start(ctx, u, file, text, options...) },
			before: commit,
			run:    func(ctx context.Context) error { return u.bud(ctx, file, p.registry, options...) },
		}
	}
	return []entrant{
		entry("buildah bud, pip install, push", "buildah-plain", "Containerfile.plain", plainContainerfile),
		entry("buildah bud --layers, changed project last, push", "buildah-layers", "Containerfile.layered", layeredContainerfile, "--layers"),
		entry("source-to-image's assemble in buildah, push", "buildah-s2i", "Containerfile.s2i", assembledContainerfile),
	}
}

// coldWorker is the same on a machine that has nothing but what the registry and the repositories have.
func (b *bench) coldWorker(p *finalPeers) contest {
	cold := service{b, greeterDir, "cold-cache", "cold-state"}
	u := buildah{b, "buildah-cold"}
	return contest{"one-line commit, on a worker with no cache", []entrant{
		{
			name: "slipway build",
			before: func(ctx context.Context) error {
				if err := cold.clear(cold.cache, cold.state); err != nil {
					return err
				}
				return b.commit(ctx)
			},
			run: func(ctx context.Context) error { return cold.expect(ctx, "built snapshot", "build") },
		},
		{
			name: "buildah pull, bud, push", needs: []string{"buildah"}, root: true,
			setup: func(ctx context.Context) error {
				_, err := buildah{b, "buildah-plain"}.buildah(ctx, "push", "--quiet", "--tls-verify=false", baseName, "docker://"+p.registry+"/bench/base:latest")
				return err
			},
			before: func(ctx context.Context) error {
				if err := u.drop(ctx); err != nil {
					return err
				}
				return b.commit(ctx)
			},
			run: func(ctx context.Context) error {
				id, err := u.buildah(ctx, "pull", "--quiet", "--tls-verify=false", "docker://"+p.registry+"/bench/base:latest")
				if err != nil {
					return err
				}
				if _, err := u.buildah(ctx, "tag", id, baseName); err != nil {
					return err
				}
				return u.bud(ctx, "Containerfile.plain", p.registry)
			},
		},
	}}
}

// modulesEach is how many modules each of many projects has.
const modulesEach = 200

// manyProjects is a commit to one of many projects that an image is made of.
func (b *bench) manyProjects(n int) contest {
	s := service{b, fmt.Sprintf("many-%d", n), "base-cache", fmt.Sprintf("many-%d-state", n)}
	change := 0
	return contest{fmt.Sprintf("one-line commit to one of %d projects of %d modules", n, modulesEach), []entrant{{
		name:  "slipway build",
		setup: func(ctx context.Context) error { return b.startMany(ctx, s, n) },
		before: func(ctx context.Context) error {
			change++
			repo := s.path(s.config, "repos", "many0")
			if err := os.WriteFile(filepath.Join(repo, "many0", "m0.py"), fmt.Appendf(nil, "VALUE = %d\n", change), 0o644); err != nil {
				return err
			}
			_, err := b.run(ctx, "git", "-C", repo, "commit", "--quiet", "--all", "--message", "Another value")
			return err
		},
		run:   func(ctx context.Context) error { return s.expect(ctx, "built snapshot", "build") },
		after: b.pushedSince(s.state + "-registry"),
	}}}
}

// startMany makes projects, a service of them, and builds it once.
func (b *bench) startMany(ctx context.Context, s service, n int) error {
	var projects, names strings.Builder
	for i := range n {
		name := fmt.Sprintf("many%d", i)
		repo := s.path(s.config, "repos", name)
		if err := os.MkdirAll(filepath.Join(repo, name), 0o755); err != nil {
			return err
		}
		files := map[string]string{
			"setup.py":            "from setuptools import setup\nsetup()\n",
			"setup.cfg":           "[metadata]\nname = " + name + "\nversion = 1\n[options]\npackages = find:\n",
			name + "/__init__.py": "",
		}
		for m := range modulesEach - 1 {
			files[fmt.Sprintf("%s/m%d.py", name, m)] = strings.Repeat(fmt.Sprintf("VALUE_%d = %d\n", m, i), 40)
		}
		for file, text := range files {
			if err := os.WriteFile(filepath.Join(repo, file), []byte(text), 0o644); err != nil {
				return err
			}
		}
		for _, args := range [][]string{{"init", "--quiet", "--initial-branch=main"}, {"add", "--all"}, {"commit", "--quiet", "--message", "All"}} {
			if _, err := b.run(ctx, "git", append([]string{"-C", repo}, args...)...); err != nil {
				return err
			}
		}
		fmt.Fprintf(&projects, "  %s: {git: ./repos/%s}\n", name, name)
		fmt.Fprintf(&names, "%s, ", name)
	}
	address, err := b.serve(ctx, s.state+"-registry")
	if err != nil {
		return err
	}
	text := "service: bench\nregistry: " + address + "/bench\nprojects:\n" + projects.String() +
		"images:\n  web:\n    projects: [" + strings.TrimSuffix(names.String(), ", ") + "]\n    packages: [" + quoted(b.universe.names()) + "]\n" + environmentYAML
	if err := s.write(nil, text); err != nil {
		return err
	}
	return s.expect(ctx, "built snapshot", "build")
}
