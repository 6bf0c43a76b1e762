package image

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/slipway-build/slipway/internal/image/layer"
)

// platforms are OCI's names of rpm's architectures.
var platforms = map[string]v1.Platform{
	"x86_64":  {OS: "linux", Architecture: "amd64"},
	"aarch64": {OS: "linux", Architecture: "arm64"},
	"ppc64le": {OS: "linux", Architecture: "ppc64le"},
	"riscv64": {OS: "linux", Architecture: "riscv64"},
	"s390x":   {OS: "linux", Architecture: "s390x"},
	"i686":    {OS: "linux", Architecture: "386"},
}

func platform(arch string) (v1.Platform, error) {
	p, ok := platforms[arch]
	if !ok {
		return p, fmt.Errorf("architecture %q has no name among image architectures", arch)
	}
	return p, nil
}

// creator is what the history of an image says made its layers.
const creator = "slipway"

// defaultPath is the PATH of containers whose configuration names none.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"

// composition gathers what a base image is put together of.
type composition struct {
	arch    string
	docker  bool
	created int64
	shape   layer.Shape
	ids     layer.IDs
	layers  []*Layer
	history []v1.History
}

func (c *composition) add(b layer.Blob, what, comment string) {
	c.layers = append(c.layers, &Layer{blob: b})
	c.history = append(c.history, v1.History{
		Created:   v1.Time{Time: time.Unix(c.created, 0).UTC()},
		CreatedBy: creator + ": " + what,
		Comment:   comment,
	})
}

func (c *composition) image() (*Image, error) {
	p, err := platform(c.arch)
	if err != nil {
		return nil, err
	}
	config := &v1.ConfigFile{
		Architecture: p.Architecture,
		OS:           p.OS,
		Created:      v1.Time{Time: time.Unix(c.created, 0).UTC()},
		Config:       v1.Config{Env: []string{"PATH=" + defaultPath}},
		History:      c.history,
	}
	img, err := newImage(config, c.layers, nil, mediaTypes(c.docker))
	if err != nil {
		return nil, err
	}
	img.shape, img.ids = c.shape, c.ids
	return img, nil
}

// names are the media types of an image's parts; layer is "" where it is that of the layer's
// compression.
type names struct{ manifest, config, layer types.MediaType }

// mediaTypes are those of OCI (image-spec, "Media Types"), or docker's (image manifest version 2,
// schema 2).
func mediaTypes(docker bool) names {
	if docker {
		return names{types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer}
	}
	return names{types.OCIManifestSchema1, types.OCIConfigJSON, ""}
}

// errNoDockerType says what docker's media types cannot say.
var errNoDockerType = errors.New("docker's media types have none for layers in zstd: use gzip or OCI's")

// newImage makes the manifest of layers and a configuration, whose diff ids it sets. Manifests of
// docker have no annotations.
func newImage(config *v1.ConfigFile, layers []*Layer, annotations map[string]string, as names) (*Image, error) {
	config.RootFS = v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}}
	m := &v1.Manifest{
		SchemaVersion: 2,
		MediaType:     as.manifest,
		Layers:        []v1.Descriptor{},
		Annotations:   annotations,
	}
	if as.layer != "" {
		m.Annotations = nil
	}
	for i, l := range layers {
		if as.layer != "" && l.blob.Compression != layer.Gzip {
			return nil, errNoDockerType
		}
		layers[i] = &Layer{blob: l.blob, mediaType: cmp.Or(as.layer, types.MediaType(l.blob.Compression.MediaType()))}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, hash(l.blob.DiffID))
		m.Layers = append(m.Layers, v1.Descriptor{
			MediaType: layers[i].mediaType,
			Size:      l.blob.Size,
			Digest:    hash(l.blob.Digest),
		})
	}
	img := &Image{layers: layers, config: config, manifest: m}
	var err error
	if img.rawConfig, err = marshal(config); err != nil {
		return nil, err
	}
	m.Config = v1.Descriptor{
		MediaType: as.config,
		Size:      int64(len(img.rawConfig)),
		Digest:    hash(sum(img.rawConfig)),
	}
	if img.rawManifest, err = marshal(m); err != nil {
		return nil, err
	}
	img.digest = hash(sum(img.rawManifest))
	return img, nil
}

// marshal writes JSON without escaping what only HTML needs escaped. Keys of maps are sorted by the
// encoder.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}
