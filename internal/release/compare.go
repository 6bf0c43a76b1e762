package release

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/image/inspect"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/progress"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
	"github.com/slipway-build/slipway/internal/source"
	"github.com/slipway-build/slipway/internal/strategy"
)

// Comparing says what is compared.
type Comparing struct {
	Environment, Image string
	// Runs is how often each is built; times are medians.
	Runs int
	// Open opens a pipeline with nothing built yet, and with a registry and records of its own: only RPMs and
	// repositories may be there. It is closed by what it gives.
	Open func(ctx context.Context, c *config.Config) (*Pipeline, func() error, error)
	// Work is a folder for what is made on the way.
	Work string
	// Progress is told which build is under way.
	Progress progress.Reporter
}

// Comparison is how long a service's image takes to build in each way, and what comes of it.
type Comparison struct {
	Service     string        `json:"service"`
	Environment string        `json:"environment"`
	Image       string        `json:"image"`
	Runs        int           `json:"runs"`
	Packages    int           `json:"packages"`
	Rows        []ComparedRow `json:"rows"`
	// Missing are ways that are not available here.
	Missing []MissingWay `json:"missing"`
}

// ComparedRow is one way to build a base or a final image. Times are medians, in seconds of the wall clock.
type ComparedRow struct {
	Name     string `json:"name"` // SERVICE_STRATEGY_SOURCE_PART, as the table that this is made after has it
	Strategy string `json:"strategy"`
	Part     string `json:"part"` // base or final
	// Cold is with nothing made before but RPMs fetched, for final images also their base; Warm the same again.
	Cold float64 `json:"cold"`
	Warm float64 `json:"warm"`
	Size int64   `json:"size"` // bytes to pull, with the base
	// Change is from a commit of one line to the pushed image, Pushed what was sent for it; of final images.
	Change float64 `json:"change,omitempty"`
	Pushed int64   `json:"pushed,omitempty"`
	// Reproducible says whether all runs gave the same digest; nil where there was one run only.
	Reproducible *bool `json:"reproducible,omitempty"`
	// Equal says whether it has exactly the packages of the lock.
	Equal bool `json:"equal"`
}

// MissingWay is a way to build that is not available here.
type MissingWay struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// dnfInBuildah is the way to build that is no strategy: what people do without Slipway.
const dnfInBuildah = "dnf in buildah"

// Compare builds an image in every way that is available, and measures. Nothing of it is recorded, and
// slipway.lock stays as it is.
func (p *Pipeline) Compare(ctx context.Context, o Comparing) (*Comparison, error) {
	if _, err := p.environment(o.Environment); err != nil {
		return nil, err
	}
	if o.Image == "" {
		o.Image = p.Config.ImagesOf(o.Environment)[0]
	}
	if !slices.Contains(p.Config.ImagesOf(o.Environment), o.Image) {
		return nil, fmt.Errorf("environment %s runs no image %q: it has %s", o.Environment, o.Image, strings.Join(p.Config.ImagesOf(o.Environment), ", "))
	}
	x := &comparing{Pipeline: p, Comparing: o, result: &Comparison{Service: p.Config.Service, Environment: o.Environment, Image: o.Image, Runs: max(1, o.Runs)}}
	for _, way := range []struct {
		name string
		can  func(context.Context) error
		run  func(context.Context) error
	}{
		{strategy.Native, func(context.Context) error { return nil }, func(ctx context.Context) error { return x.final(ctx, strategy.Native) }},
		{dnfInBuildah, strategy.CanInstall, x.dnf},
		{strategy.Containerfile, func(ctx context.Context) error { _, err := strategy.FindEngine(ctx); return err }, func(ctx context.Context) error { return x.final(ctx, strategy.Containerfile) }},
	} {
		if err := way.can(ctx); err != nil {
			x.missing(way.name, err.Error())
			continue
		}
		if err := way.run(ctx); err != nil {
			return nil, fmt.Errorf("comparing %s: %w", way.name, err)
		}
	}
	if projects := p.Config.Images[o.Image].Projects; len(projects) > 0 {
		x.missing("projects from RPM", fmt.Sprintf("project %s is not built as an RPM: its from: rpm and rpm: say of which Copr project it would be taken", projects[0]))
	}
	return x.result, nil
}

type comparing struct {
	*Pipeline
	Comparing
	result *Comparison
}

func (x *comparing) missing(name, reason string) {
	x.result.Missing = append(x.result.Missing, MissingWay{name, reason})
}

// configured is the configuration with one strategy for the image, and a project taken from another repository.
func (x *comparing) configured(way, project, repository string) *config.Config {
	c := *x.Config
	c.Images, c.Projects = maps.Clone(c.Images), maps.Clone(c.Projects)
	img := c.Images[x.Image]
	img.Strategy = way
	c.Images[x.Image] = img
	if project != "" {
		pr := c.Projects[project]
		pr.Git = repository
		c.Projects[project] = pr
	}
	c.Digest += "/" + way
	return &c
}

