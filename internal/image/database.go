package image

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/image/rpmdb"
	"github.com/slipway-build/slipway/internal/rpm"
)

// databaseFormat is part of the key of the database's layer.
const databaseFormat = "rpmdb/1"

// databaseLayer makes the layer with the RPM database.
func (a *assembly) databaseLayer(ctx context.Context) (layer.Blob, error) {
	dir, link, err := a.databasePath()
	if err != nil {
		return layer.Blob{}, err
	}
	parts := []string{databaseFormat, dir, link, strconv.FormatInt(a.epoch, 10)}
	for i, p := range a.packages {
		parts = append(parts, p.SHA256, string(a.tree.States(i)))
	}
	paths := []string{path.Join(dir, rpmdb.FileName)}
	if link != "" {
		paths = append(paths, link)
	}
	dirs := a.tree.Parents(paths...)
	for _, d := range dirs {
		parts = append(parts, fmt.Sprintf("%s %o %d %d", d.Path, d.Mode, d.UID, d.GID))
	}
	blob, err := a.maker.Files(ctx, cache.Key(parts...), func(archive *layer.Archive) error {
		for _, d := range dirs {
			if err := archive.Add(d.Entry(), nil); err != nil {
				return err
			}
		}
		if link != "" {
			target, err := filepath.Rel(path.Dir(link), dir)
			if err != nil {
				return err
			}
			e := layer.Entry{Path: link, Mode: rpm.ModeLink | 0o777, Link: target, ModTime: a.epoch}
			if err := archive.Add(e, nil); err != nil {
				return err
			}
		}
		return a.addDatabase(ctx, archive, paths[0])
	})
	if err != nil {
		return blob, fmt.Errorf("layer of the RPM database: %w", err)
	}
	return blob, nil
}

// databasePath is the folder of the database, and a link to it that has to be made, or "".
func (a *assembly) databasePath() (dir, link string, err error) {
	dir = a.spec.Options.DBPath
	if dir == "" {
		files := make([][]rpm.File, len(a.packages))
		for i := range a.packages {
			files[i] = a.packages[i].files
		}
		dir = rpmdb.Location(files)
	}
	if dir, err = a.tree.Resolve(dir); err != nil {
		return "", "", fmt.Errorf("finding the place of the RPM database: %w", err)
	}
	if old, err := a.tree.Resolve(rpmdb.OldLocation); err == nil && dir == rpmdb.NewLocation && !a.tree.Has(old) {
		link = old
	}
	return dir, link, nil
}

func (a *assembly) addDatabase(ctx context.Context, archive *layer.Archive, at string) error {
	scratch, cleanup, err := a.Cache.Temp("rpmdb-")
	if err != nil {
		return err
	}
	defer cleanup()
	file := filepath.Join(scratch, rpmdb.FileName)
	installed := make([]rpmdb.Installed, len(a.packages))
	for i, p := range a.packages {
		installed[i] = rpmdb.Installed{Header: p.rpm.Header, Signature: p.rpm.Signature, States: a.tree.States(i)}
	}
	if err := rpmdb.Write(ctx, file, installed, a.epoch); err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	e := layer.Entry{Path: at, Mode: rpm.ModeRegular | 0o644, Size: int64(len(data)), ModTime: a.epoch}
	return archive.Add(e, bytes.NewReader(data))
}
