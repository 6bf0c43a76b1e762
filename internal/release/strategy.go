package release

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/image/inspect"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/progress"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/requirement"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
	"github.com/slipway-build/slipway/internal/strategy"
	"github.com/slipway-build/slipway/internal/wheel"
)

// labelStrategy says how an image was built that the native builder did not build.
const labelStrategy = "build.slipway.strategy"

// pip is what builds by Containerfile need beside the projects' own build requirements.
const pip = "pip"

// pipNeed asks for pip in a target's build root where some image of the configuration is built by it.
func (p *Pipeline) pipNeed(target string) []requirement.Requirement {
	if !p.WantPip && !p.Config.Builds(strategy.Containerfile) {
		return nil
	}
	t := p.Config.Targets[target]
	request := "python3dist(" + pip + ")"
	if t.OtherPython {
		request = "python" + t.Python + "dist(" + pip + ")"
	}
	for name, other := range t.Names {
		if pymeta.NormalizeName(name) == pip {
			request = other
		}
	}
	if request == "" {
		return nil
	}
	return []requirement.Requirement{{
		Request: request, Written: pip,
		Origin: requirement.Origin{File: config.FileName, Section: "strategy: " + strategy.Containerfile},
	}}
}

// strategies are those of the candidate's images that are not built natively, as parts of its key.
func (p *Pipeline) strategies(c *Candidate) []string {
	var parts []string
	for _, img := range c.Images {
		if s := p.Config.StrategyOf(c.Environment, img); s != strategy.Native {
			parts = append(parts, "strategy", img, s)
		}
	}
	return parts
}

// exchange is the registry through which other builders get bases and give images: one of this machine,
// served while a build needs it.
type exchange struct {
	server  *registry.Embedded
	address string
}

func (x *exchange) close() error {
	if x.server == nil {
		return nil
	}
	return x.server.Close()
}

// serve starts the exchange. It asks for the same port every time: engines know blobs by where they got
// them, and do not send again what came from there.
func (b *build) serve(ctx context.Context) (string, error) {
	x := &b.exchange
	if x.server != nil {
		return x.address, nil
	}
	if b.Exchange == "" {
		return "", errors.New("there is no folder for the registry that other builders use")
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(b.Exchange))
	server := &registry.Embedded{Root: b.Exchange, Log: b.log()}
	address, err := server.Start(context.WithoutCancel(ctx), "127.0.0.1:"+strconv.Itoa(20000+int(h.Sum32()%10000)))
	if err != nil {
		if address, err = server.Start(context.WithoutCancel(ctx), ""); err != nil {
			return "", err
		}
	}
	x.server, x.address = server, address
	return address, nil
}

// offer pushes an image to the exchange as a base of a build, and gives the name that its Containerfile
// has for it, which is made of its digest.
func (b *build) offer(ctx context.Context, work *strategy.Build, root string, img *image.Image) (string, error) {
	address, err := b.serve(ctx)
	if err != nil {
		return "", err
	}
	digest, err := img.Digest()
	if err != nil {
		return "", err
	}
	place := b.Config.Service + "/" + root + baseSuffix
	pushed, err := registry.Push(ctx, img, address+"/"+place, registry.Options{Log: b.log()})
	if err != nil {
		return "", err
	}
	name := "localhost/slipway/" + place + ":" + digest.Hex[:16]
	work.Bases[name] = pushed.Reference()
	return name, nil
}

