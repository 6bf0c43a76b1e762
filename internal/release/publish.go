package release

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/registry"
)

// baseSuffix is what the repository of an image's base is called after the image.
const baseSuffix = "-base"

// embeddedHost stands for the embedded registry in references that outlive this process, which
// serves it at an address of its own.
const embeddedHost = "embedded"

// Reference is where an image of a snapshot is found, by digest, as people and deploy targets are
// told it.
func (p *Pipeline) Reference(img Image) string {
	if p.Registry.Embedded {
		return embeddedHost + "/" + p.path(img.Name) + "@" + img.Digest
	}
	return p.address(img)
}

// address is where an image of a snapshot answers now.
func (p *Pipeline) address(img Image) string { return p.repository(img.Name) + "@" + img.Digest }

// locate turns what Reference gave into where it answers now.
func (p *Pipeline) locate(ref string) string {
	if rest, ok := strings.CutPrefix(ref, embeddedHost+"/"); ok && p.Registry.Embedded {
		host, _, _ := strings.Cut(p.Registry.Address, "/")
		return host + "/" + rest
	}
	return ref
}

func (p *Pipeline) repository(image string) string { return p.Registry.Address + "/" + image }

// path is an image's repository without the registry's host.
func (p *Pipeline) path(image string) string {
	_, path, _ := strings.Cut(p.repository(image), "/")
	return path
}

// publish pushes the images of a snapshot, tagged with its alias: the bases one after the other, so that what a repository
// has, the next ones mount, and bytes that images share are sent once; then the images, all at the same time.
func (p *Pipeline) publish(ctx context.Context, s *Snapshot, images []builtImage) (bytes int64, err error) {
	o := p.Registry.Options
	o.Tags = []string{s.Alias}
	for _, img := range images {
		pushed, err := registry.Push(ctx, img.base, p.repository(img.name+baseSuffix), o)
		if err != nil {
			return bytes, err
		}
		bytes += pushed.Bytes
		o.Mount = append(o.Mount, p.path(img.name+baseSuffix))
	}
	sent := make([]int64, len(images))
	g, ctx := errgroup.WithContext(ctx)
	for i, img := range images {
		g.Go(func() error {
			pushed, err := registry.Push(ctx, img.final, p.repository(img.name), o)
			if err != nil {
				return err
			}
			sent[i] = pushed.Bytes
			return p.attest(ctx, s, img)
		})
	}
	err = g.Wait()
	for _, n := range sent {
		bytes += n
	}
	return bytes, err
}

// published says whether the registry has all images of a snapshot.
func (p *Pipeline) published(ctx context.Context, s *Snapshot) (bool, error) {
	for _, img := range s.Images {
		_, err := registry.Resolve(ctx, p.address(img), p.Registry.Options)
		var re *registry.Error
		if errors.As(err, &re) && re.Reason == registry.NotFound {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return true, nil
}

// tag moves an environment's tag to the images of a snapshot.
func (p *Pipeline) tag(ctx context.Context, environment string, s *Snapshot) error {
	o := p.Registry.Options
	o.Tags = []string{environment}
	for _, img := range s.Images {
		pulled, err := registry.Pull(ctx, p.address(img), p.Registry.Options)
		if err != nil {
			return err
		}
		if _, err := registry.Push(ctx, pulled, p.repository(img.Name), o); err != nil {
			return fmt.Errorf("moving tag %s: %w", environment, err)
		}
	}
	return nil
}

// version is a project's, as the metadata of its first target has it.
func (b *build) version(project string) string {
	for _, target := range sortedKeys(b.needs.Projects) {
		if n := b.needs.Projects[target][project]; n != nil {
			return n.Version
		}
	}
	return ""
}

// snapshot describes what was built.
func (b *build) snapshot(key, lockDigest string, images []builtImage) (*Snapshot, error) {
	c := b.candidate
	s := &Snapshot{
		Service: b.Config.Service, Branch: c.Branch, Config: c.Config.Commit, Dirty: c.Config.Dirty,
		Lock: "sha256:" + lockDigest, Candidate: key, Created: b.Now().UTC(),
	}
	for name, r := range c.Revisions {
		s.Projects = append(s.Projects, Project{
			Name: name, URL: r.URL, Branch: r.Branch, Commit: r.Commit, Version: b.version(name),
			Author: r.Author, Subject: r.Subject, Time: r.Time,
		})
	}
	for _, img := range images {
		final, err := img.final.Digest()
		if err != nil {
			return nil, err
		}
		base, err := img.base.Digest()
		if err != nil {
			return nil, err
		}
		m, err := img.final.Manifest()
		if err != nil {
			return nil, err
		}
		out := Image{Name: img.name, Digest: final.String(), Base: base.String(), Layers: len(m.Layers)}
		for _, l := range m.Layers {
			out.Size += l.Size
		}
		s.Images = append(s.Images, out)
	}
	s.seal()
	return s, nil
}