// prepared is a pipeline with what it needs to build the image.
type prepared struct {
	*Pipeline
	candidate *Candidate
	needs     *Needs
	lock      *lock.Lock
}

// prepare finds out what goes in. have is a lock that is kept where it can be.
func (x *comparing) prepare(ctx context.Context, p *Pipeline, have *lock.Lock) (*prepared, error) {
	p.WantPip = true // of all ways alike, so that their locks are one
	c, err := p.At(ctx, []string{x.Image}, p.Config.Environments[x.Environment].Branch)
	if err != nil {
		return nil, err
	}
	c.Environment = x.Environment
	n, err := p.Needs(ctx, c)
	if err != nil {
		return nil, err
	}
	if have == nil {
		if have, err = p.ReadLock(); err != nil {
			return nil, err
		}
	}
	l, _, err := p.Lock(ctx, n, have, LockOptions{})
	if err != nil {
		return nil, err
	}
	return &prepared{p, c, n, l}, nil
}

// run is one run of a way.
type run struct {
	baseCold, baseWarm, finalCold, finalWarm, change time.Duration
	pushed                                           int64
	base, final                                      builtDigest
}

type builtDigest struct {
	digest string
	size   int64
}

// final measures a strategy's base and final image.
func (x *comparing) final(ctx context.Context, way string) error {
	runs, err := x.repeat(way, 5, func(i int, task progress.Task) (run, error) { return x.once(ctx, way, i, task) })
	if err != nil {
		return err
	}
	if way == strategy.Native { // other final images stand on the same base
		x.row(way, "base", runs, run.ofBase)
	}
	x.row(way, "final", runs, run.ofFinal)
	return nil
}

// repeat builds in a way as often as was asked for; steps is what one run tells its task that it did.
func (x *comparing) repeat(way string, steps int64, once func(i int, task progress.Task) (run, error)) ([]run, error) {
	var runs []run
	for i := range x.result.Runs {
		task := progress.Or(x.Comparing.Progress).Start(fmt.Sprintf("%s, run %d of %d", way, i+1, x.result.Runs), steps, progress.Items)
		r, err := once(i, task)
		task.Done(err)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

func (r run) ofBase() (cold, warm time.Duration, built builtDigest) {
	return r.baseCold, r.baseWarm, r.base
}

func (r run) ofFinal() (cold, warm time.Duration, built builtDigest) {
	return r.finalCold, r.finalWarm, r.final
}

func (x *comparing) row(way, part string, runs []run, of func(run) (time.Duration, time.Duration, builtDigest)) {
	row := ComparedRow{Name: x.name(way, part), Strategy: way, Part: part, Equal: true}
	var colds, warms, changes []time.Duration
	same := true
	for _, r := range runs {
		cold, warm, built := of(r)
		colds, warms = append(colds, cold), append(warms, warm)
		_, _, first := of(runs[0])
		same = same && built.digest == first.digest
		row.Size = built.size
		if part == "final" {
			changes, row.Pushed = append(changes, r.change), r.pushed
		}
	}
	row.Cold, row.Warm, row.Change = median(colds), median(warms), median(changes)
	if len(runs) > 1 {
		row.Reproducible = &same
	}
	x.result.Rows = append(x.result.Rows, row)
}

// name is what the table calls an image.
func (x *comparing) name(way, part string) string {
	return strings.Join([]string{x.Config.Service, strings.ReplaceAll(way, " ", "-"), "git", part}, "_")
}

// median is the middle one, in seconds; 0 of none.
func median(list []time.Duration) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2].Seconds()
}

// once builds everything one time, from nothing.
func (x *comparing) once(ctx context.Context, way string, i int, task progress.Task) (r run, err error) {
	changed, repository := "", ""
	if projects := x.Config.Images[x.Image].Projects; len(projects) > 0 {
		changed, repository = projects[0], filepath.Join(x.Work, fmt.Sprintf("%s-%d", way, i))
		m, err := x.Sources.Mirror(x.gitAddress(x.Config.Projects[changed].Git))
		if err != nil {
			return r, err
		}
		branch := x.Config.Projects[changed].BranchOf(x.Config.Environments[x.Environment].Branch)
		if err := m.Fetch(ctx); err != nil {
			return r, err
		}
		if err := m.Clone(ctx, branch, repository); err != nil {
			return r, err
		}
	}
	p, closing, err := x.Open(ctx, x.configured(way, changed, repository))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, closing()) }()
	in, err := x.prepare(ctx, p, nil)
	if err != nil {
		return r, err
	}
	measure := func(into *time.Duration, f func() error) {
		if err == nil {
			began := time.Now()
			err = f()
			*into = time.Since(began)
			task.Add(1)
		}
	}
	base := func() error {
		d, err := in.baseOf(ctx, x.Image)
		r.base = d
		return err
	}
	final := func(o BuildOptions) func() error {
		return func() error {
			built, err := in.Build(ctx, in.candidate, in.needs, in.lock, o)
			if err != nil {
				return err
			}
			img := built.Snapshot.Images[0]
			r.final, r.pushed = builtDigest{img.Digest, img.Size}, built.Pushed
			return nil
		}
	}
	t := in.lock.Target(x.Config.Images[x.Image].Target)
	if _, err := in.fetchPackages(ctx, t); err != nil {
		return r, err
	}
	x.result.Packages = len(t.Root(x.Image))
	measure(&r.baseCold, base)
	measure(&r.baseWarm, base)
	measure(&r.finalCold, final(BuildOptions{Fresh: true}))
	measure(&r.finalWarm, final(BuildOptions{NoPush: true}))
	if err != nil || changed == "" {
		return r, err
	}
	unchanged := r.final
	if err := changeOneLine(ctx, p.Config, changed, repository); err != nil {
		return r, err
	}
	measure(&r.change, func() error {
		if in, err = x.prepare(ctx, p, in.lock); err != nil {
			return err
		}
		return final(BuildOptions{})()
	})
	r.final = unchanged
	return r, err
}

