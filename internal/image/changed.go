package image

import (
	"context"
	"fmt"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/image/script"
)

// ChangedSpec is an image and what a sandbox changed over it.
type ChangedSpec struct {
	On *Image
	// Lower are the unpacked layers of On (Unpack); Upper is the sandbox's folder of changes.
	Lower []string
	Upper string
	// Key identifies what went into the changes; Created is the date of the image and the latest of its files.
	Key     string
	Created time.Time
	// By is what the history says made the layer.
	By string
	// Config changes the run-time configuration of On.
	Config func(*v1.Config)
}

// Changed makes an image of On and a layer of the changes; without a change there is no layer. Changes are
// taken as those of steps: /tmp and the like are left out, times are clamped, a private key is an error.
func (b *Builder) Changed(ctx context.Context, spec ChangedSpec) (*Image, error) {
	config := spec.On.config.DeepCopy()
	config.Created = v1.Time{Time: spec.Created.UTC().Truncate(time.Second)}
	layers := slices.Clone(spec.On.layers)
	blobs := make([]layer.Blob, len(layers))
	for i, l := range layers {
		blobs[i] = l.blob
	}
	own, err := readOwners(blobs)
	if err != nil {
		return nil, err
	}
	m := layer.Maker{Cache: b.Cache, Compression: layer.Gzip}
	blob, err := m.Files(ctx, cache.Key("changed/1", spec.Key), func(a *layer.Archive) error {
		changes, err := script.Collect("", []string{spec.Upper}, spec.Lower, config.Created.Unix(), own.of)
		if err != nil {
			return err
		}
		defer changes.Close()
		return changes.Write(a)
	})
	if err != nil {
		return nil, fmt.Errorf("reading what %s left: %w", spec.By, err)
	}
	if blob.TarSize != onlyEnd {
		layers = append(layers, &Layer{blob: blob})
		config.History = append(config.History, v1.History{Created: config.Created, CreatedBy: creator + ": " + spec.By})
	}
	spec.Config(&config.Config)
	img, err := newImage(config, layers, nil, mediaTypes(false))
	if err != nil {
		return nil, err
	}
	img.shape, img.ids = spec.On.shape, spec.On.ids
	return img, nil
}
