package main

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
	"github.com/slipway-build/slipway/tools/universe/internal/convert"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
)

// builder makes universes in a cache folder.
type builder struct {
	cache *cache.Dir
	tool  string // hash of the program, part of every key
	log   *steps
}

// kind is what universes are called in the cache.
const kind = "universe"

// build gives the folder of the universe, made now or before.
func (b builder) build(ctx context.Context, s size) (string, error) {
	archives, err := b.closure(ctx, s.packages)
	if err != nil {
		return "", err
	}
	key := b.key(s, archives)
	place, _ := b.cache.Path(kind, key)
	path, hit, err := b.cache.Tree(ctx, kind, key, func(dir string) error {
		return b.make(ctx, s, archives, dir, place)
	})
	if err != nil {
		return "", err
	}
	// The time of a universe's folder is when it was last asked for.
	now := time.Now()
	if err := os.Chtimes(path, now, now); err != nil {
		return "", err
	}
	if hit {
		b.log.say("%s is there already: %d Debian packages", s.name, len(archives))
		return path, nil
	}
	b.log.say("done: %s", filepath.Join(path, repoFile))
	return path, b.prune(now.Add(-keepUnused))
}

// keepUnused is how long a universe stays that nobody asks for: every change of
// the program makes another one.
const keepUnused = 14 * 24 * time.Hour

// prune removes the universes that were last asked for before a time.
func (b builder) prune(before time.Time) error {
	found, err := filepath.Glob(filepath.Join(b.cache.Root(), kind, "*", "*"))
	if err != nil {
		return err
	}
	for _, path := range found {
		st, err := os.Stat(path)
		if err != nil || !st.ModTime().Before(before) {
			continue
		}
		if err := b.cache.Remove(kind, filepath.Base(path)); err != nil {
			return err
		}
		b.log.say("removed %s, unused since %s", path, st.ModTime().Format(time.DateOnly))
	}
	return nil
}

func (b builder) key(s size, archives []debian.Archive) string {
	parts := []string{b.tool, s.name, fmt.Sprintf("%v %+v", s.mixed, s.options)}
	parts = append(parts, s.packages...)
	for _, a := range archives {
		parts = append(parts, a.File, a.SHA256)
	}
	return cache.Key(parts...)
}

// make fills dir, which will be known as place.
func (b builder) make(ctx context.Context, s size, archives []debian.Archive, dir, place string) error {
	signer, err := b.signer(ctx)
	if err != nil {
		return err
	}
	var bytes int64
	for _, a := range archives {
		bytes += a.Size
	}
	b.log.say("getting %d Debian packages, %d MB", len(archives), bytes/1e6)
	files, err := b.apt().Download(ctx, s.packages, archives)
	if err != nil {
		return err
	}

	b.log.say("reading them")
	debs, cleanup, err := b.open(ctx, files)
	defer cleanup()
	if err != nil {
		return err
	}
	specs, err := convert.Specs(debs, s.options)
	if err != nil {
		return err
	}

	b.log.say("writing %d RPMs", len(specs))
	if err := b.write(ctx, specs, s, signer, filepath.Join(dir, "Packages")); err != nil {
		return err
	}

	b.log.say("writing the repository")
	if err := repowrite.Write(dir, repowrite.Options{Signer: signer, Compression: "gz"}); err != nil {
		return err
	}
	return writeRepoFile(dir, place, s.name, signer)
}

// open opens the packages, in parallel. cleanup closes those that were opened,
// also after an error.
func (b builder) open(ctx context.Context, files []string) (debs []*debian.Deb, cleanup func(), err error) {
	spool, removeSpool, err := b.cache.Temp("spool-")
	if err != nil {
		return nil, func() {}, err
	}
	debs = make([]*debian.Deb, len(files))
	cleanup = func() {
		for _, deb := range debs {
			if deb != nil {
				_ = deb.Close()
			}
		}
		removeSpool()
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for i, file := range files {
		group.Go(func() error {
			var err error
			debs[i], err = debian.Open(ctx, file, spool)
			return err
		})
	}
	return debs, cleanup, group.Wait()
}

// write writes the RPMs, the largest first so that none is left for the end.
func (b builder) write(ctx context.Context, specs []rpmwrite.Spec, s size, signer *rpmwrite.Signer, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	sizes := map[string]int64{}
	for _, spec := range specs {
		for _, f := range spec.Files {
			sizes[spec.Name] += f.Size
		}
	}
	slices.SortStableFunc(specs, func(x, y rpmwrite.Spec) int { return cmp.Compare(sizes[y.Name], sizes[x.Name]) })
	report := b.reporter(len(specs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for _, spec := range specs {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			spec.Key = signer
			if s.mixed {
				spec.Compression = mixedCompression(spec.Name, sizes[spec.Name])
			}
			name := fmt.Sprintf("%s-%s-%s.%s.rpm", spec.Name, spec.EVR.Version, spec.EVR.Release, spec.Arch)
			if err := rpmwrite.WriteFile(filepath.Join(dir, name), spec); err != nil {
				return fmt.Errorf("writing %s: %w", name, err)
			}
			report()
			return nil
		})
	}
	return group.Wait()
}

// reporter gives a function to call once for each of n, which says now and then
// how far it is.
func (b builder) reporter(n int) func() {
	var lock sync.Mutex
	done, last := 0, time.Now()
	return func() {
		lock.Lock()
		defer lock.Unlock()
		done++
		if time.Since(last) > 5*time.Second && done < n {
			last = time.Now()
			b.log.say("  %d of %d", done, n)
		}
	}
}

// mixedCompression chooses by name, so that the same package always gets the
// same. Packing xz is slow, so only packages of up to 4 MB get it.
func mixedCompression(name string, size int64) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	switch h.Sum32() % 4 {
	case 0:
		return "gzip"
	case 1:
		if size <= 4<<20 {
			return "xz"
		}
	}
	return "zstd"
}

// signer gives the key of the cache folder, which is made once.
func (b builder) signer(ctx context.Context) (*rpmwrite.Signer, error) {
	const file = "private.asc"
	dir, _, err := b.cache.Tree(ctx, "key", "universe", func(dir string) error {
		signer, err := rpmwrite.NewSigner("Slipway Universe <universe@example.com>", time.Unix(keyTime, 0))
		if err != nil {
			return err
		}
		return signer.SaveKey(filepath.Join(dir, file))
	})
	if err != nil {
		return nil, fmt.Errorf("making the signing key: %w", err)
	}
	return rpmwrite.LoadKey(filepath.Join(dir, file))
}

// keyTime is when the key says it was made: before any package it signs.
const keyTime = 946684800 // 1 January 2000
