package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
)

// ArtifactType is what an archived lock is in a registry.
const ArtifactType = "application/vnd.slipway.rpms.v1"

// What the files of an artifact are.
const (
	rpmType      = "application/x-rpm"
	metadataType = "application/vnd.slipway.repodata.v1"
)

// Registry is an archive in a repository of a container registry.
type Registry struct {
	// Repository is where, HOST/PATH.
	Repository string
	Options    registry.Options
	// Blobs reads from the same registry.
	Blobs *registry.Blobs
	// Cache keeps the metadata of archived locks.
	Cache *cache.Dir
}

var _ Archive = (*Registry)(nil)

// String gives the repository.
func (r *Registry) String() string { return r.Repository }

// tag is what the last lock of a target is called.
func (r *Registry) tag(target string) string { return r.Repository + ":" + target }

// Add pushes the packages that the registry does not have, and the metadata of all, as one artifact. It is
// called after the target, and after the target and its own digest, under which it stays when the next
// one comes: a registry that removes what has no tag keeps it until that tag is removed.
func (r *Registry) Add(ctx context.Context, target string, packages []Package) (added Added, err error) {
	added.Total = len(packages)
	scratch, cleanup, err := r.Cache.Temp("archive-")
	if err != nil {
		return added, err
	}
	defer cleanup()
	files, err := layOut(scratch, packages)
	if err != nil {
		return added, err
	}
	digest := cache.Key(titles(files)...)
	o := r.Options
	o.Tags = append(slices.Clone(o.Tags), target+"-"+digest[:12])
	there, _, err := registry.PullFiles(ctx, r.tag(target), r.Options)
	if err != nil && !isMissing(err) {
		return added, err
	}
	for _, p := range packages {
		if !slices.ContainsFunc(there, func(f registry.File) bool { return f.SHA256 == p.SHA256 }) {
			added.Packages++
			added.Bytes += p.Size
		}
	}
	pushed, err := registry.PushFiles(ctx, r.tag(target), ArtifactType, files, o)
	if err != nil {
		return added, err
	}
	added.Reference = pushed.Reference()
	return added, nil
}

// layOut makes the repositories in a folder and lists their files, sorted.
func layOut(scratch string, packages []Package) ([]registry.File, error) {
	var files []registry.File
	dirs := map[string]bool{}
	taken := map[string]string{}
	for i := range packages {
		p := &packages[i]
		first, other, err := p.locate()
		if err != nil {
			return nil, err
		}
		title := path.Join(FolderName(p.Repository), first)
		switch taken[title] {
		case p.SHA256:
			continue
		case "":
		default:
			title = path.Join(FolderName(p.Repository), other)
		}
		taken[title] = p.SHA256
		to := filepath.Join(scratch, filepath.FromSlash(title))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return nil, fmt.Errorf("archiving %s: %w", p.Location, err)
		}
		if err := os.Symlink(p.Path, to); err != nil {
			return nil, fmt.Errorf("archiving %s: %w", p.Location, err)
		}
		dirs[FolderName(p.Repository)] = true
		files = append(files, registry.File{Title: title, MediaType: rpmType, SHA256: p.SHA256, Size: p.Size, Path: p.Path})
	}
	for dir := range dirs {
		metadata, err := describe(scratch, dir)
		if err != nil {
			return nil, err
		}
		files = append(files, metadata...)
	}
	slices.SortFunc(files, func(a, b registry.File) int { return strings.Compare(a.Title, b.Title) })
	return files, nil
}

// describe writes the metadata of a repository's folder and lists it.
func describe(scratch, dir string) ([]registry.File, error) {
	if err := repowrite.Write(filepath.Join(scratch, dir), repowrite.Options{}); err != nil {
		return nil, err
	}
	parts, err := os.ReadDir(filepath.Join(scratch, dir, "repodata"))
	if err != nil {
		return nil, fmt.Errorf("archiving metadata: %w", err)
	}
	var files []registry.File
	for _, part := range parts {
		title := path.Join(dir, "repodata", part.Name())
		name := filepath.Join(scratch, filepath.FromSlash(title))
		sum, err := sumOf(name)
		if err != nil {
			return nil, fmt.Errorf("archiving metadata: %w", err)
		}
		st, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("archiving metadata: %w", err)
		}
		files = append(files, registry.File{Title: title, MediaType: metadataType, SHA256: sum, Size: st.Size(), Path: name})
	}
	return files, nil
}

func titles(files []registry.File) []string {
	var list []string
	for _, f := range files {
		list = append(list, f.Title, f.SHA256)
	}
	return list
}

func isMissing(err error) bool {
	refused, ok := errors.AsType[*registry.Error](err)
	return ok && refused.Reason == registry.NotFound
}

// Repositories brings the metadata of the target's last lock to the cache.
func (r *Registry) Repositories(ctx context.Context, target string) (map[string]string, error) {
	files, digest, err := registry.PullFiles(ctx, r.tag(target), r.Options)
	if isMissing(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading the archive: %w", err)
	}
	dir, _, err := r.Cache.Tree(ctx, "archive", digest.Hex, func(dir string) error {
		for _, f := range files {
			if f.MediaType == metadataType {
				if err := r.bring(ctx, dir, f); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the archive: %w", err)
	}
	return (&Folder{Root: filepath.Dir(dir)}).Repositories(ctx, filepath.Base(dir))
}

// maxMetadata bounds a file of metadata: that of ten thousand packages has a few megabytes.
const maxMetadata = 512 << 20

func (r *Registry) bring(ctx context.Context, dir string, f registry.File) error {
	if !fs.ValidPath(f.Title) || f.Size > maxMetadata {
		return fmt.Errorf("%q of %d bytes is no metadata of packages", f.Title, f.Size)
	}
	in, err := r.Blobs.Open(ctx, r.Repository+"@sha256:"+f.SHA256, f.Size)
	if err != nil {
		return err
	}
	defer in.Close()
	to := filepath.Join(dir, filepath.FromSlash(f.Title))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Places is the blob.
func (r *Registry) Places(_ string, p Package) []string {
	return []string{transfer.BlobPlace(r.Repository + "@sha256:" + p.SHA256)}
}
