package image

import (
	"fmt"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/slipway-build/slipway/internal/image/layer"
)

// Image is an image whose blobs are files of the cache. It implements v1.Image of
// go-containerregistry, so that it can be pushed, validated and written by it. It is immutable and
// safe for concurrent use.
type Image struct {
	layers      []*Layer
	config      *v1.ConfigFile
	manifest    *v1.Manifest
	rawConfig   []byte
	rawManifest []byte
	digest      v1.Hash

	// shape and ids are known of base images, and of final ones from their base.
	shape layer.Shape
	ids   layer.IDs
}

// Layer is one layer of an Image; it implements v1.Layer.
type Layer struct {
	blob      layer.Blob
	mediaType types.MediaType // set by newImage
}

var (
	_ v1.Image = (*Image)(nil)
	_ v1.Layer = (*Layer)(nil)
)

// Path is the compressed layer's file in the cache.
func (l *Layer) Path() string { return l.blob.Path }

// Digest is the hash of the compressed layer.
func (l *Layer) Digest() (v1.Hash, error) { return hash(l.blob.Digest), nil }

// DiffID is the hash of the layer's tar stream.
func (l *Layer) DiffID() (v1.Hash, error) { return hash(l.blob.DiffID), nil }

// Size is the number of compressed bytes.
func (l *Layer) Size() (int64, error) { return l.blob.Size, nil }

// MediaType is the type that the image's manifest has for the layer.
func (l *Layer) MediaType() (types.MediaType, error) { return l.mediaType, nil }

// Compressed opens the layer as it is stored.
func (l *Layer) Compressed() (io.ReadCloser, error) { return os.Open(l.blob.Path) }

// Uncompressed opens the layer's tar stream.
func (l *Layer) Uncompressed() (io.ReadCloser, error) { return l.blob.Open() }

func hash(hex string) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: hex} }

// BlobLayers are the layers with their places in the cache, the lowest first.
func (i *Image) BlobLayers() []*Layer { return i.layers }

// IDs are the numbers of the image's users and groups, to be recorded for later images. The maps
// must not be changed.
func (i *Image) IDs() layer.IDs { return i.ids }

// Layers are the layers, the lowest first.
func (i *Image) Layers() ([]v1.Layer, error) {
	out := make([]v1.Layer, len(i.layers))
	for n, l := range i.layers {
		out[n] = l
	}
	return out, nil
}

// MediaType is that of an image manifest, OCI's or docker's.
func (i *Image) MediaType() (types.MediaType, error) { return i.manifest.MediaType, nil }

// Size is the number of bytes of the manifest.
func (i *Image) Size() (int64, error) { return int64(len(i.rawManifest)), nil }

// ConfigName is the hash of the configuration.
func (i *Image) ConfigName() (v1.Hash, error) { return i.manifest.Config.Digest, nil }

// ConfigFile is a copy of the configuration.
func (i *Image) ConfigFile() (*v1.ConfigFile, error) { return i.config.DeepCopy(), nil }

// RawConfigFile is the configuration's bytes.
func (i *Image) RawConfigFile() ([]byte, error) { return i.rawConfig, nil }

// Digest is the hash of the manifest.
func (i *Image) Digest() (v1.Hash, error) { return i.digest, nil }

// Manifest is a copy of the manifest.
func (i *Image) Manifest() (*v1.Manifest, error) { return i.manifest.DeepCopy(), nil }

// RawManifest is the manifest's bytes.
func (i *Image) RawManifest() ([]byte, error) { return i.rawManifest, nil }

// LayerByDigest finds the layer, or the configuration as a layer, with this digest.
func (i *Image) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	if h == i.manifest.Config.Digest {
		return partial.ConfigLayer(i)
	}
	for _, l := range i.layers {
		if l.blob.Digest == h.Hex {
			return l, nil
		}
	}
	return nil, fmt.Errorf("image %s has no layer with digest %s", i.digest, h)
}

// LayerByDiffID finds the layer with this diff id.
func (i *Image) LayerByDiffID(h v1.Hash) (v1.Layer, error) {
	for _, l := range i.layers {
		if l.blob.DiffID == h.Hex {
			return l, nil
		}
	}
	return nil, fmt.Errorf("image %s has no layer with diff id %s", i.digest, h)
}
