package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image/account"
	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/image/script"
	"github.com/slipway-build/slipway/internal/progress"
)

// baseFormat is part of every base image's key. It changes when the same input makes another image.
const baseFormat = "base/4"

// Base makes a base image. A second call with the same packages and options reads it from the
// cache. Errors that a user can act on are of the types *script.Error (a script failed) and
// *layer.ConflictError (two packages bring different files of one path).
func (b *Builder) Base(ctx context.Context, spec BaseSpec) (*Image, error) {
	img, err := b.base(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("making base image: %w", err)
	}
	return img, nil
}

func (b *Builder) base(ctx context.Context, spec BaseSpec) (*Image, error) {
	if err := spec.settle(); err != nil {
		return nil, err
	}
	key := spec.key()
	if img, ok := b.recall(key); ok {
		return img, nil
	}
	packages, err := b.load(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer packages.close()
	a := &assembly{
		Builder:  b,
		spec:     spec,
		packages: packages,
		maker:    layer.Maker{Cache: b.Cache, Compression: spec.Options.Compression, Level: spec.Options.Level},
		epoch:    packages.epoch(),
	}
	img, err := a.assemble(ctx)
	if err != nil {
		return nil, err
	}
	return img, b.record(ctx, key, img)
}

// settle fills in defaults and checks what a caller could get wrong.
func (spec *BaseSpec) settle() error {
	o := &spec.Options
	o.Compression = cmp.Or(o.Compression, layer.Gzip)
	if err := o.Compression.Check(o.Level); err != nil {
		return err
	}
	if o.Docker && o.Compression != layer.Gzip {
		return errNoDockerType
	}
	if o.DBPath != "" && (!strings.HasPrefix(o.DBPath, "/") || path.Clean(o.DBPath) != o.DBPath || o.DBPath == "/") {
		return fmt.Errorf("the RPM database cannot be at %q: the path must be absolute and clean", o.DBPath)
	}
	if len(spec.Packages) == 0 {
		return errors.New("there are no packages")
	}
	if _, err := platform(spec.Arch); err != nil {
		return err
	}
	spec.Packages = slices.Clone(spec.Packages)
	slices.SortFunc(spec.Packages, func(x, y BasePackage) int { return x.NEVRA.Compare(y.NEVRA) })
	for i := 1; i < len(spec.Packages); i++ {
		if spec.Packages[i].NEVRA == spec.Packages[i-1].NEVRA {
			return fmt.Errorf("package %s is given twice", spec.Packages[i].NEVRA)
		}
	}
	return nil
}

// key is the hash of all that decides a base image.
func (spec *BaseSpec) key() string {
	o := spec.Options
	parts := []string{
		baseFormat, spec.Arch, string(o.Compression), strconv.Itoa(o.Level),
		strconv.FormatBool(o.Docker), strconv.FormatBool(o.NoDocs), strings.Join(o.Languages, ","), o.DBPath,
	}
	for _, p := range spec.Packages {
		parts = append(parts, p.NEVRA.String(), p.SHA256, p.Layer)
	}
	for _, m := range []map[string]int{spec.Recorded.Users, spec.Recorded.Groups} {
		parts = append(parts, strconv.Itoa(len(m)))
		for _, name := range slices.Sorted(maps.Keys(m)) {
			parts = append(parts, name, strconv.Itoa(m[name]))
		}
	}
	return cache.Key(parts...)
}

// assembly is the making of one base image.
type assembly struct {
	*Builder
	spec     BaseSpec
	packages packages // in the order of installation
	maker    layer.Maker
	epoch    int64

	accounts *account.Database
	tree     *layer.Tree
	steps    []script.Step
	// late are the packages whose files belong to users that scripts make. They come last in their
	// layers, as what precedes them is made before those scripts run.
	late map[int]bool
	// bottom is a folder with what %pretrans made, below the packages; "" for nothing.
	bottom string
	// uppers are folders with what is to be laid over the packages: the accounts that were added,
	// then what early scripts changed.
	uppers []string
}

func (a *assembly) assemble(ctx context.Context) (*Image, error) {
	if err := a.declareAccounts(ctx); err != nil {
		return nil, err
	}
	if err := a.plan(ctx); err != nil {
		return nil, err
	}
	for _, u := range a.tree.UnknownOwners() {
		a.log().Warn("the owner of files is not known; root owns them", "package", u.Package, u.Kind, u.Name)
	}
	named, changed, db, err := a.layers(ctx)
	if err != nil {
		return nil, err
	}
	c := composition{arch: a.spec.Arch, docker: a.spec.Options.Docker, created: a.epoch, shape: a.tree.Shape(), ids: a.ids()}
	for _, l := range named {
		c.add(l.blob, "packages "+l.name, l.comment)
	}
	if changed != nil {
		c.add(*changed, "scripts", "")
		if err := c.shape.Add(*changed); err != nil {
			return nil, err
		}
	}
	c.add(db, "RPM database", "")
	return c.image()
}

// layers makes those of packages, then that of what scripts changed, nil where that is nothing, and
// beside them the one of the RPM database, which depends on neither.
func (a *assembly) layers(ctx context.Context) (named []namedLayer, changed *layer.Blob, db layer.Blob, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		if named, err = a.packageLayers(ctx, a.tree, nil); err != nil {
			return err
		}
		changed, err = a.scriptsLayer(ctx, blobs(named))
		return err
	})
	g.Go(func() (err error) {
		db, err = a.databaseLayer(ctx)
		return err
	})
	return named, changed, db, g.Wait()
}

