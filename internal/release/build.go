package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/attest"
	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/progress"
	"github.com/slipway-build/slipway/internal/strategy"
	"github.com/slipway-build/slipway/internal/wheel"
)

// BuildOptions say what is done with the images beside recording them.
type BuildOptions struct {
	// Layout is a folder to write the images to as an OCI image layout; "" writes none.
	Layout string
	// Archives is a folder to write each image to as IMAGE.tar, for podman load and docker load; ""
	// writes none.
	Archives string
	// NoPush leaves the registry alone; such a build is not recorded as a snapshot.
	NoPush bool
	// RunBackends has every wheel built by its project's own backend, even where it can be written without.
	RunBackends bool
	// Fresh has other builders than ours take nothing from their caches of layers.
	Fresh bool
	// EngineLog hears what other builders say. Nil: nobody does.
	EngineLog io.Writer
}

// Built is what a build came to.
type Built struct {
	Snapshot *Snapshot
	// Known says that the snapshot was there already and nothing had to be done.
	Known bool
	// Pushed is what the registry was sent, in bytes.
	Pushed int64
}

// Build makes the candidate's images and pushes them, or finds that it was done before.
func (p *Pipeline) Build(ctx context.Context, c *Candidate, n *Needs, l *lock.Lock, o BuildOptions) (*Built, error) {
	if !p.Locked(n, l) {
		return nil, fmt.Errorf("%s does not have what the projects need now: run slipway lock", lock.FileName)
	}
	if err := p.permit(ctx, n); err != nil {
		return nil, err
	}
	besides, err := p.besides(c.Images)
	if err != nil {
		return nil, err
	}
	digest := lockDigest(l, n)
	key := p.key(c, digest, besides)
	if o.Layout == "" && o.Archives == "" && !o.NoPush {
		if known, err := p.known(ctx, key); err != nil || known != nil {
			return &Built{Snapshot: known, Known: true}, err
		}
	}
	b := &build{Pipeline: p, candidate: c, needs: n, lock: l, besides: besides, built: &Built{}, runBackends: o.RunBackends, fresh: o.Fresh, engineLog: o.EngineLog}
	images, err := b.images(ctx)
	if err = errors.Join(err, b.exchange.close()); err != nil {
		return nil, err
	}
	if err := p.export(c.Environment, images, o); err != nil {
		return nil, err
	}
	s, err := b.snapshot(key, digest, images)
	if err != nil {
		return nil, err
	}
	b.built.Snapshot = s
	if o.NoPush {
		return b.built, nil
	}
	if b.built.Pushed, err = p.publish(ctx, s, images); err != nil {
		return nil, err
	}
	if err := p.Records.AddSnapshot(ctx, s); err != nil {
		return nil, err
	}
	// A snapshot that was recorded before (its images had gone from the registry) keeps its date.
	if b.built.Snapshot, err = p.Records.Snapshot(ctx, s.Service, s.ID); err != nil {
		return nil, err
	}
	return b.built, nil
}

// export writes the images to where the options say, beside the registry.
func (p *Pipeline) export(environment string, images []builtImage, o BuildOptions) error {
	if o.Archives != "" {
		if err := os.MkdirAll(o.Archives, 0o755); err != nil {
			return fmt.Errorf("writing archives: %w", err)
		}
	}
	for _, img := range images {
		if o.Layout != "" {
			if err := image.WriteLayout(o.Layout, img.name, img.final); err != nil {
				return err
			}
		}
		if o.Archives != "" {
			ref := "localhost/" + p.Config.Service + "/" + img.name + ":" + environment
			if err := image.WriteArchive(filepath.Join(o.Archives, img.name+".tar"), ref, img.final); err != nil {
				return err
			}
		}
	}
	return nil
}

// known finds the snapshot that the same candidate came to, if the registry still has its images.
func (p *Pipeline) known(ctx context.Context, key string) (*Snapshot, error) {
	s, err := p.Records.SnapshotOf(ctx, p.Config.Service, key)
	if errors.Is(err, ErrNoRecord) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	there, err := p.published(ctx, s)
	if err != nil || !there {
		return nil, err
	}
	return s, nil
}

// lockDigest identifies what the lock says for the roots at hand.
func lockDigest(l *lock.Lock, n *Needs) string {
	parts := []string{"lock/1"}
	for _, tn := range n.Targets {
		t := l.Target(tn.Target)
		if t == nil {
			continue
		}
		for _, r := range tn.Roots {
			parts = append(parts, tn.Target, r.Image, t.Digest(r.Image))
		}
	}
	return cache.Key(parts...)
}

// build is one build under way.
type build struct {
	*Pipeline
	candidate *Candidate
	needs     *Needs
	lock      *lock.Lock
	besides   map[string]gathered // files of the configuration's folder
	built     *Built

	runBackends bool

	engine    *strategy.Engine // found when it is needed
	exchange  exchange
	fresh     bool
	engineLog io.Writer
}

