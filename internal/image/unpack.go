package image

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Unpack makes the layers of an image readable as folders, for a sandbox to run on: the paths of
// the unpacked layers, the topmost first. Each layer is unpacked once, under its diff id. The
// folders are shared and must not be written to.
func (b *Builder) Unpack(ctx context.Context, img v1.Image) ([]string, error) {
	return b.unpack(ctx, img)
}
