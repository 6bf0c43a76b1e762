package release

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/slipway-build/slipway/internal/attest"
	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/wheel"
)

// bill lists what an image is made of.
func (b *build) bill(ctx context.Context, t *lock.Target, name string, final *image.Image, paths map[string]string, wheels map[string]*wheel.Wheel, extra []exceptWheel) (attest.Bill, error) {
	config, err := final.ConfigFile()
	if err != nil {
		return attest.Bill{}, err
	}
	digest, err := final.Digest()
	if err != nil {
		return attest.Bill{}, err
	}
	bill := attest.Bill{
		Image: b.Config.Service + "/" + name, Digest: digest.String(), Created: config.Created.Time, Release: t.Release, Version: b.Version,
	}
	if bill.Components, err = b.rpmComponents(ctx, t, name, paths); err != nil {
		return attest.Bill{}, err
	}
	for _, project := range b.Config.Images[name].Projects {
		r, w := b.candidate.Revisions[project], wheels[project]
		c := attest.Component{Kind: attest.Project, Name: w.Name, Version: w.Version, License: w.License(), Commit: r.Commit}
		if url := b.origin(project); !strings.HasPrefix(url, "file:") {
			c.URL = url
		}
		bill.Components = append(bill.Components, c)
	}
	for _, w := range extra {
		bill.Components = append(bill.Components, attest.Component{
			Kind: attest.File, Name: w.Name, Version: w.Version, License: w.License(), SHA256: w.locked.SHA256, URL: w.locked.URL,
		})
	}
	for _, x := range b.Config.ExceptionsOf([]string{name}) {
		c := attest.Component{Kind: attest.File, Name: x.Name.Value}
		switch {
		case x.File != nil:
			c.URL, c.SHA256 = x.File.URL, x.File.SHA256
		case x.Archive != nil:
			c.URL, c.SHA256 = x.Archive.URL, x.Archive.SHA256
		default:
			continue
		}
		bill.Components = append(bill.Components, c)
	}
	return bill, nil
}

// componentsKind is the cache's kind of what is told of a root's packages. The number changes when
// the same packages are told of otherwise.
const componentsKind = "components"

// rpmComponents are the packages of a root. What their headers say is read once.
func (b *build) rpmComponents(ctx context.Context, t *lock.Target, root string, paths map[string]string) ([]attest.Component, error) {
	urls := map[string]string{}
	parts := []string{"components/1", t.Digest(root)}
	for _, r := range t.Repositories {
		if strings.HasPrefix(r.URL, "http") { // a place on this machine is none for others
			urls[r.ID] = strings.TrimSuffix(r.URL, "/") + "/"
			parts = append(parts, r.ID, r.URL)
		}
	}
	path, _, err := b.Cache.File(ctx, componentsKind, cache.Key(parts...), func(w io.Writer) error {
		var list []attest.Component
		for _, p := range t.Root(root) {
			c := attest.Component{Kind: attest.RPM, NEVRA: p.NEVRA, SHA256: p.SHA256, Source: p.Source}
			if url, ok := urls[p.Repository]; ok {
				c.URL = url + p.Path
			}
			if err := describe(&c, paths[p.SHA256]); err != nil {
				return fmt.Errorf("package %s: %w", p.NEVRA, err)
			}
			list = append(list, c)
		}
		return json.NewEncoder(w).Encode(list)
	})
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []attest.Component
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return list, nil
}

// describe adds what a package's header says.
func describe(c *attest.Component, path string) error {
	p, err := rpm.Open(path)
	if err != nil {
		return err
	}
	defer p.Close()
	c.License, c.Vendor = p.String(rpm.TagLicense), p.String(rpm.TagVendor)
	return nil
}

// attest attaches to an image in the registry what the configuration wants attached, and signs it.
func (p *Pipeline) attest(ctx context.Context, s *Snapshot, img builtImage) error {
	conf, bill := p.Config.Attestations, img.bill
	var list []registry.Attachment
	for _, format := range conf.SBOM {
		write, mediaType := bill.CycloneDX, attest.CycloneDXType
		if format == "spdx" {
			write, mediaType = bill.SPDX, attest.SPDXType
		}
		document, err := write()
		if err != nil {
			return err
		}
		list = append(list, registry.Attachment{Type: mediaType, Content: document})
	}
	var provenance []byte // none where it is not wanted
	if *conf.Provenance {
		base, err := img.base.Digest()
		if err != nil {
			return err
		}
		provenance, err = bill.Provenance(attest.Build{
			Builder: conf.Builder, Service: s.Service, Image: img.name, Config: s.Config, Dirty: s.Dirty, Lock: s.Lock, Base: base.String(),
		})
		if err != nil {
			return err
		}
		list = append(list, registry.Attachment{Type: attest.ProvenanceType, Content: provenance})
	}
	if err := registry.Attach(ctx, p.repository(img.name), img.final, list, p.Registry.Options); err != nil {
		return err
	}
	if p.Config.Signing.Key == "" {
		return nil
	}
	return p.sign(ctx, img, provenance)
}

// sign vouches for an image and for how it was made, as cosign does.
func (p *Pipeline) sign(ctx context.Context, img builtImage, provenance []byte) error {
	key, err := p.Key()
	if err != nil {
		return err
	}
	// Of the embedded registry the name is signed, not the address of the moment.
	place, _, _ := strings.Cut(p.Reference(Image{Name: img.name, Digest: img.bill.Digest}), "@")
	payload := attest.Payload(place, img.bill.Digest)
	signature, err := key.Sign(payload)
	if err != nil {
		return err
	}
	statement := registry.Statement{Type: attest.PayloadType, Payload: payload, Annotations: map[string]string{attest.SignatureAnnotation: signature}}
	same := func(s registry.Statement) bool { return key.Signed(payload, s.Annotations[attest.SignatureAnnotation]) }
	err = registry.AddStatement(ctx, p.repository(img.name), img.final, registry.CosignSignatures, statement, same, p.Registry.Options)
	if err != nil || provenance == nil {
		return err
	}
	envelope, err := key.Envelope(ctx, provenance)
	if err != nil {
		return err
	}
	statement = registry.Statement{Type: attest.EnvelopeType, Payload: envelope, Annotations: map[string]string{
		attest.SignatureAnnotation: "", attest.PredicateAnnotation: attest.PredicateType,
	}}
	same = func(s registry.Statement) bool { return key.Enveloped(s.Payload, provenance) }
	return registry.AddStatement(ctx, p.repository(img.name), img.final, registry.CosignAttestations, statement, same, p.Registry.Options)
}