// builtImage is an image with its base.
type builtImage struct {
	name        string
	base, final *image.Image
	bill        attest.Bill
}

// images makes all images: per target, first the wheels that they share.
func (b *build) images(ctx context.Context) ([]builtImage, error) {
	var all []builtImage
	for _, tn := range b.needs.Targets {
		list, err := b.target(ctx, tn)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

func (b *build) target(ctx context.Context, tn TargetNeeds) ([]builtImage, error) {
	t := b.lock.Target(tn.Target)
	if t == nil {
		return nil, fmt.Errorf("the lock has no target %q: run slipway lock", tn.Target)
	}
	paths, err := b.fetch(ctx, t)
	if err != nil {
		return nil, err
	}
	wheels, err := b.wheels(ctx, tn, t, paths)
	if err != nil {
		return nil, err
	}
	var list []builtImage
	for _, r := range tn.Roots {
		if lock.IsBuildRoot(r.Image) {
			continue
		}
		img, err := b.image(ctx, t, r.Image, paths, wheels)
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", r.Image, err)
		}
		list = append(list, img)
	}
	return list, nil
}

// fetchPackages brings the packages of a target's lock, verified, in their order.
func (p *Pipeline) fetchPackages(ctx context.Context, t *lock.Target) ([]string, error) {
	w, err := p.places(ctx, t.Name)
	if err != nil {
		return nil, err
	}
	artifacts, err := w.artifacts(t)
	if err != nil {
		return nil, err
	}
	return p.Repositories.Fetch(ctx, artifacts)
}

// fetch brings a target's RPMs, verified: sha256 -> path.
func (b *build) fetch(ctx context.Context, t *lock.Target) (map[string]string, error) {
	files, err := b.fetchPackages(ctx, t)
	if err != nil {
		return nil, err
	}
	paths := make(map[string]string, len(files))
	for i, f := range files {
		paths[t.Packages[i].SHA256] = f
	}
	return paths, nil
}

// base makes the base image of a root.
func (b *build) base(ctx context.Context, t *lock.Target, root string, paths map[string]string) (*image.Image, error) {
	spec := image.BaseSpec{Arch: t.Arch, Options: b.packing(t.Name, root)}
	for _, pkg := range t.Root(root) {
		spec.Packages = append(spec.Packages, image.BasePackage{Package: pkg, Path: paths[pkg.SHA256]})
	}
	base, err := b.Images.Base(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("base of %s: %w", rootName(root), err)
	}
	return base, nil
}

// packing is how a root's layers are packed. Those of the root that wheels are built in go nowhere:
// they are packed as the first image's are, with which they have most packages in common.
func (b *build) packing(target, root string) image.Options {
	if root == lock.BuildRoot {
		for _, name := range b.Config.ImageNames() {
			if b.Config.Images[name].Target == target {
				root = name
				break
			}
		}
	}
	p := b.Config.Images[root].Packing
	return image.Options{Compression: layer.Compression(p.Compression), Level: p.Level, Docker: p.MediaTypes == "docker"}
}

// wheels builds the projects of a target, each once, in the root that the lock has for that.
func (b *build) wheels(ctx context.Context, tn TargetNeeds, t *lock.Target, paths map[string]string) (map[string]*wheel.Wheel, error) {
	projects := b.needs.Projects[tn.Target]
	if len(projects) == 0 {
		return nil, nil
	}
	base, err := b.base(ctx, t, tn.build(), paths)
	if err != nil {
		return nil, err
	}
	lowers, err := b.Images.Unpack(ctx, base)
	if err != nil {
		return nil, err
	}
	root := wheel.Root{Lowers: lowers, Key: t.Digest(tn.build()), Python: b.program(t.Name)}
	task := progress.Or(b.Progress).Start("building wheels", int64(len(projects)), progress.Items)
	names, made := sortedKeys(projects), make([]*wheel.Wheel, len(projects))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(wheelBuilders)
	for i, name := range names {
		g.Go(func() (err error) {
			made[i], err = b.wheel(ctx, name, projects[name].Version, root)
			task.Add(1)
			return err
		})
	}
	err = g.Wait()
	task.Done(err)
	if err != nil {
		return nil, err
	}
	wheels := map[string]*wheel.Wheel{}
	for i, name := range names {
		wheels[name] = made[i]
	}
	return wheels, nil
}

// wheelBuilders bounds how many wheels are built at a time.
const wheelBuilders = 4

func (b *build) wheel(ctx context.Context, project, version string, root wheel.Root) (*wheel.Wheel, error) {
	tree, err := b.tree(ctx, b.candidate, project)
	if err != nil {
		return nil, fmt.Errorf("project %s: %w", project, err)
	}
	defer tree.Close()
	return wheel.Build(ctx, wheel.Request{
		Project: project, Version: version, Tree: tree, Epoch: b.candidate.Revisions[project].Time.Unix(), Root: root,
		RunBackend: b.runBackends, Log: b.log(),
	}, b.Cache)
}
