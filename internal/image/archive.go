package image

import (
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/renameio/v2"
)

// WriteArchive writes an image to a file that `podman load` and `docker load` read (the
// docker-archive format), whole or not at all. ref is what the image is called there, with a tag.
func WriteArchive(path, ref string, img *Image) error {
	tag, err := name.NewTag(ref)
	if err != nil {
		return fmt.Errorf("writing archive %s: %w", path, err)
	}
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("writing archive: %w", err)
	}
	defer func() { _ = f.Cleanup() }()
	if err := tarball.Write(tag, img, f); err != nil {
		return fmt.Errorf("writing archive %s: %w", path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("writing archive %s: %w", path, err)
	}
	return nil
}
