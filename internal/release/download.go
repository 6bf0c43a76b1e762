package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/requirement"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/wheel"
)

// exceptWheel is a wheel that an exception brings.
type exceptWheel struct {
	*wheel.Wheel
	locked wheel.Locked
	origin requirement.Origin
}

// exceptWheels brings the wheels that an image takes as exceptions, each once, in their order.
func (p *Pipeline) exceptWheels(ctx context.Context, img string) ([]exceptWheel, error) {
	var list []exceptWheel
	seen := map[string]bool{}
	for _, x := range p.Config.ExceptionsOf([]string{img}) {
		if x.Wheel == nil {
			continue
		}
		locked := []wheel.Locked{{URL: x.Wheel.URL, SHA256: x.Wheel.SHA256}}
		if file := x.Wheel.Requirements; file.Value != "" {
			closure, err := p.closure(file)
			if err != nil {
				return nil, err
			}
			locked = append(locked, closure...)
		}
		for _, l := range locked {
			if seen[l.SHA256] {
				continue
			}
			seen[l.SHA256] = true
			origin := requirement.Origin{File: config.FileName, Line: x.Name.Line, Section: "exceptions." + x.Name.Value}
			if l.Line > 0 {
				origin.File, origin.Line = x.Wheel.Requirements.Value, l.Line
			}
			w, err := p.fetchWheel(ctx, l)
			if err != nil {
				return nil, fmt.Errorf("exception %s: %w", x.Name.Value, err)
			}
			t := p.readFor(p.Config.Images[img].Target)
			if python := t.PythonVersion(); python != "" && !w.Fits(python, t.Arch) {
				return nil, fmt.Errorf("exception %s: %s is not for Python %s on %s", x.Name.Value, l.FileName(), python, t.Arch)
			}
			list = append(list, exceptWheel{w, l, origin})
		}
	}
	return list, nil
}

// closure reads a requirements file beside the configuration.
func (p *Pipeline) closure(file config.Text) ([]wheel.Locked, error) {
	root, err := os.OpenRoot(p.Config.Dir())
	if err != nil {
		return nil, fmt.Errorf("reading the configuration's folder: %w", err)
	}
	defer root.Close()
	data, err := root.ReadFile(file.Value)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: reading the wheel's requirements: %w", config.FileName, file.Line, err)
	}
	return wheel.ParseClosure(data, file.Value)
}

// fetchWheel brings a wheel, under its own name: what it is is told by that.
func (p *Pipeline) fetchWheel(ctx context.Context, l wheel.Locked) (*wheel.Wheel, error) {
	name := l.FileName()
	dir, _, err := p.Cache.Tree(ctx, "download-wheel", cache.Key(l.SHA256, name), func(dir string) error {
		file, err := p.Repositories.Download(ctx, rpmrepo.Download{What: name, URL: l.URL, SHA256: l.SHA256})
		if err != nil {
			return err
		}
		return copyFile(filepath.Join(dir, name), file)
	})
	if err != nil {
		return nil, err
	}
	return wheel.Open(filepath.Join(dir, name))
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// needs is what a wheel needs and provides on a target.
func (w *exceptWheel) needs(t requirement.Target) (*requirement.Needs, error) {
	dist, err := w.Dist("wheel " + w.Name)
	if err != nil {
		return nil, err
	}
	return requirement.FromWheel(dist.Name, dist.Version, dist.Requires, w.origin, t)
}

// exceptFiles brings the files and archives that an image takes as exceptions.
func (b *build) exceptFiles(ctx context.Context, img string, when int64, files *fileSet) error {
	for _, x := range b.Config.ExceptionsOf([]string{img}) {
		entries, err := b.exceptEntries(ctx, x)
		if err != nil {
			return fmt.Errorf("exception %s: %w", x.Name.Value, err)
		}
		for _, e := range entries {
			e.ModTime = when
			if err := files.add("exception "+x.Name.Value, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *build) exceptEntries(ctx context.Context, x config.Exception) ([]image.FileEntry, error) {
	switch {
	case x.File != nil:
		file, err := b.Repositories.Download(ctx, rpmrepo.Download{What: x.File.URL, URL: x.File.URL, SHA256: x.File.SHA256})
		if err != nil {
			return nil, err
		}
		content, err := os.ReadFile(file)
		mode := uint64(0o644)
		if x.File.Mode != "" {
			mode, _ = strconv.ParseUint(x.File.Mode, 8, 32) // the configuration has checked it
		}
		return []image.FileEntry{{Path: x.File.To, Mode: modeRegular | uint32(mode), Content: content}}, err
	case x.Archive != nil:
		file, err := b.Repositories.Download(ctx, rpmrepo.Download{What: x.Archive.URL, URL: x.Archive.URL, SHA256: x.Archive.SHA256})
		if err != nil {
			return nil, err
		}
		return unpackArchive(file, *x.Archive)
	}
	return nil, nil
}
