package image

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/rpm"
)

// FinalSpec says what a final image is made of.
type FinalSpec struct {
	// Base is an image that Builder.Base made.
	Base *Image
	// Files are laid over the base, in any order: those of each group as a layer of their own. Links
	// among the base's folders are followed (/lib to usr/lib), its folders keep their modes, and those that are missing are made
	// as root's, mode 0755. Two entries of one place are an error, unless both are the same folder.
	Files []FileEntry
	// Writable are folders, by absolute and clean paths, that are made where they are missing. They, the
	// Files in them and what Steps leave there belong to group 0, which may do what the owner may.
	Writable []string
	// Steps run in order over the base and Files; what they change becomes a layer.
	Steps []Step
	// Config is the whole run-time configuration; nothing is taken over from the base.
	Config Config
	// Compression and Level of the layer, as for Options. Empty: gzip.
	Compression layer.Compression
	Level       int
	// Docker says that the manifest has docker's media types, whatever the base's has.
	Docker bool
}

// FileEntry is a file, directory or symbolic link of a final image.
type FileEntry struct {
	// Path is absolute and clean.
	Path string
	// Mode is a st_mode: type and permissions. Without a type it is a regular file; a symbolic link
	// is S_IFLNK, a directory S_IFDIR, and nothing else is allowed.
	Mode uint32
	// UID and GID of the owner; zero is root.
	UID, GID int
	// ModTime in seconds since 1970. Folders have none.
	ModTime int64
	// Link is the target of a symbolic link.
	Link string
	// Content of a regular file.
	Content []byte
	// Group is what changes together, such as a project's name: a change of one group leaves the
	// layers of the others as they are.
	Group string
}

// maxGroups bounds the layers of files: runtimes take 127 layers in all. More groups share layers, by
// the hash of their names, so that a new one moves no other.
const maxGroups = 32

// Config is what a container of the image runs, and how.
type Config struct {
	// Env by name. A PATH is added where there is none.
	Env map[string]string
	// User as "uid[:gid]" or a name of the image. Empty: root.
	User string
	// WorkDir is where the command starts. Empty: /.
	WorkDir    string
	Entrypoint []string
	Cmd        []string
	// Ports are TCP ports that the image listens on.
	Ports []int
	// Healthcheck says how a container's health is known. Nil: not at all.
	Healthcheck *Healthcheck
	// Labels go to the configuration, and to the manifest as annotations.
	Labels map[string]string
	// Created is written to the configuration: the newest commit's time, never the time of the
	// build. Zero: that of the base.
	Created time.Time
}

// Healthcheck is that of docker's configurations (image specification 1.2, "Healthcheck"), which
// docker and what follows it look at; OCI's have none.
type Healthcheck struct {
	// Test is "CMD" and a program with its arguments, or "CMD-SHELL" and a line for the shell.
	Test []string
	// Interval between two checks, Timeout of one, and StartPeriod, in which failures do not count.
	// Zero: the runtime's default.
	Interval, Timeout, StartPeriod time.Duration
	// Retries are how many failures in a row mean unhealthy. Zero: the runtime's default.
	Retries int
}

// finalFormat is part of the key of a final image's layer.
const finalFormat = "final/1"

// Final makes a final image. It writes small layers; the base's blobs are not read.
func (b *Builder) Final(ctx context.Context, spec FinalSpec) (*Image, error) {
	img, err := b.final(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("making final image: %w", err)
	}
	return img, nil
}

func (b *Builder) final(ctx context.Context, spec FinalSpec) (*Image, error) {
	if spec.Base == nil {
		return nil, errors.New("there is no base image")
	}
	config, err := spec.config()
	if err != nil {
		return nil, err
	}
	layers := slices.Clone(spec.Base.layers)
	groups, err := spec.groups()
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		blob, err := b.filesLayer(ctx, spec, g)
		if err != nil {
			return nil, err
		}
		layers = append(layers, &Layer{blob: blob})
		config.History = append(config.History, v1.History{Created: config.Created, CreatedBy: creator + ": " + g.title()})
	}
	if len(spec.Steps) > 0 {
		blob, err := b.stepsLayer(ctx, &spec, config, layers)
		if err != nil {
			return nil, err
		}
		if blob != nil {
			layers = append(layers, &Layer{blob: *blob})
			config.History = append(config.History, v1.History{Created: config.Created, CreatedBy: creator + ": run"})
		}
	}
	img, err := newImage(config, layers, maps.Clone(spec.Config.Labels), mediaTypes(spec.Docker))
	if err != nil {
		return nil, err
	}
	img.shape, img.ids = spec.Base.shape, spec.Base.ids
	return img, nil
}

