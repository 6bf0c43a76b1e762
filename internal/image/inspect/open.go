package inspect

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Transports of images that are no registry's, as skopeo writes them.
const (
	layoutPrefix  = "oci:"
	archivePrefix = "docker-archive:"
)

// refName is the annotation by which an OCI image layout names its images (OCI image specification,
// "Pre-Defined Annotation Keys").
const refName = "org.opencontainers.image.ref.name"

// Local tells whether a reference is to an image in a folder or a file: "oci:FOLDER[:NAME]", an OCI
// image layout, or "docker-archive:FILE".
func Local(ref string) bool {
	return strings.HasPrefix(ref, layoutPrefix) || strings.HasPrefix(ref, archivePrefix)
}

// Open opens an image in a folder or a file; see Local. Of a layout with one image the name may be left
// out.
func Open(ref string) (v1.Image, error) {
	if file, ok := strings.CutPrefix(ref, archivePrefix); ok {
		img, err := tarball.ImageFromPath(file, nil)
		if err != nil {
			return nil, fmt.Errorf("opening %s: %w", ref, err)
		}
		return img, nil
	}
	folder, name, _ := strings.Cut(strings.TrimPrefix(ref, layoutPrefix), ":")
	img, err := openLayout(folder, name)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", ref, err)
	}
	return img, nil
}

func openLayout(folder, name string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		return nil, err
	}
	m, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range m.Manifests {
		has := d.Annotations[refName]
		if has == name && name != "" || name == "" && len(m.Manifests) == 1 || d.Digest.String() == name {
			return index.Image(d.Digest)
		}
		if has == "" {
			has = d.Digest.String()
		}
		names = append(names, has)
	}
	return nil, fmt.Errorf("which image of %s? write %s%s:NAME", strings.Join(names, ", "), layoutPrefix, folder)
}
