package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/renameio/v2"
)

// refName is the annotation that holds a manifest's tag (OCI image-spec, "Annotations").
const refName = "org.opencontainers.image.ref.name"

// WriteLayout adds images to the OCI image layout in dir (OCI image-spec, "Image Layout"), making it
// where it does not exist. Blobs that are there stay, so a layer that images share is stored once;
// layers are linked to the cache's files where the file system can. In the index, the first image
// gets the tag; an image that had it before loses it. An empty tag tags nothing.
//
// What reads layouts passes over manifests of docker, so an image that has one is written with
// OCI's, which has another digest.
func WriteLayout(dir, tag string, images ...*Image) error {
	if err := writeLayout(dir, tag, images); err != nil {
		return fmt.Errorf("writing OCI layout %s: %w", dir, err)
	}
	return nil
}

func writeLayout(dir, tag string, images []*Image) error {
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return err
	}
	index, err := readIndex(filepath.Join(dir, "index.json"))
	if err != nil {
		return err
	}
	for n, img := range images {
		if img, err = img.oci(); err != nil {
			return err
		}
		if err := img.writeBlobs(blobs); err != nil {
			return err
		}
		name := ""
		if n == 0 {
			name = tag
		}
		index.put(img.descriptor(), name)
	}
	data, err := marshal(index.IndexManifest)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, "index.json"), data, 0o644)
}

// oci is the image with OCI's media types.
func (i *Image) oci() (*Image, error) {
	if i.manifest.MediaType == types.OCIManifestSchema1 {
		return i, nil
	}
	return newImage(i.config.DeepCopy(), slices.Clone(i.layers), maps.Clone(i.config.Config.Labels), mediaTypes(false))
}

func (i *Image) writeBlobs(dir string) error {
	for _, l := range i.layers {
		if err := linkBlob(l.blob.Path, filepath.Join(dir, l.blob.Digest), l.blob.Size); err != nil {
			return err
		}
	}
	for _, b := range []struct {
		hash v1.Hash
		data []byte
	}{{i.manifest.Config.Digest, i.rawConfig}, {i.digest, i.rawManifest}} {
		if err := renameio.WriteFile(filepath.Join(dir, b.hash.Hex), b.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// linkBlob gives a blob of the cache a second name, or copies it to another file system. One that
// is there with the right size stays.
func linkBlob(from, to string, size int64) error {
	if st, err := os.Stat(to); err == nil && st.Size() == size {
		return nil
	}
	err := os.Link(from, to)
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrExist) {
		if err := os.Remove(to); err != nil {
			return err
		}
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := renameio.NewPendingFile(to, renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer func() { _ = dst.Cleanup() }()
	if _, err := io.Copy(dst, src); err != nil {
		return err
	}
	return dst.CloseAtomicallyReplace()
}

func (i *Image) descriptor() v1.Descriptor {
	return v1.Descriptor{
		MediaType:   i.manifest.MediaType,
		Size:        int64(len(i.rawManifest)),
		Digest:      i.digest,
		Annotations: nil,
		Platform:    &v1.Platform{OS: i.config.OS, Architecture: i.config.Architecture, Variant: i.config.Variant},
	}
}

type index struct{ *v1.IndexManifest }

func readIndex(path string) (index, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return index{&v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}}, nil
	}
	if err != nil {
		return index{}, err
	}
	var m v1.IndexManifest
	if err := json.Unmarshal(data, &m); err != nil {
		return index{}, fmt.Errorf("reading index.json: %w", err)
	}
	return index{&m}, nil
}

// put adds a manifest under a name, or without one unless it is there already.
func (x index) put(d v1.Descriptor, name string) {
	x.Manifests = slices.DeleteFunc(x.Manifests, func(have v1.Descriptor) bool {
		had := have.Annotations[refName]
		return name != "" && had == name || have.Digest == d.Digest && had == ""
	})
	if name != "" {
		d.Annotations = map[string]string{refName: name}
	} else if slices.ContainsFunc(x.Manifests, func(have v1.Descriptor) bool { return have.Digest == d.Digest }) {
		return
	}
	x.Manifests = append(x.Manifests, d)
}
