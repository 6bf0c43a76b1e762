package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Resolve asks for the digest that ref names now. A reference by digest is checked to exist. Errors of the registry are
// [*Error].
func Resolve(ctx context.Context, ref string, o Options) (v1.Hash, error) {
	parsed, c, err := open(ctx, "resolving", ref, o)
	if err != nil {
		return v1.Hash{}, err
	}
	digest, err := c.resolve(ctx, parsed)
	if err != nil {
		return v1.Hash{}, c.fail("resolving", ref, err)
	}
	return digest, nil
}

// resolve asks for the digest that a reference names.
func (c *client) resolve(ctx context.Context, ref name.Reference) (digest v1.Hash, err error) {
	err = c.retry(ctx, "HEAD manifest", func() error {
		found, ok, err := c.headManifest(ctx, ref.Identifier())
		if err == nil && !ok {
			err = missing(ref)
		}
		digest = found
		return err
	})
	return digest, err
}

// Pull opens the image that ref names; of an index, the one for [Options.Platform]. Manifest and configuration are read and
// verified at once. Layers are read when they are asked for, from where they broke off when a connection is lost; a layer
// read to its end is verified, and the last read fails when it is not what its digest says. Reading layers ends with ctx.
// Errors of the registry are [*Error].
func Pull(ctx context.Context, ref string, o Options) (v1.Image, error) {
	parsed, c, err := open(ctx, "pulling", ref, o)
	if err != nil {
		return nil, err
	}
	image, err := c.image(ctx, parsed.Identifier(), o.platform())
	if err != nil {
		return nil, c.fail("pulling", ref, err)
	}
	return image, nil
}

// open connects for reading what ref names.
func open(ctx context.Context, op, ref string, o Options) (name.Reference, *client, error) {
	parsed, err := parse(ref, o)
	if err == nil && parsed.Identifier() == "" {
		err = fmt.Errorf("%s %s: which image? add a tag or a digest", op, ref)
	}
	if err != nil {
		return nil, nil, err
	}
	c, err := connect(ctx, op, parsed, transport.PullScope, nil, o)
	return parsed, c, err
}

func (o Options) platform() v1.Platform {
	if o.Platform != nil {
		return *o.Platform
	}
	return v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
}

// missing is what a GET would have been answered with.
func missing(ref name.Reference) error {
	return &transport.Error{StatusCode: http.StatusNotFound, Errors: []transport.Diagnostic{
		{Code: transport.ManifestUnknownErrorCode, Message: "there is no image " + ref.Identifier()},
	}}
}

// image reads the manifest that identifier names, down to an image, and its configuration.
func (c *client) image(ctx context.Context, identifier string, platform v1.Platform) (v1.Image, error) {
	for range maxDepth {
		var m manifest
		err := c.retry(ctx, "GET manifest", func() (err error) {
			m, err = c.getManifest(ctx, identifier)
			return err
		})
		if err != nil {
			return nil, err
		}
		if !m.mediaType.IsIndex() {
			return c.assemble(ctx, m)
		}
		child, err := choose(m, platform)
		if err != nil {
			return nil, err
		}
		identifier = child.String()
	}
	return nil, fmt.Errorf("indexes are nested more than %d deep", maxDepth)
}

// choose picks the image for a platform out of an index.
func choose(m manifest, platform v1.Platform) (v1.Hash, error) {
	var index v1.IndexManifest
	if err := json.Unmarshal(m.raw, &index); err != nil {
		return v1.Hash{}, fmt.Errorf("reading the index: %w", err)
	}
	for _, d := range index.Manifests {
		if d.MediaType.IsIndex() || d.Platform == nil && len(index.Manifests) == 1 || d.Platform != nil && d.Platform.Satisfies(platform) {
			return d.Digest, nil
		}
	}
	return v1.Hash{}, fmt.Errorf("the index has no image for %s", platform.String())
}

func (c *client) assemble(ctx context.Context, m manifest) (v1.Image, error) {
	if !m.mediaType.IsImage() {
		return nil, fmt.Errorf("it is no image but %q", m.mediaType)
	}
	var parsed v1.Manifest
	if err := json.Unmarshal(m.raw, &parsed); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	if parsed.Config.Size > maxManifest {
		return nil, fmt.Errorf("its configuration is larger than %d bytes", maxManifest)
	}
	config, err := c.readBlob(ctx, parsed.Config)
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", parsed.Config.Digest, err)
	}
	return partial.CompressedToImage(&remoteImage{client: c, ctx: ctx, manifest: m, parsed: parsed, config: config})
}

// remoteImage is an image in a registry; partial.CompressedToImage makes the rest of a v1.Image of it.
type remoteImage struct {
	*client
	ctx      context.Context // of the Pull: layers are read within it
	manifest manifest
	parsed   v1.Manifest
	config   []byte
}

func (i *remoteImage) RawManifest() ([]byte, error)        { return i.manifest.raw, nil }
func (i *remoteImage) RawConfigFile() ([]byte, error)      { return i.config, nil }
func (i *remoteImage) MediaType() (types.MediaType, error) { return i.manifest.mediaType, nil }

var errNoLayer = errors.New("the image has no such layer")

func (i *remoteImage) LayerByDigest(digest v1.Hash) (partial.CompressedLayer, error) {
	for _, d := range append([]v1.Descriptor{i.parsed.Config}, i.parsed.Layers...) {
		if d.Digest == digest {
			return &remoteLayer{client: i.client, ctx: i.ctx, descriptor: d}, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", digest, errNoLayer)
}