func (spec *FinalSpec) config() (*v1.ConfigFile, error) {
	config := spec.Base.config.DeepCopy()
	c := spec.Config
	if !c.Created.IsZero() {
		config.Created = v1.Time{Time: c.Created.UTC().Truncate(time.Second)}
	}
	env := maps.Clone(c.Env)
	if env == nil {
		env = map[string]string{}
	}
	if _, ok := env["PATH"]; !ok {
		env["PATH"] = defaultPath
	}
	config.Config = v1.Config{
		User: c.User, WorkingDir: c.WorkDir, Entrypoint: c.Entrypoint, Cmd: c.Cmd, Labels: maps.Clone(c.Labels),
	}
	if h := c.Healthcheck; h != nil {
		config.Config.Healthcheck = &v1.HealthConfig{
			Test: h.Test, Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, Retries: h.Retries,
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return nil, fmt.Errorf("%q cannot be the name of an environment variable", name)
		}
		config.Config.Env = append(config.Config.Env, name+"="+env[name])
	}
	for _, port := range c.Ports {
		if port < 1 || port > 65535 {
			return nil, fmt.Errorf("port %d is not between 1 and 65535", port)
		}
		if config.Config.ExposedPorts == nil {
			config.Config.ExposedPorts = map[string]struct{}{}
		}
		config.Config.ExposedPorts[strconv.Itoa(port)+"/tcp"] = struct{}{}
	}
	return config, nil
}

// filesLayer makes the layer of a group of files, each at its place in the base.
func (b *Builder) filesLayer(ctx context.Context, spec FinalSpec, g group) (layer.Blob, error) {
	parts := []string{finalFormat}
	for i, e := range g.entries {
		parts = append(parts, fmt.Sprintf("%s\x00%s\x00%o %d %d %d", e.Path, e.Link, e.Mode, e.UID, e.GID, e.ModTime), sum(g.contents[i]))
	}
	m := layer.Maker{Cache: b.Cache, Compression: cmp.Or(spec.Compression, layer.Gzip), Level: spec.Level}
	return m.Files(ctx, cache.Key(parts...), func(a *layer.Archive) error {
		for i, e := range g.entries {
			if err := a.Add(e, bytes.NewReader(g.contents[i])); err != nil {
				return err
			}
		}
		return nil
	})
}

// group is the files of one layer, sorted, with the folders that they need.
type group struct {
	name     string
	entries  []layer.Entry
	contents [][]byte
}

// title is what the image's history calls the layer.
func (g group) title() string {
	if g.name == "" {
		return "files"
	}
	return g.name
}

// groups divides the files into layers, sorted by name; those of no group come last.
func (spec *FinalSpec) groups() ([]group, error) {
	entries, contents, from, err := spec.entries()
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, f := range spec.Files {
		names[f.Group] = true
	}
	shared := len(names) > maxGroups
	byName := map[string]*group{}
	at := map[string]int{}
	for i, e := range entries {
		at[e.Path] = i
	}
	for i, e := range entries {
		name, ours := from[e.Path]
		if !ours {
			continue // a folder that comes with what is in it
		}
		if shared && name != "" {
			n, err := strconv.ParseUint(cache.Key(name)[:4], 16, 32)
			if err != nil {
				return nil, fmt.Errorf("sharing out projects: %w", err)
			}
			name = fmt.Sprintf("projects %d", n%maxGroups)
		}
		g := byName[name]
		if g == nil {
			g = &group{name: name}
			byName[name] = g
		}
		g.entries, g.contents = append(g.entries, e), append(g.contents, contents[i])
	}
	var list []group
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		g := byName[name]
		g.addFolders(entries, at)
		list = append(list, *g)
	}
	slices.SortStableFunc(list, func(a, b group) int {
		switch {
		case a.name == "" && b.name != "":
			return 1
		case a.name != "" && b.name == "":
			return -1
		}
		return strings.Compare(a.name, b.name)
	})
	return list, nil
}

// addFolders adds the folders above the group's entries; at has where all entries stand in all.
func (g *group) addFolders(all []layer.Entry, at map[string]int) {
	have := map[string]bool{}
	for _, e := range g.entries {
		have[e.Path] = true
	}
	contents := map[string][]byte{}
	for i, e := range g.entries {
		contents[e.Path] = g.contents[i]
	}
	for _, e := range slices.Clone(g.entries) {
		for dir := path.Dir(e.Path); dir != "/" && !have[dir]; dir = path.Dir(dir) {
			have[dir] = true
			g.entries = append(g.entries, all[at[dir]])
		}
	}
	slices.SortFunc(g.entries, func(a, b layer.Entry) int { return strings.Compare(a.Path, b.Path) })
	g.contents = make([][]byte, len(g.entries))
	for i, e := range g.entries {
		g.contents[i] = contents[e.Path]
	}
}