// baseOf makes the base of an image.
func (in *prepared) baseOf(ctx context.Context, img string) (builtDigest, error) {
	b := &build{Pipeline: in.Pipeline, candidate: in.candidate, needs: in.needs, lock: in.lock, built: &Built{}}
	t := in.lock.Target(in.Config.Images[img].Target)
	paths, err := b.fetch(ctx, t)
	if err != nil {
		return builtDigest{}, err
	}
	base, err := b.base(ctx, t, img, paths)
	if err != nil {
		return builtDigest{}, err
	}
	m, err := base.Manifest()
	if err != nil {
		return builtDigest{}, err
	}
	digest, err := base.Digest()
	d := builtDigest{digest: digest.String()}
	for _, l := range m.Layers {
		d.size += l.Size
	}
	return d, err
}

// changeOneLine commits a line more in a module of a project.
func changeOneLine(ctx context.Context, c *config.Config, project, repository string) error {
	var module string
	err := filepath.WalkDir(filepath.Join(repository, c.Projects[project].Path), func(at string, e os.DirEntry, err error) error {
		if err == nil && module == "" && e.Name() == "__init__.py" && !strings.Contains(at, "test") {
			module = at
		}
		return err
	})
	if err != nil {
		return err
	}
	if module == "" {
		return fmt.Errorf("project %s has no package with an __init__.py to change a line of", project)
	}
	f, err := os.OpenFile(module, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, "# one line more")
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return source.CommitAll(ctx, repository, "One line more")
}

// dnf measures the base that dnf installs into a container of buildah's.
func (x *comparing) dnf(ctx context.Context) error {
	runs, err := x.repeat(dnfInBuildah, 2, func(i int, _ progress.Task) (run, error) { return x.dnfOnce(ctx, i) })
	if err != nil {
		return err
	}
	x.row(dnfInBuildah, "base", runs, run.ofBase)
	return nil
}

func (x *comparing) dnfOnce(ctx context.Context, i int) (r run, err error) {
	p, closing, err := x.Open(ctx, x.configured(strategy.Native, "", ""))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, closing()) }()
	in, err := x.prepare(ctx, p, nil)
	if err != nil {
		return r, err
	}
	t := in.lock.Target(x.Config.Images[x.Image].Target)
	work := filepath.Join(x.Work, fmt.Sprintf("dnf-%d", i))
	d := strategy.DNFBase{RPMs: filepath.Join(work, "rpms"), Release: t.Release, Work: work}
	if err := os.MkdirAll(d.RPMs, 0o755); err != nil {
		return r, err
	}
	files, err := in.fetchPackages(ctx, t)
	if err != nil {
		return r, err
	}
	want := strategy.Want{}
	for n := range t.Packages {
		pkg := &t.Packages[n]
		if !slices.Contains(pkg.Roots, x.Image) {
			continue
		}
		d.Packages, want.Packages = append(d.Packages, pkg.NEVRA.String()), append(want.Packages, pkg.NEVRA)
		if err := os.Link(files[n], filepath.Join(d.RPMs, pkg.NEVRA.FileName())); err != nil {
			if err := copyFile(filepath.Join(d.RPMs, pkg.NEVRA.FileName()), files[n]); err != nil {
				return r, err
			}
		}
	}
	if err := repowrite.Write(d.RPMs, repowrite.Options{}); err != nil {
		return r, err
	}
	b := &build{Pipeline: p, candidate: in.candidate, needs: in.needs, lock: in.lock, built: &Built{}}
	address, err := b.serve(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.exchange.close()) }()
	to := address + "/compare/dnf:base"
	for _, into := range []*time.Duration{&r.baseCold, &r.baseWarm} {
		began := time.Now()
		if err := d.Run(ctx, to); err != nil {
			return r, err
		}
		*into = time.Since(began)
	}
	img, err := registry.Pull(ctx, to, registry.Options{Log: p.log()})
	if err != nil {
		return r, err
	}
	content, err := inspect.Read(ctx, img, work, nil)
	if err != nil {
		return r, err
	}
	r.base = builtDigest{content.Digest, content.Size}
	_, err = strategy.Check(x.Image, content, want)
	return r, err
}
