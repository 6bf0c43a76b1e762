package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Folders below work that several rows use.
const (
	layoutDir  = "layout"  // our base image, which the peers' final images are built on, too
	greeterDir = "greeter" // the example service and its repositories
)

// contests are all rows, in an order in which one may use what an earlier one has left.
func (b *bench) contests() []contest {
	u := &updates{}
	if b.asked.base {
		return []contest{b.coldBase(), b.coldZstd(), b.updatedBase(u), b.sameBase()}
	}
	list := []contest{b.resolution("nothing cached", true), b.resolution("metadata cached", false), b.coldBase(), b.updatedBase(u)}
	return append(list, b.finalImage()...)
}

// resolution is from a list of names to a list of packages.
func (b *bench) resolution(what string, cold bool) contest {
	s := service{b, "resolve", "resolve-cache", "resolve-state"}
	d := dnf{b, "dnf-resolve"}
	lock := func(ctx context.Context) error {
		_, err := s.slipway(ctx, "lock")
		return err
	}
	ours := entrant{
		name:  "slipway lock",
		setup: func(context.Context) error { return s.writeBase(nil, "gzip") },
		before: func(ctx context.Context) error {
			if cold {
				if err := s.clear(s.cache, s.state); err != nil {
					return err
				}
			} else if err := lock(ctx); err != nil {
				return err
			}
			return s.forgetLock()
		},
		run: lock,
	}
	peer := entrant{
		name:  "dnf --assumeno install",
		needs: []string{"dnf"}, root: true,
		setup: func(context.Context) error { return d.configure(nil) },
		before: func(ctx context.Context) error {
			if cold {
				return d.clear(filepath.Join(d.name, "cache"), filepath.Join(d.name, "root"))
			}
			if err := d.resolve(ctx); err != nil {
				return err
			}
			return d.clear(filepath.Join(d.name, "root"))
		},
		run: d.resolve,
	}
	return contest{"resolve, " + what, []entrant{ours, peer}}
}

// coldBase is a base image of RPM files that are there, and nothing else is.
func (b *bench) coldBase() contest {
	s := service{b, "base", "base-cache", "base-state"}
	ours := entrant{
		name:  "slipway build",
		setup: func(context.Context) error { return s.writeBase(nil, "gzip") },
		before: func(ctx context.Context) error {
			if err := s.clear(layoutDir); err != nil {
				return err
			}
			if err := s.forgetLock(); err != nil {
				return err
			}
			return s.fillCache(ctx)
		},
		run:   func(ctx context.Context) error { return s.buildTo(ctx, layoutDir) },
		after: func(context.Context) (int64, error) { return b.blobBytes(layoutDir) },
	}
	return contest{"base image, only RPM files cached", append([]entrant{ours}, b.basePeers(nil)...)}
}

// coldZstd is coldBase with layers in zstd.
func (b *bench) coldZstd() contest {
	s := service{b, "base-zstd", "zstd-cache", "zstd-state"}
	return contest{"base image in zstd, only RPM files cached", []entrant{
		{
			name:  "slipway build",
			setup: func(context.Context) error { return s.writeBase(nil, "zstd") },
			before: func(ctx context.Context) error {
				if err := s.forgetLock(); err != nil {
					return err
				}
				return s.fillCache(ctx)
			},
			run: func(ctx context.Context) error { return s.buildTo(ctx, "zstd-layout") },
			after: func(context.Context) (int64, error) {
				n, err := b.blobBytes("zstd-layout")
				return n, errors.Join(err, b.clear("zstd-layout", s.cache))
			},
		},
		b.dnfPeer(nil, "zstd", "-3", "-T0", "-c"),
	}}
}

// sameBase is a build of what is built.
func (b *bench) sameBase() contest {
	s := service{b, "base", "base-cache", "base-state"}
	run := func(ctx context.Context) error { return s.buildTo(ctx, layoutDir) }
	return contest{"base image again, nothing changed", []entrant{{name: "slipway build", setup: run, run: run}}}
}

// buildTo builds the images into a layout.
func (s service) buildTo(ctx context.Context, layout string) error {
	_, err := s.slipway(ctx, "build", "--no-push", "--layout", s.path(layout))
	return err
}

// updatedBase is the base image after an update of one of its packages.
func (b *bench) updatedBase(u *updates) contest {
	s := service{b, "base", "base-cache", "base-state"}
	ours := entrant{
		name: "slipway lock --update, build",
		setup: func(context.Context) (err error) {
			made, err := newUpdates(b.path("updates"))
			if err == nil {
				*u = *made
			}
			return err
		},
		before: func(context.Context) error {
			if err := u.publish(b.universe.files[updated]); err != nil {
				return err
			}
			return s.writeBase(u, "gzip")
		},
		run: func(ctx context.Context) error {
			if err := s.expect(ctx, updated, "lock", "--update"); err != nil {
				return err
			}
			return s.buildTo(ctx, "updated-layout")
		},
		after: func(context.Context) (int64, error) {
			n, err := b.blobBytes("updated-layout")
			if err != nil {
				return 0, err
			}
			return n, b.clear("updated-layout")
		},
	}
	return contest{"base image again, one package updated", append([]entrant{ours}, b.basePeers(u)...)}
}