func (a *assembly) filter() layer.Filter {
	return layer.Filter{NoDocs: a.spec.Options.NoDocs, Languages: a.spec.Options.Languages}
}

func (a *assembly) ids() layer.IDs {
	return layer.IDs{Users: a.accounts.Users(), Groups: a.accounts.Groups()}
}

// namedLayer is a layer of packages.
type namedLayer struct {
	name, comment string
	blob          layer.Blob
	size          int64 // of the packages
	packages      []int
}

func blobs(layers []namedLayer) []layer.Blob {
	out := make([]layer.Blob, len(layers))
	for i, l := range layers {
		out[i] = l.blob
	}
	return out
}

// packageLayers makes the layers that the lock planned, sorted by name, without the packages to
// skip. The largest are begun first, so that no processor is left with a long one at the end.
func (a *assembly) packageLayers(ctx context.Context, tree *layer.Tree, skip map[int]bool) ([]namedLayer, error) {
	layers := a.group(skip)
	order := make([]int, len(layers))
	var total int64
	for i := range layers {
		order[i] = i
		total += layers[i].size
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(layers[y].size, layers[x].size) })
	maker := a.maker
	if len(a.steps) > 0 {
		maker.Sink, maker.Unpacked = a.unpackSink, a.unpackedRoot // scripts will run over the layers
	}
	task := progress.Or(a.Progress).Start("layers", total, progress.Bytes)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(a.workers())
	for _, i := range order {
		l := &layers[i]
		g.Go(func() (err error) {
			if l.blob, err = maker.Packages(ctx, tree, l.packages); err != nil {
				return fmt.Errorf("layer %s: %w", l.name, err)
			}
			task.Add(l.size)
			return nil
		})
	}
	err := g.Wait()
	task.Done(err)
	return layers, err
}

// group gives the layers with their packages, both sorted by name, but late packages behind others.
func (a *assembly) group(skip map[int]bool) []namedLayer {
	byName := map[string]*namedLayer{}
	for i := range a.packages {
		if skip[i] {
			continue
		}
		p := &a.packages[i]
		l, ok := byName[p.Layer]
		if !ok {
			l = &namedLayer{name: p.Layer}
			byName[p.Layer] = l
		}
		l.packages = append(l.packages, i)
		l.size += p.Size
	}
	late := func(i int) int {
		if a.late[i] {
			return 1
		}
		return 0
	}
	var out []namedLayer
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		l := byName[name]
		slices.SortFunc(l.packages, func(x, y int) int {
			return cmp.Or(late(x)-late(y), a.packages[x].NEVRA.Compare(a.packages[y].NEVRA))
		})
		names := make([]string, len(l.packages))
		for n, i := range l.packages {
			names[n] = a.packages[i].NEVRA.String()
		}
		l.comment = strings.Join(names, " ")
		out = append(out, *l)
	}
	return out
}
