package release

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/image"
)

// Bounds of the files that an image has beside its RPMs.
const (
	maxImageFiles = 50_000
	maxImageBytes = 1 << 30
)

// budget counts what is read against these bounds.
type budget struct {
	files int
	bytes int64
}

func (b *budget) take(size int64) error {
	b.files++
	b.bytes += size
	if b.files > maxImageFiles || b.bytes > maxImageBytes {
		return fmt.Errorf("more than %d files or %d MiB beside the RPMs", maxImageFiles, maxImageBytes>>20)
	}
	return nil
}

// gathered is a file, or a folder with what is in it, in the order of names. Paths are relative to
// it; its own is "".
type gathered []image.FileEntry

// errNothing says that there is nothing of a name, which follows.
var errNothing = errors.New("there is no")

// gather reads what is at from in fsys. A symbolic link at from itself is followed, those below stay
// links. Repositories in it (.git) are left out.
func gather(fsys fs.FS, from string, left *budget) (gathered, error) {
	var list gathered
	err := fs.WalkDir(fsys, from, func(at string, e fs.DirEntry, err error) error {
		switch {
		case at == from && errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w %s", errNothing, from)
		case err != nil:
			return err
		case e.Name() == ".git" && e.IsDir():
			return fs.SkipDir
		case e.Name() == ".git":
			return nil
		}
		entry, err := fileEntry(fsys, at, e, left)
		if err != nil {
			return err
		}
		switch {
		case at == from:
		case from == ".":
			entry.Path = at
		default:
			entry.Path = strings.TrimPrefix(at, from+"/")
		}
		list = append(list, entry)
		return nil
	})
	return list, err
}

func fileEntry(fsys fs.FS, at string, e fs.DirEntry, left *budget) (image.FileEntry, error) {
	info, err := e.Info()
	if err != nil {
		return image.FileEntry{}, err
	}
	switch {
	case e.IsDir():
		return image.FileEntry{Mode: modeDir | 0o755}, left.take(0)
	case info.Mode()&fs.ModeSymlink != 0:
		if err := left.take(0); err != nil {
			return image.FileEntry{}, err
		}
		target, err := fs.ReadLink(fsys, at)
		return image.FileEntry{Mode: modeLink | 0o777, Link: target}, err
	case info.Mode().IsRegular():
		if err := left.take(info.Size()); err != nil {
			return image.FileEntry{}, err
		}
		content, err := fs.ReadFile(fsys, at)
		mode := uint32(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		return image.FileEntry{Mode: modeRegular | mode, Content: content}, err
	default:
		return image.FileEntry{}, fmt.Errorf("%q is neither a file, nor a folder, nor a symbolic link", at)
	}
}

// key identifies names, modes and content.
func (g gathered) key() string {
	var parts []string
	for _, e := range g {
		sum := sha256.Sum256(e.Content)
		parts = append(parts, e.Path, strconv.FormatUint(uint64(e.Mode), 8), e.Link, hex.EncodeToString(sum[:]))
	}
	return cache.Key(parts...)
}

// entries are the files as they go into an image. Folders are left to the image, which knows those of
// its base, where they are neither empty nor said to be somebody's.
func (g gathered) entries(f config.File) []image.FileEntry {
	var list []image.FileEntry
	for i, e := range g {
		e.UID, e.GID = f.UID, f.GID
		folder := e.Mode&modeType == modeDir
		switch {
		case e.Path == "" && !folder && strings.HasSuffix(f.To, "/"):
			_, from := f.Source()
			e.Path = path.Join(f.To, path.Base(from))
		default:
			e.Path = path.Join(f.To, e.Path)
		}
		empty := i+1 == len(g) || !strings.HasPrefix(path.Join(f.To, g[i+1].Path), e.Path+"/")
		if folder && (e.Path == "/" || !empty && f.UID == 0 && f.GID == 0) {
			continue
		}
		if f.Mode != "" && e.Mode&modeType == modeRegular {
			m, _ := strconv.ParseUint(f.Mode, 8, 32) // the configuration has checked it
			e.Mode = modeRegular | uint32(m)
		}
		list = append(list, e)
	}
	return list
}

// besides reads the files of the configuration's folder that images take, or that say what they take, by
// their clean paths. No
// path leads out of the folder, also not through symbolic links.
func (p *Pipeline) besides(images []string) (map[string]gathered, error) {
	root, err := os.OpenRoot(p.Config.Dir())
	if err != nil {
		return nil, fmt.Errorf("reading the configuration's folder: %w", err)
	}
	defer root.Close()
	all, left := map[string]gathered{}, new(budget)
	for _, name := range images {
		for _, f := range p.Config.Images[name].Files {
			project, from := f.Source()
			if from = path.Clean(from); project != "" || all[from] != nil {
				continue
			}
			if all[from], err = gather(root.FS(), from, left); err != nil {
				return nil, fmt.Errorf("image %s: %s:%d: %w", name, config.FileName, f.From.Line, err)
			}
		}
	}
	for _, x := range p.Config.ExceptionsOf(images) {
		if x.Wheel == nil || x.Wheel.Requirements.Value == "" {
			continue
		}
		file := x.Wheel.Requirements
		if all[path.Clean(file.Value)], err = gather(root.FS(), path.Clean(file.Value), left); err != nil {
			return nil, fmt.Errorf("exception %s: %s:%d: %w", x.Name.Value, config.FileName, file.Line, err)
		}
	}
	return all, nil
}
