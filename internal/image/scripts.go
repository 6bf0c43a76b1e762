package image

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/image/script"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/sandbox"
)

// scriptsFormat is part of the key of what scripts changed.
const scriptsFormat = "scripts/2"

// plan places the packages' files and decides which scripts run. As for rpm, %pretrans finds an empty
// root, and what it makes lies below the packages' files. Where files belong to users that nothing
// declares, those scripts run next that rpm would run before it lays down the files: they may make
// the users. The packages concerned are not there for them, as they would not be for rpm.
func (a *assembly) plan(ctx context.Context) error {
	scripted := a.packages.scripted()
	links, err := a.runPreTrans(ctx, scripted)
	if err != nil {
		return err
	}
	if a.tree, err = layer.Plan(a.packages.layered(), a.ids(), links, a.filter()); err != nil {
		return err
	}
	unknown := a.tree.UnknownOwners()
	early := len(unknown) > 0 && slices.ContainsFunc(scripted, func(p script.Package) bool {
		return slices.ContainsFunc(p.Scripts, func(s rpm.Script) bool { return s.Kind == rpm.ScriptPre })
	})
	steps, count := script.Plan(scripted, early)
	if a.steps = steps; count == 0 {
		return nil
	}
	upper, err := a.runEarly(ctx, steps[:count], unknown)
	if err != nil {
		return err
	}
	if err := a.readAccounts(upper); err != nil {
		return err
	}
	more, err := a.directoryLinks(upper)
	if err != nil {
		return err
	}
	maps.Copy(links, more)
	a.uppers = append(a.uppers, upper)
	a.steps = steps[count:]
	a.tree, err = layer.Plan(a.packages.layered(), a.ids(), links, a.filter())
	return err
}

