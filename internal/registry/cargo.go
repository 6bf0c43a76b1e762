package registry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Artifact is what can be pushed: a [v1.Image] or a [v1.ImageIndex].
type Artifact interface {
	partial.WithRawManifest
	partial.Describable
}

var tagShape = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// maxDepth bounds indexes within indexes.
const maxDepth = 4

// cargo is all that a push has to bring: blobs, each once, and manifests in the order in which they can be stored.
type cargo struct {
	blobs     []blob
	manifests []manifest
	seen      map[v1.Hash]bool
}

func (c cargo) root() manifest { return c.manifests[len(c.manifests)-1] }

func (c cargo) size() (n int64) {
	for _, b := range c.blobs {
		n += b.size
	}
	return n
}

func load(a Artifact) (cargo, error) {
	c := cargo{seen: map[v1.Hash]bool{}}
	err := c.add(a, 0)
	return c, err
}

func (c *cargo) add(a Artifact, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("indexes are nested more than %d deep", maxDepth)
	}
	var err error
	switch a := a.(type) {
	case *fileCargo:
		c.blobs = append(c.blobs, a.blobs...)
	case v1.Image:
		err = c.addImage(a)
	case v1.ImageIndex:
		err = c.addChildren(a, depth)
	default:
		err = fmt.Errorf("%T is neither an image nor an index", a)
	}
	if err != nil {
		return err
	}
	raw, err := a.RawManifest()
	if err != nil {
		return err
	}
	mediaType, err := a.MediaType()
	if err != nil {
		return err
	}
	digest, _, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	if !c.seen[digest] {
		c.seen[digest] = true
		c.manifests = append(c.manifests, manifest{digest, mediaType, raw})
	}
	return nil
}

// addImage takes an image's layers and its configuration. Layers that may not be distributed stay where they are.
func (c *cargo) addImage(image v1.Image) error {
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		mediaType, err := layer.MediaType()
		if err != nil {
			return err
		}
		if mediaType.IsDistributable() {
			err = c.addBlob(layer)
		}
		if err != nil {
			return err
		}
	}
	config, err := partial.ConfigLayer(image)
	if err != nil {
		return err
	}
	return c.addBlob(config)
}

func (c *cargo) addBlob(layer v1.Layer) error {
	digest, err := layer.Digest()
	if err != nil {
		return err
	}
	if c.seen[digest] {
		return nil
	}
	c.seen[digest] = true
	size, err := layer.Size()
	if err != nil {
		return err
	}
	c.blobs = append(c.blobs, blob{digest: digest, size: size, open: func() (io.ReadCloser, error) { return layer.Compressed() }})
	return nil
}

func (c *cargo) addChildren(index v1.ImageIndex, depth int) error {
	m, err := index.IndexManifest()
	if err != nil {
		return err
	}
	if m == nil {
		return errors.New("the index has no manifest")
	}
	for _, d := range m.Manifests {
		var child Artifact
		switch d.MediaType {
		case types.OCIManifestSchema1, types.DockerManifestSchema2:
			child, err = index.Image(d.Digest)
		case types.OCIImageIndex, types.DockerManifestList:
			child, err = index.ImageIndex(d.Digest)
		default:
			err = fmt.Errorf("it holds something that is no image, of type %q", d.MediaType)
		}
		if err == nil {
			err = c.add(child, depth+1)
		}
		if err != nil {
			return fmt.Errorf("%s in the index: %w", d.Digest, err)
		}
	}
	return nil
}
