package release

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/archive"
	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// places knows where the packages of a target are to be had: at their repository, then in the archive,
// then at the further places of the configuration.
type places struct {
	target    string
	confs     []rpmrepo.Config
	archive   archive.Archive // nil: there is none
	templates []string
	keys      map[string][]string // by repository, where a template asks for them
}

// places looks up a target's repositories, and their keys where a place is named after one.
func (p *Pipeline) places(ctx context.Context, target string) (*places, error) {
	confs, err := p.repositories(target)
	if err != nil {
		return nil, err
	}
	w := &places{target: target, confs: confs, archive: p.Archive(), templates: p.Config.Targets[target].Places}
	if !slices.ContainsFunc(w.templates, func(t string) bool { return strings.Contains(t, "{key}") }) {
		return w, nil
	}
	w.keys = map[string][]string{}
	for _, c := range confs {
		if w.keys[c.ID], err = p.Repositories.KeyIDs(ctx, c); err != nil {
			return nil, fmt.Errorf("places of target %s: %w", target, err)
		}
	}
	return w, nil
}

// Archive is what the configuration says; nil where it has none.
func (p *Pipeline) Archive() archive.Archive {
	switch a := p.Config.Archive; {
	case a.Folder != "":
		return &archive.Folder{Root: p.Config.Rel(a.Folder)}
	case a.Registry != "":
		return &archive.Registry{Repository: a.Registry, Options: p.Registry.Options, Blobs: p.Blobs, Cache: p.Cache}
	}
	return nil
}

// artifact is what brings a locked package, if its repository still is among the target's.
func (w *places) artifact(pkg *lock.Package) (rpmrepo.Artifact, bool) {
	i := slices.IndexFunc(w.confs, func(c rpmrepo.Config) bool { return c.ID == pkg.Repository })
	if i < 0 {
		return rpmrepo.Artifact{}, false
	}
	return rpmrepo.Artifact{Config: w.confs[i], Location: pkg.Path, SHA256: pkg.SHA256, Size: pkg.Size, Also: w.also(pkg)}, true
}

// artifacts are those of all packages of a lock, in their order.
func (w *places) artifacts(t *lock.Target) ([]rpmrepo.Artifact, error) {
	list := make([]rpmrepo.Artifact, len(t.Packages))
	for i := range t.Packages {
		a, ok := w.artifact(&t.Packages[i])
		if !ok {
			return nil, w.unknown(&t.Packages[i])
		}
		list[i] = a
	}
	return list, nil
}

func (w *places) unknown(pkg *lock.Package) error {
	return fmt.Errorf("%s is locked from repository %q, which target %s does not have: run slipway lock", pkg.NEVRA, pkg.Repository, w.target)
}

// also are the places of a package beside its repository's.
func (w *places) also(pkg *lock.Package) []string {
	var list []string
	if w.archive != nil {
		list = w.archive.Places(w.target, archived(pkg))
	}
	keys := w.keys[pkg.Repository]
	if len(keys) == 0 {
		keys = []string{""}
	}
	for _, template := range w.templates {
		for _, key := range keys {
			place := config.ExpandPlace(template, placeValues(pkg, key))
			if place != "" && !slices.Contains(list, place) {
				list = append(list, place)
			}
		}
	}
	return list
}

func archived(pkg *lock.Package) archive.Package {
	return archive.Package{Repository: pkg.Repository, Location: pkg.Path, SHA256: pkg.SHA256, Size: pkg.Size}
}

// placeValues are what the placeholders of a place stand for (config.PlaceNames).
func placeValues(pkg *lock.Package, key string) map[string]string {
	n := pkg.NEVRA
	values := map[string]string{
		"name": n.Name, "version": n.EVR.Version, "release": n.EVR.Release, "epoch": strconv.Itoa(n.EVR.Epoch), "arch": n.Arch,
		"nevra": n.String(), "file": path.Base(pkg.Path), "path": pkg.Path, "repository": pkg.Repository, "sha256": pkg.SHA256, "key": key,
	}
	if source, ok := strings.CutSuffix(pkg.Source, ".rpm"); ok {
		if s, err := rpm.ParseNEVRA(source); err == nil {
			values["source-name"], values["source-version"], values["source-release"] = s.Name, s.EVR.Version, s.EVR.Release
		}
	}
	return values
}