// runPreTrans runs %pretrans of all packages in an empty root and gives the links that it made:
// where it links /usr/sbin to bin, other packages' files in /usr/sbin come to lie in /usr/bin.
func (a *assembly) runPreTrans(ctx context.Context, packages []script.Package) (layer.Links, error) {
	steps := script.PreTrans(packages)
	if len(steps) == 0 {
		return layer.Links{}, nil
	}
	ghosts := a.packages.ghosts(sandboxFolders)
	parts := []string{a.scriptsKey(nil, steps)}
	for _, g := range ghosts {
		parts = append(parts, fmt.Sprintf("%s %o", g.Path, g.Mode))
	}
	dir, _, err := a.Cache.Tree(ctx, "scripts", cache.Key(parts...), func(dir string) error {
		empty, upper := filepath.Join(dir, "empty"), filepath.Join(dir, "upper")
		for _, d := range []string{empty, upper} {
			if err := os.Mkdir(d, 0o755); err != nil {
				return err
			}
			if err := os.Chmod(d, 0o755); err != nil { // whatever the umask
				return err
			}
		}
		if err := a.run(ctx, []string{empty}, upper, steps); err != nil {
			return err
		}
		for _, g := range ghosts {
			if err := makeGhost(filepath.Join(upper, g.Path), g.Mode); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.bottom = filepath.Join(dir, "upper")
	return a.directoryLinks(a.bottom)
}

// sandboxFolders are there for every script, so that none can make them. A package that has one as
// a %ghost makes it in %pretrans.
var sandboxFolders = []string{"/dev", "/proc", "/sys", "/tmp"}

func makeGhost(name string, mode uint32) error {
	if err := os.Mkdir(name, 0o755); err != nil && !os.IsExist(err) {
		return err
	}
	return os.Chmod(name, os.FileMode(mode&0o777))
}

func (a *assembly) runEarly(ctx context.Context, steps []script.Step, unknown []layer.UnknownOwner) (string, error) {
	skip := map[int]bool{}
	for i := range a.packages {
		skip[i] = slices.ContainsFunc(unknown, func(u layer.UnknownOwner) bool { return u.Package == a.packages[i].NEVRA.String() })
	}
	a.late = skip
	layers, err := a.packageLayers(ctx, a.tree, skip)
	if err != nil {
		return "", err
	}
	lower, err := a.lowers(ctx, blobs(layers))
	if err != nil {
		return "", err
	}
	key := a.scriptsKey(blobs(layers), steps)
	dir, _, err := a.Cache.Tree(ctx, "scripts", key, func(dir string) error {
		return a.run(ctx, lower, filepath.Join(dir, "upper"), steps)
	})
	return filepath.Join(dir, "upper"), err
}

func (a *assembly) run(ctx context.Context, lower []string, upper string, steps []script.Step) error {
	r := script.Runner{Lower: lower, Upper: upper, Epoch: a.epoch, Log: a.log()}
	if err := os.MkdirAll(upper, 0o755); err != nil {
		return err
	}
	return r.Run(ctx, steps)
}

// lowers unpacks layers and gives the folders that scripts run over, topmost first: what early
// scripts made, the layers, what %pretrans made.
func (a *assembly) lowers(ctx context.Context, layers []layer.Blob) ([]string, error) {
	lower, err := a.unpackBlobs(ctx, layers)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(a.uppers)
	slices.Reverse(all)
	for _, dir := range lower {
		if !slices.Contains(all, dir) { // layers of packages without files are all the same one
			all = append(all, dir)
		}
	}
	if a.bottom != "" {
		all = append(all, a.bottom)
	}
	return all, nil
}

// scriptsKey is the hash of all that decides what scripts do: the root that they see, and they
// themselves.
func (a *assembly) scriptsKey(layers []layer.Blob, steps []script.Step) string {
	parts := []string{scriptsFormat, a.spec.Arch, strconv.FormatInt(a.epoch, 10)}
	for _, l := range layers {
		parts = append(parts, l.DiffID)
	}
	parts = append(parts, "uppers")
	for _, u := range append([]string{a.bottom}, a.uppers...) {
		rel, err := filepath.Rel(a.Cache.Root(), u)
		if err != nil {
			rel = u
		}
		parts = append(parts, rel)
	}
	for i := range steps {
		parts = append(parts, steps[i].Key())
	}
	return cache.Key(parts...)
}

// scriptsLayer runs what is left of the plan over the layers and makes a layer of all that scripts
// changed. Without a change there is no layer.
func (a *assembly) scriptsLayer(ctx context.Context, layers []layer.Blob) (*layer.Blob, error) {
	if len(a.steps) == 0 && len(a.uppers) == 0 && a.bottom == "" {
		return nil, nil
	}
	blob, err := a.maker.Files(ctx, a.scriptsKey(layers, a.steps), func(archive *layer.Archive) error {
		return a.collect(ctx, layers, archive)
	})
	if err != nil || blob.TarSize == onlyEnd {
		return nil, err
	}
	return &blob, nil
}

func (a *assembly) collect(ctx context.Context, layers []layer.Blob, archive *layer.Archive) error {
	lower, err := a.lowers(ctx, layers)
	if err != nil {
		return err
	}
	uppers := a.uppers
	if len(a.steps) > 0 {
		scratch, cleanup, err := a.Cache.Temp("scripts-")
		if err != nil {
			return err
		}
		defer cleanup()
		upper := filepath.Join(scratch, "upper")
		if err := a.run(ctx, lower, upper, a.steps); err != nil {
			return err
		}
		uppers = append(slices.Clone(uppers), upper)
	}
	below := lower[len(a.uppers):]
	if a.bottom != "" {
		below = below[:len(below)-1]
	}
	changes, err := script.Collect(a.bottom, uppers, below, a.epoch, a.tree.Owner)
	if err != nil {
		return err
	}
	defer changes.Close()
	return changes.Write(archive)
}

// directoryLinks are the symbolic links that early scripts made, and that no package brings another
// in the place of: later files may lie behind them.
func (a *assembly) directoryLinks(upper string) (layer.Links, error) {
	changes, err := sandbox.Changes(upper)
	if err != nil {
		return nil, err
	}
	links := layer.Links{}
	for _, c := range changes {
		if c.Kind != sandbox.Written || c.Info.Mode()&os.ModeSymlink == 0 {
			continue
		}
		target, err := os.Readlink(filepath.Join(upper, c.Path))
		if err != nil {
			return nil, fmt.Errorf("reading what scripts changed: %w", err)
		}
		links["/"+c.Path] = target
	}
	for i := range a.packages {
		for _, f := range a.packages[i].files {
			if f.IsLink() && !f.IsGhost() {
				delete(links, f.Path)
			}
		}
	}
	return links, nil
}