// byContainerfile makes a final image with the engine of this machine, from a Containerfile of the team or
// one that is rendered, and checks what it came to.
func (b *build) byContainerfile(ctx context.Context, t *lock.Target, name string, spec image.FinalSpec, paths map[string]string, wheels map[string]*wheel.Wheel) (_ *image.Image, err error) {
	if b.engine == nil {
		if b.engine, err = strategy.FindEngine(ctx); err != nil {
			return nil, err
		}
	}
	dir, cleanup, err := b.Cache.Temp("containerfile-")
	if err != nil {
		return nil, err
	}
	defer cleanup()
	work := strategy.Build{
		Context: filepath.Join(dir, "context"), File: filepath.Join(dir, "Containerfile"), Bases: map[string]string{},
		Epoch: spec.Config.Created.Unix(), Fresh: b.fresh, Log: b.engineLog,
	}
	base, err := b.offer(ctx, &work, name, spec.Base)
	if err != nil {
		return nil, err
	}
	text := ""
	if own := b.Config.Images[name].Containerfile; own != nil {
		text, err = b.ownContainerfile(ctx, own, name, base, &work)
	} else {
		text, err = b.renderedContainerfile(ctx, t, name, base, paths, &work)
	}
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(work.File, []byte(text), 0o644); err != nil {
		return nil, err
	}
	address, err := b.serve(ctx)
	if err != nil {
		return nil, err
	}
	work.To = address + "/" + b.Config.Service + "/" + name + baseSuffix + ":built"
	task := progress.Or(b.Progress).Start("building with "+b.engine.Name, 0, progress.Items)
	err = b.engine.Run(ctx, work)
	task.Done(err)
	if err != nil {
		return nil, err
	}
	built, err := registry.Pull(ctx, work.To, registry.Options{Log: b.log()})
	if err != nil {
		return nil, err
	}
	spec.Config.Labels[labelStrategy] = strategy.Containerfile
	img, err := b.Images.Adopt(ctx, image.AdoptSpec{
		Base: spec.Base, Image: built, Labels: spec.Config.Labels, Created: spec.Config.Created, Docker: spec.Docker,
	})
	if err != nil {
		return nil, err
	}
	return img, b.check(ctx, t, name, img, wheels)
}

// ownContainerfile prepares a build by the team's own Containerfile: a repository at its commit, and
// the arguments that public services pass.
func (b *build) ownContainerfile(ctx context.Context, own *config.Containerfile, name, base string, work *strategy.Build) (string, error) {
	project, file := own.From.Source()
	r := b.candidate.Revisions[project]
	if err := b.candidate.mirrors[project].Checkout(ctx, r, work.Context); err != nil {
		return "", err
	}
	root, err := os.OpenRoot(work.Context)
	if err != nil {
		return "", err
	}
	defer root.Close()
	text, err := root.ReadFile(path.Clean(file))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s:%d: there is no %s at %s", config.FileName, own.From.Line, own.From.Value, r.Short())
	} else if err != nil {
		return "", err
	}
	work.Args = map[string]string{"SOURCE_BRANCH": r.Branch, "SOURCE_COMMIT": r.Commit, "IMAGE_NAME": name}
	for k, v := range own.Args {
		work.Args[k] = v
	}
	replaced, err := strategy.ReplaceFrom(string(text), base)
	if err != nil {
		return "", fmt.Errorf("%s: %w", own.From.Value, err)
	}
	return replaced, nil
}

// renderedContainerfile writes what an image is made of as a Containerfile, and lays out its context.
func (b *build) renderedContainerfile(ctx context.Context, t *lock.Target, name, base string, paths map[string]string, work *strategy.Build) (string, error) {
	r, err := b.recipe(ctx, t, name, work.Context)
	if err != nil {
		return "", err
	}
	r.Base = base
	if len(r.Projects) > 0 {
		root := b.buildRootOn(t.Name)
		builder, err := b.base(ctx, t, root, paths)
		if err != nil {
			return "", err
		}
		if r.Builder, err = b.offer(ctx, work, name+"-"+root, builder); err != nil {
			return "", err
		}
	}
	return r.Containerfile(), nil
}

func (b *build) buildRootOn(target string) string {
	for i := range b.needs.Targets {
		if b.needs.Targets[i].Target == target {
			return b.needs.Targets[i].build()
		}
	}
	return ""
}

