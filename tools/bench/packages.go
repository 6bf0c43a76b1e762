package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

// universe is the copy of a folder that tools/universe made, on the file system that is measured.
type universe struct {
	dir   string
	files map[string]string // newest file of each package, by name
	bytes int64             // of these files
}

const universeKey = "RPM-GPG-KEY-slipway-universe"

// copyUniverse copies and reads a universe.
func copyUniverse(from, to string) (universe, error) {
	u := universe{dir: to, files: map[string]string{}}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return u, fmt.Errorf("copying the RPM universe: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(to, "Packages", "*.rpm"))
	if err != nil {
		return u, err
	}
	newest := map[string]rpm.EVR{}
	for _, file := range files {
		p, err := rpm.Open(file)
		if err != nil {
			return u, err
		}
		n := p.NEVRA()
		p.Close()
		if have, ok := newest[n.Name]; !ok || have.Compare(n.EVR) < 0 {
			newest[n.Name], u.files[n.Name] = n.EVR, file
		}
	}
	for _, file := range u.files {
		info, err := os.Stat(file)
		if err != nil {
			return u, err
		}
		u.bytes += info.Size()
	}
	if len(u.files) == 0 {
		return u, fmt.Errorf("%s has no packages: make it with go run ./tools/universe", from)
	}
	return u, nil
}

// names are what is asked for: everything.
func (u universe) names() []string { return slices.Sorted(maps.Keys(u.files)) }

// repositoryFile is a .repo file of the universe and, once there are any, the updates.
func repositoryFile(u universe, updates *updates) string {
	text := section("universe", u.dir, filepath.Join(u.dir, universeKey))
	if updates != nil && updates.release > 0 {
		text += section("updates", updates.dir, updates.key())
	}
	return text
}

func section(id, dir, key string) string {
	return fmt.Sprintf("[%s]\nname=%s\nbaseurl=file://%s\nenabled=1\ngpgcheck=1\ngpgkey=file://%s\n", id, id, dir, key)
}

// updated is the package that gets an update.
const updated = "python3-flask"

// updates is a repository with one newer build of one package.
type updates struct {
	dir     string
	signer  *rpmwrite.Signer
	release int // how often there was an update
}

func newUpdates(dir string) (*updates, error) {
	signer, err := rpmwrite.NewSigner("Updates <updates@example.com>", time.Unix(946684800, 0))
	if err != nil {
		return nil, err
	}
	u := &updates{dir: dir, signer: signer}
	if err := os.MkdirAll(filepath.Join(dir, "Packages"), 0o755); err != nil {
		return nil, err
	}
	return u, os.WriteFile(u.key(), signer.PublicKey(), 0o644)
}

func (u *updates) key() string { return filepath.Join(u.dir, "KEY") }

// publish replaces the update by a newer one of the package in file.
func (u *updates) publish(file string) error {
	u.release++
	spec, err := rebuilt(file, u.release)
	if err != nil {
		return fmt.Errorf("making an update of %s: %w", filepath.Base(file), err)
	}
	spec.Key = u.signer
	if err := rpmwrite.WriteFile(filepath.Join(u.dir, "Packages", updated+".rpm"), spec); err != nil {
		return err
	}
	return repowrite.Write(u.dir, repowrite.Options{})
}

// rebuilt describes the package in file as it would come out of another build of the same source: a
// higher release, other times, the same content.
func rebuilt(file string, release int) (rpmwrite.Spec, error) {
	p, err := rpm.Open(file)
	if err != nil {
		return rpmwrite.Spec{}, err
	}
	defer p.Close()
	n := p.NEVRA()
	later := int64(release) * 3600
	spec := rpmwrite.Spec{
		Name: n.Name, EVR: n.EVR, Arch: n.Arch,
		Summary: p.String(rpm.TagSummary), License: p.String(rpm.TagLicense), Group: p.String(rpm.TagGroup),
		SourceRPM: p.SourceRPM(), BuildTime: int64(buildTime(p)) + later,
		Provides: others(p.Provides(), n), Requires: others(p.Requires(), n), Conflicts: p.Conflicts(), Obsoletes: p.Obsoletes(),
		Recommends: p.Recommends(), Suggests: p.Suggests(), Supplements: p.Supplements(), Enhances: p.Enhances(),
	}
	spec.EVR.Release += fmt.Sprintf(".%d", release)
	if spec.Scripts, err = p.Scripts(); err != nil {
		return spec, err
	}
	spec.Files, err = rebuiltFiles(p, later)
	return spec, err
}

func buildTime(p *rpm.Package) uint32 {
	if times := p.Uint32s(rpm.TagBuildTime); len(times) > 0 {
		return times[0]
	}
	return 0
}

// others leaves out the dependencies that writing a package adds.
func others(deps []rpm.Dependency, n rpm.NEVRA) []rpm.Dependency {
	return slices.DeleteFunc(slices.Clone(deps), func(d rpm.Dependency) bool {
		own := d.Name == n.Name || d.Name == "config("+n.Name+")" || strings.HasPrefix(d.Name, n.Name+"(")
		return own && d.EVR == n.EVR || strings.HasPrefix(d.Name, "rpmlib(")
	})
}

// rebuiltFiles reads the files of a package into memory: it is for a package of ordinary size.
func rebuiltFiles(p *rpm.Package, later int64) ([]rpmwrite.File, error) {
	files, err := p.Files()
	if err != nil {
		return nil, err
	}
	out := make([]rpmwrite.File, len(files))
	for i, f := range files {
		if len(f.HardLinks) > 1 {
			return nil, fmt.Errorf("%s is a hard link", f.Path)
		}
		out[i] = rpmwrite.File{
			Path: f.Path, Mode: f.Mode, Owner: f.Owner, Group: f.Group, ModTime: f.ModTime + later, Flags: f.Flags,
			Caps: f.Caps, Link: f.Link, Lang: f.Lang, Rdev: f.Rdev,
		}
	}
	payload, err := p.Payload()
	if err != nil {
		return nil, err
	}
	defer payload.Close()
	for {
		i, content, err := payload.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		if !files[i].IsRegular() {
			continue
		}
		data, err := io.ReadAll(content)
		if err != nil {
			return nil, err
		}
		out[i].Content, out[i].Size = rpmwrite.Bytes(data), int64(len(data))
	}
}
