package resolve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/rpmrepo/modulemd"
)

// Modules says which streams of modules are active, besides the default ones.
type Modules struct {
	// Enabled are streams as MODULE:STREAM, or MODULE for its default stream.
	Enabled []string
	// Platform is the stream of the module "platform", which stands for the release: "el9", "f43".
	Platform string
	// Arch is the target's architecture.
	Arch string
}

// Modular hides the packages that modules hide, as dnf does (libdnf, setModuleExcludes), and says
// which streams are active, as MODULE:STREAM, sorted. Repositories without modular metadata are
// returned as they are, when no other one has any.
//
// Active are the enabled streams, the default streams of other modules, as far as they go together,
// and what these streams require. The packages of all other streams are hidden. So is what is called
// as a package of an active stream, or provides that name, without being one. Repositories with
// module_hotfixes are exempt.
//
// Errors are *ModuleError, or the context's.
func Modular(ctx context.Context, repos []*rpmrepo.Repository, m Modules) (visible []*rpmrepo.Repository, active []string, err error) {
	u := newModules(repos, m)
	requested, err := u.requested(m.Enabled)
	if err != nil {
		return nil, nil, err
	}
	if len(u.streams) == 0 {
		return repos, nil, nil
	}
	chosen, err := u.activate(ctx, requested)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range u.streams {
		if chosen[s.id] && !slices.Contains(active, s.NameStream()) {
			active = append(active, s.NameStream())
		}
	}
	slices.Sort(active)
	return u.hide(chosen), active, nil
}

// modules are all streams that repositories offer, as packages of a small repository of their own:
// what goes together is for the solver to say.
type modules struct {
	Modules
	repos    []*rpmrepo.Repository
	streams  []moduleStream
	defaults map[string]string
}

type moduleStream struct {
	*modulemd.Stream
	// id is the name under which builds are versions of one thing: the stream, and what it requires
	// besides the platform.
	id string
}

func newModules(repos []*rpmrepo.Repository, m Modules) *modules {
	u := &modules{Modules: m, repos: repos, defaults: map[string]string{}}
	modified := map[string]uint64{}
	for _, r := range repos {
		index := r.Modules()
		if index == nil {
			continue
		}
		for i := range index.Streams {
			s := &index.Streams[i]
			u.streams = append(u.streams, moduleStream{s, streamID(s)})
		}
		for _, d := range index.Defaults {
			was, ok := u.defaults[d.Module]
			switch {
			case !ok || d.Modified > modified[d.Module]:
				u.defaults[d.Module], modified[d.Module] = d.Stream, d.Modified
			case d.Modified == modified[d.Module] && d.Stream != was:
				u.defaults[d.Module] = "" // they contradict each other: then there is none
			}
		}
	}
	return u
}

func streamID(s *modulemd.Stream) string {
	var requires []string
	for _, r := range s.Requires {
		if r.Module != platform {
			r.Streams = slices.Sorted(slices.Values(r.Streams))
			requires = append(requires, r.String())
		}
	}
	slices.Sort(requires)
	if len(requires) == 0 {
		requires = []string{"NoRequires"} // dnf's words: of builds that go equally well the first by name is taken
	}
	return s.NameStream() + ":" + strings.Join(requires, ";")
}

const platform = "platform"

// requested completes and checks what is enabled.
func (u *modules) requested(enabled []string) ([]string, error) {
	streams := map[string]string{}
	var out []string
	for _, e := range enabled {
		name, stream, _ := strings.Cut(e, ":")
		offered := u.offered(name)
		switch {
		case len(offered) == 0:
			return nil, &ModuleError{Module: e, Reason: u.noModule(name)}
		case stream == "" && u.defaults[name] == "":
			return nil, &ModuleError{Module: e, Reason: "it has no default stream: name one, there are " + strings.Join(offered, ", ")}
		case stream == "":
			stream = u.defaults[name]
		}
		if !slices.Contains(offered, name+":"+stream) {
			return nil, &ModuleError{Module: e, Reason: "there is no such stream, there are " + strings.Join(offered, ", ")}
		}
		switch was, twice := streams[name]; {
		case twice && was != stream:
			return nil, &ModuleError{Module: e, Reason: fmt.Sprintf("%s:%s is enabled too, and of one module only one stream can be", name, was)}
		case twice:
			continue
		}
		streams[name] = stream
		out = append(out, name+":"+stream)
	}
	return out, nil
}

