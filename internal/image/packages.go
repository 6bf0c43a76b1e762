package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/image/script"
	"github.com/slipway-build/slipway/internal/rpm"
)

// loaded is a package whose header was read.
type loaded struct {
	BasePackage
	rpm     *rpm.Package
	files   []rpm.File
	scripts []rpm.Script
}

// packages are those of one image.
type packages []loaded

// load reads the headers of all packages and brings them into the order of their installation.
func (b *Builder) load(ctx context.Context, spec BaseSpec) (packages, error) {
	list := make(packages, len(spec.Packages))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(b.workers())
	for i, p := range spec.Packages {
		g.Go(func() error {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if err := list[i].read(p); err != nil {
				return fmt.Errorf("package %s: %w", p.NEVRA, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		list.close()
		return nil, err
	}
	ordered := make(packages, 0, len(list))
	for _, i := range script.Order(list.scripted()) {
		ordered = append(ordered, list[i])
	}
	return ordered, nil
}

func (l *loaded) read(p BasePackage) (err error) {
	l.BasePackage = p
	if l.rpm, err = rpm.Open(p.Path); err != nil {
		return err
	}
	if have := l.rpm.NEVRA(); have != p.NEVRA {
		return fmt.Errorf("the file is package %s", have)
	}
	if l.rpm.IsSource() {
		return errors.New("it is a source package, which cannot be installed")
	}
	if err := checkFormat(l.rpm); err != nil {
		return err
	}
	if l.files, err = l.rpm.Files(); err != nil {
		return err
	}
	l.scripts, err = l.rpm.Scripts()
	return err
}

// checkFormat refuses a target whose rpm cannot read the database that is written.
func checkFormat(p *rpm.Package) error {
	n := p.NEVRA()
	if n.Name == "rpm" && rpm.CompareVersion(n.EVR.Version, "4.16") < 0 {
		return fmt.Errorf("rpm %s keeps its database in Berkeley DB; images are made for rpm 4.16 and later, with SQLite", n.EVR.Version)
	}
	return nil
}

func (list packages) close() {
	for i := range list {
		if list[i].rpm != nil {
			list[i].rpm.Close()
		}
	}
}

// epoch is when the newest package was built, in seconds since 1970: the one time that an image has
// which depends on its packages alone.
func (list packages) epoch() int64 {
	var newest int64
	for i := range list {
		if t, ok := list[i].rpm.Uint32(rpm.TagBuildTime); ok {
			newest = max(newest, int64(t))
		}
	}
	return newest
}

func (list packages) scripted() []script.Package {
	out := make([]script.Package, len(list))
	for i, p := range list {
		out[i] = script.Package{
			Name: p.NEVRA.String(), Short: p.NEVRA.Name, EVR: p.NEVRA.EVR,
			Requires: append(p.rpm.Requires(), p.rpm.OrderWithRequires()...), Provides: p.rpm.Provides(),
			Files: p.files, Scripts: p.scripts,
		}
	}
	return out
}

func (list packages) layered() []layer.Package {
	out := make([]layer.Package, len(list))
	for i, p := range list {
		out[i] = layer.Package{Name: p.NEVRA.String(), Path: p.Path, SHA256: p.SHA256, Files: p.files}
	}
	return out
}

// ghosts are those of paths that a package has as %ghost, of whatever type: what is not there when
// the package is built counts as a file.
func (list packages) ghosts(paths []string) []rpm.File {
	var out []rpm.File
	for _, p := range list {
		for _, f := range p.files {
			if f.IsGhost() && slices.Contains(paths, f.Path) {
				out = append(out, f)
			}
		}
	}
	return out
}

// maxRead bounds a file that is read from a package as a whole.
const maxRead = 4 << 20

// contents reads regular files out of packages, by path. A path that no package brings is missing
// from the result; of several packages that bring it, the last one's counts.
func (list packages) contents(want func(path string) bool) (map[string][]byte, error) {
	out := map[string][]byte{}
	for i := range list {
		p := &list[i]
		left := 0
		for _, f := range p.files {
			if f.IsRegular() && !f.IsGhost() && want(f.Path) {
				left++
			}
		}
		if left == 0 {
			continue
		}
		if err := p.contents(want, left, out); err != nil {
			return nil, fmt.Errorf("package %s: %w", p.NEVRA, err)
		}
	}
	return out, nil
}

func (l *loaded) contents(want func(string) bool, left int, out map[string][]byte) error {
	payload, err := l.rpm.Payload()
	if err != nil {
		return err
	}
	defer payload.Close()
	for left > 0 {
		i, r, err := payload.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		f := &l.files[i]
		if !f.IsRegular() || !want(f.Path) {
			continue
		}
		if f.Size > maxRead {
			return fmt.Errorf("%s is larger than %d bytes", f.Path, maxRead)
		}
		if out[f.Path], err = io.ReadAll(r); err != nil {
			return err
		}
		left--
	}
	return nil
}
