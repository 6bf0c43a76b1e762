package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

// Folder is an archive on this machine's disk, or one that it has mounted.
type Folder struct{ Root string }

var _ Archive = (*Folder)(nil)

// String gives the folder.
func (f *Folder) String() string { return f.Root }

func (f *Folder) dir(target, repository string) string {
	return filepath.Join(f.Root, target, FolderName(repository))
}

// Add copies what is not there and writes the metadata of the repositories anew. Each file is there
// whole or not at all; packages come before the metadata that names them.
func (f *Folder) Add(ctx context.Context, target string, packages []Package) (Added, error) {
	added := Added{Total: len(packages), Reference: filepath.Join(f.Root, target)}
	if err := os.MkdirAll(added.Reference, 0o755); err != nil {
		return added, fmt.Errorf("archiving packages: %w", err)
	}
	release, err := lock.Guard(ctx, filepath.Join(added.Reference, "."+target), nil)
	if err != nil {
		return added, fmt.Errorf("archiving packages: %w", err)
	}
	defer release()
	changed := map[string]bool{}
	for i := range packages {
		p := &packages[i]
		if ctx.Err() != nil {
			return added, context.Cause(ctx)
		}
		dir := f.dir(target, p.Repository)
		fresh, err := keep(dir, p)
		if err != nil {
			return added, err
		}
		if _, err := os.Stat(filepath.Join(dir, "repodata", "repomd.xml")); fresh || err != nil {
			changed[dir] = true
		}
		if fresh {
			added.Packages++
			added.Bytes += p.Size
		}
	}
	for dir := range changed {
		if err := repowrite.Write(dir, repowrite.Options{}); err != nil {
			return added, err
		}
	}
	return added, nil
}

// keep copies a package to where it belongs, unless it is there.
func keep(dir string, p *Package) (fresh bool, err error) {
	first, other, err := p.locate()
	if err != nil {
		return false, err
	}
	for _, place := range []string{first, other} {
		to := filepath.Join(dir, filepath.FromSlash(place))
		sum, err := sumOf(to)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return true, copyTo(to, p)
		case err != nil:
			return false, fmt.Errorf("archiving %s: %w", p.Location, err)
		case sum == p.SHA256:
			return false, nil
		}
	}
	return false, fmt.Errorf("archiving %s: %s is there and damaged: remove it", p.Location, filepath.Join(dir, other))
}

func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func copyTo(to string, p *Package) error {
	err := func() error {
		from, err := os.Open(p.Path)
		if err != nil {
			return err
		}
		defer from.Close()
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		out, err := renameio.NewPendingFile(to, renameio.WithPermissions(0o644))
		if err != nil {
			return err
		}
		defer func() { _ = out.Cleanup() }()
		if _, err := io.Copy(out, from); err != nil {
			return err
		}
		return out.CloseAtomicallyReplace()
	}()
	if err != nil {
		return fmt.Errorf("archiving %s: %w", p.Location, err)
	}
	return nil
}

// Repositories finds the folders of a target that have metadata.
func (f *Folder) Repositories(_ context.Context, target string) (map[string]string, error) {
	dirs, err := os.ReadDir(filepath.Join(f.Root, target))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the archive: %w", err)
	}
	found := map[string]string{}
	for _, d := range dirs {
		dir := filepath.Join(f.Root, target, d.Name())
		if _, err := os.Stat(filepath.Join(dir, "repodata", "repomd.xml")); err == nil {
			found[d.Name()] = dir
		}
	}
	return found, nil
}

// Places are the two at which Add may have put it.
func (f *Folder) Places(target string, p Package) []string {
	first, other, err := p.locate()
	if err != nil {
		return nil
	}
	dir := f.dir(target, p.Repository)
	return []string{filepath.Join(dir, filepath.FromSlash(first)), filepath.Join(dir, filepath.FromSlash(other))}
}
