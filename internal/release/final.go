package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/wheel"
)

// pythonProgram is the interpreter of every target.
const pythonProgram = "/usr/bin/python3"

// Labels that every image has beside those of its configuration.
const (
	labelService = "build.slipway.service"
	labelLock    = "build.slipway.lock"
	labelProject = "build.slipway.project." // + name: the commit
)

// Bounds of the files that a configuration puts into an image.
const (
	maxImageFiles = 50_000
	maxImageBytes = 1 << 30
)

// Modes of files as stat(2) has them.
const (
	modeType    = 0o170000
	modeDir     = 0o040000
	modeRegular = 0o100000
	modeLink    = 0o120000
)

// image makes one final image: the base, the wheels of its projects, its files.
func (b *build) image(ctx context.Context, t *lock.Target, name string, paths map[string]string, wheels map[string]*wheel.Wheel) (builtImage, error) {
	conf := b.Config.Images[name]
	base, err := b.base(ctx, t, name, paths)
	if err != nil {
		return builtImage{}, err
	}
	files := &fileSet{from: map[string]string{}}
	if len(conf.Projects) > 0 {
		if err := b.install(ctx, t, name, base, wheels, files); err != nil {
			return builtImage{}, err
		}
	}
	projects := b.Config.ProjectsOf([]string{name})
	newest := b.candidate.newest(projects)
	for _, f := range conf.Files {
		if err := b.place(ctx, f, newest.Unix(), files); err != nil {
			return builtImage{}, fmt.Errorf("%s:%d: %w", config.FileName, f.From.Line, err)
		}
	}
	labels := maps.Clone(conf.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[labelService] = b.Config.Service
	labels[labelLock] = "sha256:" + t.Digest(name)
	for _, project := range projects {
		labels[labelProject+project] = b.candidate.Revisions[project].Commit
	}
	final, err := b.Images.Final(ctx, image.FinalSpec{Base: base, Files: files.entries, Config: image.Config{
		Env: conf.Env, User: conf.User, WorkDir: conf.Workdir, Entrypoint: conf.Entrypoint, Cmd: conf.Command,
		Ports: conf.Ports, Labels: labels, Created: newest,
	}})
	return builtImage{name: name, base: base, final: final}, err
}

// install lays out the wheels of an image's projects as the base's Python wants them.
func (b *build) install(ctx context.Context, t *lock.Target, name string, base *image.Image, wheels map[string]*wheel.Wheel, files *fileSet) error {
	lowers, err := b.Images.Unpack(ctx, base)
	if err != nil {
		return err
	}
	scheme, err := wheel.ProbeScheme(ctx, wheel.Root{Lowers: lowers, Key: t.Digest(name), Python: pythonProgram}, b.Cache)
	if err != nil {
		return err
	}
	for _, project := range b.Config.Images[name].Projects {
		r := b.candidate.Revisions[project]
		installed, err := wheels[project].Install(scheme, wheel.Direct{URL: b.origin(project), Commit: r.Commit})
		if err != nil {
			return fmt.Errorf("installing project %s: %w", project, err)
		}
		for _, f := range installed {
			err := files.add("project "+project, image.FileEntry{Path: f.Path, Mode: modeRegular | f.Mode, ModTime: r.Time.Unix(), Content: f.Content})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// origin is where a project comes from, as images record it. The path of a repository on this
// machine says nothing on another one, and images do not depend on where they are built: such a
// project goes by its name.
func (p *Pipeline) origin(project string) string {
	git := p.Config.Projects[project].Git
	if p.isPath(git) || strings.HasPrefix(git, "file:") {
		return "file:///" + project
	}
	return git
}

// place adds what one entry of an image's files names.
func (b *build) place(ctx context.Context, f config.File, when int64, files *fileSet) error {
	project, from := f.Source()
	fsys, closer, err := b.files(ctx, project)
	if err != nil {
		return err
	}
	defer closer.Close()
	from = path.Clean(from)
	found := false
	err = fs.WalkDir(fsys, from, func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		found = true
		entry, err := fileEntry(fsys, at, e)
		if err != nil {
			return err
		}
		entry.Path = path.Join(f.To, strings.TrimPrefix(at, from))
		entry.UID, entry.GID, entry.ModTime = f.UID, f.GID, when
		if f.Mode != "" && entry.Mode&modeType == modeRegular {
			m, _ := strconv.ParseUint(f.Mode, 8, 32) // the configuration has checked it
			entry.Mode = modeRegular | uint32(m)
		}
		return files.add(f.From.Value, entry)
	})
	if errors.Is(err, fs.ErrNotExist) && !found {
		return fmt.Errorf("there is no %s%s", f.From.Value, b.at(project))
	}
	return err
}

// files are a project's at the candidate's commit, or those beside the configuration.
func (b *build) files(ctx context.Context, project string) (fs.FS, io.Closer, error) {
	if project != "" {
		tree, err := b.candidate.mirrors[project].Tree(ctx, b.candidate.Revisions[project], "")
		return tree, tree, err
	}
	root, err := os.OpenRoot(b.Config.Dir())
	if err != nil {
		return nil, nil, err
	}
	return root.FS(), root, nil
}

func (b *build) at(project string) string {
	if project == "" {
		return ""
	}
	return " at " + b.candidate.Revisions[project].Short()
}

func fileEntry(fsys fs.FS, at string, e fs.DirEntry) (image.FileEntry, error) {
	info, err := e.Info()
	if err != nil {
		return image.FileEntry{}, err
	}
	switch {
	case e.IsDir():
		return image.FileEntry{Mode: modeDir | 0o755}, nil
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := fs.ReadLink(fsys, at)
		return image.FileEntry{Mode: modeLink | 0o777, Link: target}, err
	case info.Mode().IsRegular():
		content, err := fs.ReadFile(fsys, at)
		mode := uint32(0o644)
		if info.Mode()&0o111 != 0 {
			mode = 0o755
		}
		return image.FileEntry{Mode: modeRegular | mode, Content: content}, err
	default:
		return image.FileEntry{}, fmt.Errorf("%s is neither a file, nor a folder, nor a symbolic link", at)
	}
}

// fileSet gathers the files of a final image, and who brings each.
type fileSet struct {
	entries []image.FileEntry
	from    map[string]string
	bytes   int64
}

func (s *fileSet) add(from string, e image.FileEntry) error {
	if other, ok := s.from[e.Path]; ok {
		if e.Mode&modeType == modeDir {
			return nil // two may bring the same folder
		}
		return fmt.Errorf("%s and %s both bring %s", other, from, e.Path)
	}
	s.bytes += int64(len(e.Content))
	if len(s.entries) >= maxImageFiles || s.bytes > maxImageBytes {
		return fmt.Errorf("more than %d files or %d MiB beside the RPMs", maxImageFiles, maxImageBytes>>20)
	}
	s.from[e.Path] = from
	s.entries = append(s.entries, e)
	return nil
}

// hashFiles identifies the content of a file or folder beside the configuration.
func hashFiles(root string) (string, error) {
	var parts []string
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil || e.IsDir() {
			return err
		}
		entry, err := fileEntry(os.DirFS(filepath.Dir(p)), filepath.Base(p), e)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(entry.Content)
		parts = append(parts, rel, strconv.FormatUint(uint64(entry.Mode), 8), entry.Link, hex.EncodeToString(sum[:]))
		return nil
	})
	return cache.Key(parts...), err
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
