package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/slipway-build/slipway/internal/image/layer"
)

// AdoptSpec is an image that others built on a base of ours.
type AdoptSpec struct {
	// Base is what it stands on: its layers must be the image's lowest. Nil: it stands on nothing of ours.
	Base *Image
	// Image is what was built, with layers in gzip or zstd.
	Image v1.Image
	// Labels are added to those of the image; they go to the manifest as annotations, too.
	Labels map[string]string
	// Created replaces the date that the image has, and those in its history.
	Created time.Time
	// Docker says that the manifest has docker's media types.
	Docker bool
	// Exact keeps manifest and configuration as they are, and with them the digest. Labels, Created and
	// Docker are not looked at.
	Exact bool
}

// adoptedKind is the cache's kind of layers that others made, by digest.
const adoptedKind = "adopted"

// maxAdopted bounds a layer that others made, unpacked, in bytes.
const maxAdopted = 32 << 30

// Adopt takes over an image: its layers come into the cache, where the base's are already, and its
// configuration gets the labels. An image that does not stand on the base is an error.
func (b *Builder) Adopt(ctx context.Context, spec AdoptSpec) (*Image, error) {
	img, err := b.adopt(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("taking over the image: %w", err)
	}
	return img, nil
}

func (b *Builder) adopt(ctx context.Context, spec AdoptSpec) (*Image, error) {
	theirs, err := spec.Image.ConfigFile()
	if err != nil {
		return nil, err
	}
	list, err := spec.Image.Layers()
	if err != nil {
		return nil, err
	}
	ids := theirs.RootFS.DiffIDs
	if len(ids) != len(list) {
		return nil, errors.New("its configuration and manifest disagree about its layers")
	}
	base := &Image{}
	if spec.Base != nil {
		base = spec.Base
	}
	layers := slices.Clone(base.layers)
	if !startsWith(ids, base.layers) {
		return nil, errors.New("it does not stand on the base of locked packages that it was given")
	}
	for i, l := range list {
		if i < len(base.layers) {
			continue
		}
		blob, err := b.adoptLayer(ctx, l, ids[i].Hex)
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", ids[i], err)
		}
		layers = append(layers, &Layer{blob: blob})
	}
	if spec.Exact {
		img, err := exactly(spec.Image, theirs, layers)
		if err == nil {
			img.shape, img.ids = base.shape, base.ids
		}
		return img, err
	}
	created := v1.Time{Time: spec.Created.UTC().Truncate(time.Second)}
	config := &v1.ConfigFile{Architecture: theirs.Architecture, OS: theirs.OS, Variant: theirs.Variant, Created: created, Config: theirs.Config}
	for _, h := range theirs.History {
		h.Created = created
		config.History = append(config.History, h)
	}
	config.Config.Labels = maps.Clone(theirs.Config.Labels)
	if config.Config.Labels == nil {
		config.Config.Labels = map[string]string{}
	}
	maps.Copy(config.Config.Labels, spec.Labels)
	img, err := newImage(config, layers, maps.Clone(config.Config.Labels), mediaTypes(spec.Docker))
	if err != nil {
		return nil, err
	}
	img.shape, img.ids = base.shape, base.ids
	return img, nil
}

// exactly is an image as others wrote it, with its layers in the cache.
func exactly(theirs v1.Image, config *v1.ConfigFile, layers []*Layer) (*Image, error) {
	img := &Image{layers: layers, config: config}
	var err error
	if img.manifest, err = theirs.Manifest(); err != nil {
		return nil, err
	}
	if img.rawConfig, err = theirs.RawConfigFile(); err != nil {
		return nil, err
	}
	if img.rawManifest, err = theirs.RawManifest(); err != nil {
		return nil, err
	}
	if img.digest, err = theirs.Digest(); err != nil {
		return nil, err
	}
	for i := range layers {
		layers[i] = &Layer{blob: layers[i].blob, mediaType: img.manifest.Layers[i].MediaType}
	}
	return img, nil
}

// startsWith tells whether an image with these diff ids has the layers as its lowest.
func startsWith(ids []v1.Hash, layers []*Layer) bool {
	if len(ids) < len(layers) {
		return false
	}
	for i, l := range layers {
		if ids[i].Hex != l.blob.DiffID {
			return false
		}
	}
	return true
}

func (b *Builder) adoptLayer(ctx context.Context, l v1.Layer, diffID string) (layer.Blob, error) {
	digest, err := l.Digest()
	if err != nil {
		return layer.Blob{}, err
	}
	mediaType, err := l.MediaType()
	if err != nil {
		return layer.Blob{}, err
	}
	blob := layer.Blob{Digest: digest.Hex, DiffID: diffID}
	switch mediaType {
	case types.OCILayer, types.DockerLayer:
		blob.Compression = layer.Gzip
	case types.OCILayerZStd:
		blob.Compression = layer.Zstd
	default:
		return blob, fmt.Errorf("it is a %s, and not compressed by gzip or zstd", mediaType)
	}
	if blob.Size, err = l.Size(); err != nil {
		return blob, err
	}
	blob.Path, _, err = b.Cache.File(ctx, adoptedKind, digest.Hex, func(w io.Writer) error {
		r, err := l.Compressed()
		if err != nil {
			return err
		}
		_, err = io.Copy(w, r)
		return errors.Join(err, r.Close())
	})
	if err != nil {
		return blob, err
	}
	r, err := blob.Open()
	if err != nil {
		return blob, err
	}
	defer r.Close()
	h := sha256.New()
	if blob.TarSize, err = io.Copy(h, io.LimitReader(r, maxAdopted)); err != nil {
		return blob, err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != diffID {
		return blob, fmt.Errorf("its content is that of sha256:%s", got)
	}
	return blob, nil
}
