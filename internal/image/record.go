package image

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/slipway-build/slipway/internal/image/layer"
)

// recordKind is the cache's kind of base images.
const recordKind = "image"

// record is a base image in the cache: everything but the blobs.
type record struct {
	Config *v1.ConfigFile `json:"config"`
	Docker bool           `json:"docker"` // the manifest is docker's
	Layers []layer.Blob   `json:"layers"` // paths are relative to the cache
	Shape  layer.Shape    `json:"shape"`
	IDs    layer.IDs      `json:"ids"`
}

func (b *Builder) record(ctx context.Context, key string, img *Image) error {
	r := record{Config: img.config, Docker: img.manifest.MediaType == types.DockerManifestSchema2, Shape: img.shape, IDs: img.ids}
	for _, l := range img.layers {
		blob := l.blob
		var err error
		if blob.Path, err = filepath.Rel(b.Cache.Root(), blob.Path); err != nil {
			return err
		}
		r.Layers = append(r.Layers, blob)
	}
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, _, err = b.Cache.File(ctx, recordKind, key, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	return err
}

// recall reads an image from the cache. One that is damaged, or of which a blob is missing, is as
// good as none.
func (b *Builder) recall(key string) (*Image, bool) {
	path, ok := b.Cache.Path(recordKind, key)
	if !ok {
		return nil, false
	}
	img, ok := b.read(path)
	if !ok {
		_ = b.Cache.Remove(recordKind, key)
	}
	return img, ok
}

func (b *Builder) read(path string) (*Image, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	var r record
	if json.Unmarshal(data, &r) != nil || r.Config == nil {
		return nil, false
	}
	var layers []*Layer
	for _, blob := range r.Layers {
		if !filepath.IsLocal(blob.Path) {
			return nil, false
		}
		blob.Path = filepath.Join(b.Cache.Root(), blob.Path)
		if st, err := os.Stat(blob.Path); err != nil || st.Size() != blob.Size {
			return nil, false
		}
		b.Cache.Used(blob.Path)
		layers = append(layers, &Layer{blob: blob})
	}
	img, err := newImage(r.Config, layers, nil, mediaTypes(r.Docker))
	if err != nil {
		return nil, false
	}
	img.shape, img.ids = r.Shape, r.IDs
	return img, true
}