// basePeers make a base image from nothing, with the updates if there are any.
func (b *bench) basePeers(u *updates) []entrant {
	inside := dnf{b, "dnf-buildah"}
	store := buildah{b, "buildah-base"}
	peers := []entrant{b.dnfPeer(u, compressor(), "-1", "-c")}
	if b.asked.base && u == nil { // an update is all the same to it, and to the faster one
		peers = append(peers, b.dnfPeer(u, compressor(), "-6", "-c"))
	}
	return append(peers, entrant{
		name:  "buildah from scratch, dnf, commit to OCI",
		needs: []string{"buildah", "dnf"}, root: true,
		before: func(context.Context) error {
			if err := b.clear("dnf-buildah", "buildah-layout"); err != nil {
				return err
			}
			return inside.configure(u)
		},
		run: func(ctx context.Context) error { return store.base(ctx, inside, "buildah-layout") },
		after: func(ctx context.Context) (int64, error) {
			n, err := b.blobBytes("buildah-layout")
			if err != nil {
				return 0, err
			}
			if err := store.drop(ctx); err != nil {
				return 0, err
			}
			return n, b.clear("buildah-layout")
		},
	})
}

// dnfPeer installs with dnf into a folder and packs that with a program.
func (b *bench) dnfPeer(u *updates, pack ...string) entrant {
	plain, file := dnf{b, "dnf"}, b.path("dnf", "layer.tar.packed")
	return entrant{
		name:  "dnf, tar, " + strings.Join(pack[:2], " ") + ", sha256",
		needs: []string{"dnf", "tar", pack[0]}, root: true,
		before: func(context.Context) error {
			if err := b.clear("dnf"); err != nil {
				return err
			}
			return plain.configure(u)
		},
		run: func(ctx context.Context) error {
			if err := plain.install(ctx, b.path("dnf", "root")); err != nil {
				return err
			}
			return b.layer(ctx, b.path("dnf", "root"), file, pack)
		},
		after: func(ctx context.Context) (int64, error) {
			if err := b.countInstalled(ctx, b.path("dnf", "root")); err != nil {
				return 0, err
			}
			n, err := fileBytes(file)
			if err != nil {
				return 0, err
			}
			return n, b.clear("dnf")
		},
	}
}

// finalImage is the example service's web image after a commit to one of its projects, and after none.
func (b *bench) finalImage() []contest {
	s := service{b, greeterDir, "base-cache", "greeter-state"}
	plain, layered := buildah{b, "buildah-plain"}, buildah{b, "buildah-layers"}
	commit := func(ctx context.Context) error { return b.commit(ctx) }
	var registry string
	start := func(ctx context.Context, u buildah, file, text string, options ...string) error {
		if err := u.importBase(ctx, layoutDir); err != nil {
			return err
		}
		if err := u.writeContainerfile(file, text); err != nil {
			return err
		}
		if registry == "" {
			var err error
			if registry, err = b.serve(ctx, "peers-registry"); err != nil {
				return err
			}
		}
		return u.bud(ctx, file, registry, options...)
	}
	const plainFile, layeredFile = "Containerfile.plain", "Containerfile.layered"
	budPlain := func(ctx context.Context) error { return plain.bud(ctx, plainFile, registry) }
	budLayered := func(ctx context.Context) error { return layered.bud(ctx, layeredFile, registry, "--layers") }
	build := func(text string) func(ctx context.Context) error {
		return func(ctx context.Context) error { return s.expect(ctx, text, "build") }
	}

	change := contest{"final image after a one-line commit, pushed", []entrant{
		{
			name:   "slipway build",
			setup:  func(ctx context.Context) error { return b.startGreeter(ctx, s) },
			before: commit, run: build("built snapshot"),
		},
		{
			name:  "buildah bud, pip install, push",
			needs: []string{"buildah"}, root: true,
			setup:  func(ctx context.Context) error { return start(ctx, plain, plainFile, plainContainerfile) },
			before: commit, run: budPlain,
		},
		{
			name:  "buildah bud --layers, changed project last, push",
			needs: []string{"buildah"}, root: true,
			setup: func(ctx context.Context) error {
				return start(ctx, layered, layeredFile, layeredContainerfile, "--layers")
			},
			before: commit, run: budLayered,
		},
	}}
	same := contest{"nothing changed", []entrant{
		{name: "slipway build", setup: build("snapshot"), run: build("nothing to build")},
		{
			name:  "buildah bud --layers, push",
			needs: []string{"buildah"}, root: true,
			setup: budLayered, run: budLayered,
		},
	}}
	return []contest{change, same}
}

// startGreeter makes the example service and builds it once, so that all but a change is there.
func (b *bench) startGreeter(ctx context.Context, s service) error {
	if _, err := b.run(ctx, filepath.Join(b.checkout, "examples/greeter/make-repos"), b.path(greeterDir)); err != nil {
		return err
	}
	address, err := b.serve(ctx, "our-registry")
	if err != nil {
		return err
	}
	if err := s.writeGreeter(address); err != nil {
		return err
	}
	return s.expect(ctx, "built snapshot", "build")
}

// commit changes one line of a project. No two commits are the same.
func (b *bench) commit(ctx context.Context) error {
	repo := b.path(greeterDir, "repos", "greetlib")
	phrases := filepath.Join(repo, "src/greetlib/phrases.yaml")
	text, err := os.ReadFile(phrases)
	if err != nil {
		return err
	}
	text = fmt.Appendf(text, "x%d: Hello\n", len(text))
	if err := os.WriteFile(phrases, text, 0o644); err != nil {
		return err
	}
	_, err = b.run(ctx, "git", "-C", repo, "commit", "--quiet", "--all", "--message", "One more language")
	return err
}

// countInstalled makes sure that a peer has installed as much as we have.
func (b *bench) countInstalled(ctx context.Context, root string) error {
	out, err := b.run(ctx, "rpm", "--root", root, "--query", "--all", "--queryformat", `%{NAME}\n`)
	if err != nil {
		return err
	}
	n := 0
	for _, name := range strings.Fields(out) {
		if name != "gpg-pubkey" { // an imported key
			n++
		}
	}
	if want := len(b.universe.files); n != want {
		return fmt.Errorf("%d packages are installed, not %d", n, want)
	}
	return nil
}