// recipe lays out the context of an image's build in a folder, and says what is done with it.
func (b *build) recipe(ctx context.Context, t *lock.Target, name, dir string) (*strategy.Recipe, error) {
	conf := b.Config.Images[name]
	if len(b.Config.ExceptionsOf([]string{name})) > 0 {
		return nil, fmt.Errorf("it has exceptions, which a rendered Containerfile does not bring: build it natively, or by a Containerfile of its own")
	}
	r := &strategy.Recipe{
		Python: b.program(t.Name), Bytecode: conf.Bytecode, Writable: writable(conf), Env: conf.Env, Ports: conf.Ports, User: conf.User,
		Workdir: conf.Workdir, Entrypoint: conf.Entrypoint, Cmd: conf.Command,
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, strategy.RecordFile), []byte(strategy.RecordProgram()), 0o644); err != nil {
		return nil, err
	}
	newest := b.candidate.newest(b.Config.ProjectsOf([]string{name}))
	for _, project := range conf.Projects {
		if err := b.writeProject(ctx, project, filepath.Join(dir, "projects", project)); err != nil {
			return nil, fmt.Errorf("project %s: %w", project, err)
		}
		r.Projects = append(r.Projects, strategy.RecipeProject{
			Name: project, Version: b.needs.Projects[t.Name][project].Version, URL: b.origin(project), Commit: b.candidate.Revisions[project].Commit,
		})
	}
	for i, f := range conf.Files {
		c, err := b.writeFiles(ctx, f, dir, path.Join("files", strconv.Itoa(i)), newest)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", config.FileName, f.From.Line, err)
		}
		r.Copies = append(r.Copies, c)
	}
	for _, s := range steps(conf) {
		r.Steps = append(r.Steps, s.Args)
	}
	return r, nil
}

// writeProject writes a project's files at its commit.
func (b *build) writeProject(ctx context.Context, project, dir string) error {
	tree, err := b.tree(ctx, b.candidate, project)
	if err != nil {
		return err
	}
	defer tree.Close()
	found, err := gather(tree, ".", new(budget))
	if err != nil {
		return err
	}
	return writeGathered(found, dir, "", b.candidate.Revisions[project].Time)
}

// writeFiles writes what an entry of an image's files names below the context.
func (b *build) writeFiles(ctx context.Context, f config.File, context, at string, when time.Time) (strategy.Copy, error) {
	found, err := b.find(ctx, f)
	if err != nil {
		return strategy.Copy{}, err
	}
	c := strategy.Copy{From: at, To: f.To, UID: f.UID, GID: f.GID}
	if len(found) > 0 && found[0].Mode&modeType == modeDir {
		c.Folder = true
		return c, writeGathered(found, filepath.Join(context, at), f.Mode, when)
	}
	_, from := f.Source()
	c.From = path.Join(at, path.Base(from))
	return c, writeGathered(found, filepath.Join(context, c.From), f.Mode, when)
}

// writeGathered writes files below dir, or a single one as dir, with a mode of their own where mode says none.
func writeGathered(list gathered, dir, mode string, when time.Time) error {
	for _, e := range list {
		at := filepath.Join(dir, filepath.FromSlash(e.Path))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		var err error
		switch e.Mode & modeType {
		case modeDir:
			err = os.MkdirAll(at, 0o755)
		case modeLink:
			err = os.Symlink(e.Link, at)
		default:
			perm := uint64(e.Mode & 0o7777)
			if mode != "" {
				perm, _ = strconv.ParseUint(mode, 8, 32) // the configuration has checked it
			}
			if err = os.WriteFile(at, e.Content, 0o644); err == nil {
				err = os.Chmod(at, fs.FileMode(perm))
			}
			if err == nil {
				err = os.Chtimes(at, when, when)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// check holds an image that others built against the lock and the commits.
func (b *build) check(ctx context.Context, t *lock.Target, name string, img *image.Image, wheels map[string]*wheel.Wheel) error {
	dir, cleanup, err := b.Cache.Temp("check-")
	if err != nil {
		return err
	}
	defer cleanup()
	content, err := inspect.Read(ctx, img, dir, b.Progress)
	if err != nil {
		return fmt.Errorf("reading what was built: %w", err)
	}
	want := strategy.Want{Projects: map[string]strategy.Project{}}
	for _, pkg := range t.Root(name) {
		want.Packages = append(want.Packages, pkg.NEVRA)
	}
	for _, project := range b.Config.Images[name].Projects {
		w := wheels[project]
		want.Projects[pymeta.NormalizeName(w.Name)] = strategy.Project{Version: w.Version, Commit: b.candidate.Revisions[project].Commit}
	}
	unproven, err := strategy.Check(name, content, want)
	if err != nil {
		return err
	}
	if len(unproven) > 0 {
		b.log().Warn("the image does not record of which commits these projects are: their versions are right", "image", name, "projects", strings.Join(unproven, ", "))
	}
	return nil
}