// offered lists the streams of a module, for this architecture, sorted.
func (u *modules) offered(module string) []string {
	var out []string
	for _, s := range u.streams {
		if s.Module == module && u.fits(s) {
			out = append(out, s.NameStream())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (u *modules) fits(s moduleStream) bool {
	return s.Arch == "" || s.Arch == u.Arch || s.Arch == "noarch"
}

func (u *modules) noModule(name string) string {
	var names []string
	for _, s := range u.streams {
		names = append(names, s.Module)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return "no repository of the target has modules"
	}
	const most = 20
	list := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		list += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return fmt.Sprintf("there is no module %q, there are %s", name, list)
}

// activate finds the ids of the active streams.
func (u *modules) activate(ctx context.Context, requested []string) (map[string]bool, error) {
	p := Problem{Arch: u.Arch}
	repo, err := u.asRepository()
	if err != nil {
		return nil, err
	}
	p.Repositories = []*rpmrepo.Repository{repo}
	for _, r := range requested {
		p.Requests = append(p.Requests, Request{Dependency: rpm.Dependency{Name: "module(" + r + ")"}, Label: "module " + r})
	}
	solution, err := u.tolerant(ctx, p)
	var conflict *Conflict
	if errors.As(err, &conflict) {
		return nil, &ModuleError{Module: strings.Join(requested, ", "), Reason: "the streams do not go together", Cause: err}
	} else if err != nil {
		return nil, err
	}
	// Defaults are for modules of which nothing else is said, and only as far as they go.
	var optional []Request
	for _, module := range sortedDefaults(u.defaults) {
		stream := module + ":" + u.defaults[module]
		enabled := slices.ContainsFunc(requested, func(r string) bool { return strings.HasPrefix(r, module+":") })
		if !enabled && slices.Contains(u.offered(module), stream) {
			optional = append(optional, Request{Dependency: rpm.Dependency{Name: "module(" + stream + ")"}})
		}
	}
	all := p
	all.Requests = slices.Concat(p.Requests, optional)
	if s, err := Resolve(ctx, all); err == nil {
		solution, optional = s, nil
	}
	for _, o := range optional {
		more := p
		more.Requests = append(slices.Clone(p.Requests), o)
		s, err := u.tolerant(ctx, more)
		switch {
		case err == nil:
			p, solution = more, s
		case !errors.As(err, &conflict):
			return nil, err
		}
	}
	chosen := map[string]bool{}
	for _, c := range solution.Packages {
		chosen[c.Package.Name] = true
	}
	return chosen, nil
}

// tolerant takes an older build where the newest one does not go.
func (u *modules) tolerant(ctx context.Context, p Problem) (*Solution, error) {
	s, err := Resolve(ctx, p)
	var conflict *Conflict
	if !errors.As(err, &conflict) {
		return s, err
	}
	p.NoBest = true
	if s, err := Resolve(ctx, p); err == nil {
		return s, nil
	}
	return nil, conflict
}

func sortedDefaults(m map[string]string) []string {
	var out []string
	for module, stream := range m {
		if stream != "" {
			out = append(out, module)
		}
	}
	slices.Sort(out)
	return out
}

// asRepository makes a package of each stream, and one of the platform.
func (u *modules) asRepository() (*rpmrepo.Repository, error) {
	var packages []rpmrepo.Package
	for _, s := range u.streams {
		if !u.fits(s) {
			continue
		}
		p := asPackage(s.Module, s.Stream.Stream, "noarch")
		p.Name = s.id
		p.EVR = rpm.EVR{Version: fmt.Sprint(s.Version), Release: "1"}
		for _, r := range s.Requires {
			p.Requires = append(p.Requires, requirementOf(r)...)
			for _, stream := range r.Streams {
				if not, ok := strings.CutPrefix(stream, "-"); ok {
					p.Conflicts = append(p.Conflicts, rpm.Dependency{Name: "module(" + r.Module + ":" + not + ")"})
				}
			}
		}
		packages = append(packages, p)
	}
	if u.Platform != "" {
		p := asPackage(platform, u.Platform, "noarch")
		p.Name, p.EVR = platform, rpm.EVR{Version: "0", Release: "1"}
		packages = append(packages, p)
	}
	return rpmrepo.New(rpmrepo.DefaultConfig("modules"), packages)
}

func asPackage(module, stream, arch string) rpmrepo.Package {
	p := rpmrepo.Package{NEVRA: rpm.NEVRA{Arch: arch}}
	for _, name := range []string{"module(" + module + ")", "module(" + module + ":" + stream + ")"} {
		p.Provides = append(p.Provides, rpm.Dependency{Name: name})
	}
	p.Conflicts = []rpm.Dependency{{Name: "module(" + module + ")"}} // with others: a package does not conflict with itself
	return p
}

// requirementOf is a requirement of a stream in the words of packages.
func requirementOf(r modulemd.Requirement) []rpm.Dependency {
	var either []string
	for _, stream := range r.Streams {
		if !strings.HasPrefix(stream, "-") {
			either = append(either, "module("+r.Module+":"+stream+")")
		}
	}
	switch len(either) {
	case 0:
		return []rpm.Dependency{{Name: "module(" + r.Module + ")"}}
	case 1:
		return []rpm.Dependency{{Name: either[0]}}
	}
	return []rpm.Dependency{{Name: "(" + strings.Join(either, " or ") + ")"}}
}