// entries gives the entries of all layers, sorted, with the folders that they need; groups has those that were asked for.
func (spec *FinalSpec) entries() (entries []layer.Entry, contents [][]byte, groups map[string]string, err error) {
	byPath := map[string]layer.Entry{}
	given := map[string]FileEntry{}
	for _, f := range spec.Files {
		e, err := spec.entry(f)
		if err != nil {
			return nil, nil, nil, err
		}
		if have, dup := given[e.Path]; dup {
			if err := sameFolder(e.Path, have, f); err != nil {
				return nil, nil, nil, err
			}
		}
		byPath[e.Path], given[e.Path] = e, f
	}
	writable, err := spec.writable()
	if err != nil {
		return nil, nil, nil, err
	}
	groups = map[string]string{}
	for _, p := range writable {
		if _, ok := byPath[p]; !ok {
			groups[p] = ""
			byPath[p] = spec.Base.shape.Directory(p).Entry()
		}
	}
	for _, p := range slices.Sorted(maps.Keys(byPath)) {
		for dir := path.Dir(p); dir != "/"; dir = path.Dir(dir) {
			have, ok := byPath[dir]
			if !ok {
				byPath[dir] = spec.Base.shape.Directory(dir).Entry()
			} else if have.Mode&rpm.ModeTypeMask != rpm.ModeDirectory {
				return nil, nil, nil, fmt.Errorf("file %s is in %s, which is no folder", p, dir)
			}
		}
	}
	for p, f := range given {
		groups[p] = f.Group
	}
	for _, p := range slices.Sorted(maps.Keys(byPath)) {
		e := byPath[p]
		share(&e, writable)
		entries = append(entries, e)
		contents = append(contents, given[p].Content)
	}
	return entries, contents, groups, nil
}

// sameFolder allows two entries of one place if both are folders, and alike.
func sameFolder(place string, a, b FileEntry) error {
	if a.Path > b.Path {
		a, b = b, a
	}
	switch {
	case a.isFolder() && b.isFolder() && a.Mode == b.Mode && a.UID == b.UID && a.GID == b.GID:
		return nil
	case a.isFolder() && b.isFolder():
		return fmt.Errorf("folder %s is given twice: as %s with mode %04o of %d:%d, as %s with mode %04o of %d:%d", place,
			a.Path, a.Mode&0o7777, a.UID, a.GID, b.Path, b.Mode&0o7777, b.UID, b.GID)
	case a.Path != b.Path:
		return fmt.Errorf("file %s is given twice: the base's links make %s and %s one", place, a.Path, b.Path)
	}
	return fmt.Errorf("file %s is given twice", place)
}

func (f *FileEntry) isFolder() bool { return f.Mode&rpm.ModeTypeMask == rpm.ModeDirectory }

func (spec *FinalSpec) entry(f FileEntry) (layer.Entry, error) {
	e := layer.Entry{Mode: f.Mode, UID: f.UID, GID: f.GID, ModTime: f.ModTime, Link: f.Link}
	if !strings.HasPrefix(f.Path, "/") || path.Clean(f.Path) != f.Path || f.Path == "/" {
		return e, fmt.Errorf("file path %q is not absolute and clean", f.Path)
	}
	switch f.Mode & rpm.ModeTypeMask {
	case 0:
		e.Mode |= rpm.ModeRegular
	case rpm.ModeRegular, rpm.ModeLink:
	case rpm.ModeDirectory:
		e.ModTime = layer.DirectoryTime
	default:
		return e, fmt.Errorf("file %s is neither a file nor a folder nor a symbolic link", f.Path)
	}
	e.Size = int64(len(f.Content))
	resolve := spec.Base.shape.Resolve
	if f.isFolder() {
		resolve = spec.Base.shape.ResolveFolder
	}
	var err error
	if e.Path, err = resolve(f.Path); err != nil {
		return e, fmt.Errorf("file %s: %w", f.Path, err)
	}
	if strings.HasPrefix(path.Base(e.Path), ".wh.") {
		return e, fmt.Errorf("file %s has a name that means a deletion in an image", f.Path)
	}
	return e, nil
}
