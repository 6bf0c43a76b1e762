package release

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/source"
	"github.com/slipway-build/slipway/internal/strategy"
	"github.com/slipway-build/slipway/internal/wheel"
)

// Labels that every image has beside those of its configuration.
const (
	labelService = "build.slipway.service"
	labelLock    = "build.slipway.lock"
	labelProject = "build.slipway.project." // + name: the commit, or the RPM

	// labelReproducible is "false" on images of which a step used the network.
	labelReproducible = "build.slipway.reproducible"
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
	files := &fileSet{from: map[string]string{}, at: map[string]int{}}
	extra, err := b.exceptWheels(ctx, name)
	if err != nil {
		return builtImage{}, err
	}
	if len(conf.Projects)+len(extra) > 0 {
		if err := b.install(ctx, t, name, base, wheels, extra, files); err != nil {
			return builtImage{}, err
		}
		if err := b.pipCheck(ctx, t, name, base, wheels); err != nil {
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
	if err := b.exceptFiles(ctx, name, newest.Unix(), files); err != nil {
		return builtImage{}, err
	}
	labels := maps.Clone(conf.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	exceptions, err := b.exceptionLabels(name, t.Name)
	if err != nil {
		return builtImage{}, err
	}
	maps.Copy(labels, exceptions)
	labels[labelService] = b.Config.Service
	labels[labelLock] = "sha256:" + t.Digest(name)
	for _, project := range projects {
		labels[labelProject+project] = b.candidate.Revisions[project].Commit
	}
	for _, project := range conf.RPMProjects {
		for _, pkg := range t.Root(name) {
			if pkg.NEVRA.Name == b.Config.Projects[project].RPM.Package.Value {
				labels[labelProject+project] = pkg.NEVRA.String()
			}
		}
	}
	if slices.ContainsFunc(conf.Run, func(s config.Step) bool { return s.Network }) {
		labels[labelReproducible] = "false"
	}
	pack := b.packing(t.Name, name)
	spec := image.FinalSpec{
		Base: base, Files: files.entries, Writable: writable(conf), Steps: steps(conf), Compression: pack.Compression, Level: pack.Level, Docker: pack.Docker,
		Config: image.Config{
			Env: conf.Env, User: conf.User, WorkDir: conf.Workdir, Entrypoint: conf.Entrypoint, Cmd: conf.Command,
			Ports: conf.Ports, Healthcheck: healthcheck(conf.Healthcheck), Labels: labels, Created: newest,
		},
	}
	var final *image.Image
	switch b.Config.StrategyOf(b.candidate.Environment, name) {
	case strategy.Containerfile:
		final, err = b.byContainerfile(ctx, t, name, spec, paths, wheels)
	case strategy.External:
		final, err = b.byService(ctx, t, name, base, wheels)
	default:
		final, err = b.Images.Final(ctx, spec)
	}
	if err != nil {
		return builtImage{}, stepPlace(conf, err)
	}
	bill, err := b.bill(ctx, t, name, final, paths, wheels, extra)
	return builtImage{name: name, base: base, final: final, bill: bill}, err
}

// install lays out the wheels of an image's projects as the base's Python wants them.
func (b *build) install(ctx context.Context, t *lock.Target, name string, base *image.Image, wheels map[string]*wheel.Wheel, extra []exceptWheel, files *fileSet) error {
	lowers, err := b.Images.Unpack(ctx, base)
	if err != nil {
		return err
	}
	root := wheel.Root{Lowers: lowers, Key: t.Digest(name), Python: b.program(t.Name)}
	scheme, err := wheel.ProbeScheme(ctx, root, b.Cache)
	if err != nil {
		return err
	}
	for _, project := range b.Config.Images[name].Projects {
		r := b.candidate.Revisions[project]
		installed, err := wheels[project].Install(scheme, wheel.Direct{URL: b.origin(project), Commit: r.Commit})
		if err != nil {
			return fmt.Errorf("installing project %s: %w", project, err)
		}
		if b.Config.Images[name].Bytecode {
			if installed, err = wheels[project].Compile(ctx, root, scheme, installed, b.Cache); err != nil {
				return fmt.Errorf("project %s: %w", project, err)
			}
		}
		for _, f := range installed {
			if source.IsPointer(f.Content) {
				return fmt.Errorf("project %s: %s: %w", project, f.Path, errPointer)
			}
			err := files.add("project "+project, image.FileEntry{Path: f.Path, Mode: modeRegular | f.Mode, ModTime: r.Time.Unix(), Content: f.Content, Group: "project " + project})
			if err != nil {
				return err
			}
		}
	}
	when := b.candidate.newest(b.Config.ProjectsOf([]string{name})).Unix()
	for _, w := range extra {
		installed, err := w.Install(scheme, wheel.Direct{URL: w.locked.URL, SHA256: w.locked.SHA256})
		if err != nil {
			return fmt.Errorf("installing wheel %s: %w", w.Name, err)
		}
		for _, f := range installed {
			err := files.add("wheel "+w.Name, image.FileEntry{Path: f.Path, Mode: modeRegular | f.Mode, ModTime: when, Content: f.Content})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// errPointer says what is wrong with a file that is kept elsewhere.
var errPointer = errors.New("the file is only a Git LFS pointer, and Slipway does not fetch from Git LFS: commit the file itself, or leave it out of what is installed")

// origin is where a project comes from, as images record it. The path of a repository on this
// machine says nothing on another one, and images do not depend on where they are built: such a
// project goes by its name.
func (p *Pipeline) origin(project string) string {
	git := p.Config.Projects[project].Git
	if p.isPath(git) || strings.HasPrefix(git, "file:") {
		return "file:///" + project
	}
	return source.Redact(git)
}

// place adds what one entry of an image's files names.
func (b *build) place(ctx context.Context, f config.File, when int64, files *fileSet) error {
	found, err := b.find(ctx, f)
	if err != nil {
		return err
	}
	for _, e := range found.entries(f) {
		if source.IsPointer(e.Content) {
			return fmt.Errorf("%s: %w", e.Path, errPointer)
		}
		e.ModTime = when
		if err := files.add(f.From.Value, e); err != nil {
			return err
		}
	}
	return nil
}

// find gathers the files that an entry names: a project's at the candidate's commit, or those beside
// the configuration, which were read when the build began.
func (b *build) find(ctx context.Context, f config.File) (gathered, error) {
	project, from := f.Source()
	if project == "" {
		return b.besides[path.Clean(from)], nil
	}
	tree, err := b.candidate.tree(ctx, treeKey{project: project})
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	found, err := gather(tree, path.Clean(from), new(budget))
	if errors.Is(err, errNothing) {
		return nil, fmt.Errorf("%w %s at %s", errNothing, f.From.Value, b.candidate.Revisions[project].Short())
	}
	return found, err
}

// fileSet gathers the files of a final image, and who brings each.
type fileSet struct {
	entries []image.FileEntry
	at      map[string]int    // index in entries, by path
	from    map[string]string // who brings it, by path
	budget  budget
}

func (s *fileSet) add(from string, e image.FileEntry) error {
	if i, ok := s.at[e.Path]; ok {
		if e.Mode&modeType == modeDir && s.entries[i].Mode&modeType == modeDir {
			return nil // two may bring the same folder
		}
		return fmt.Errorf("%s and %s both bring %s", s.from[e.Path], from, e.Path)
	}
	if err := s.budget.take(int64(len(e.Content))); err != nil {
		return err
	}
	s.from[e.Path], s.at[e.Path] = from, len(s.entries)
	s.entries = append(s.entries, e)
	return nil
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
