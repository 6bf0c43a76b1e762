package image

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/rpm"
)

// writable gives the places of the folders that the image's group 0 may write to: links among the
// base's folders are followed.
func (spec *FinalSpec) writable() ([]string, error) {
	var places []string
	for _, p := range spec.Writable {
		if !strings.HasPrefix(p, "/") || path.Clean(p) != p || p == "/" {
			return nil, fmt.Errorf("writable folder %q is not absolute and clean, or is /", p)
		}
		at, err := spec.Base.shape.ResolveFolder(p)
		if err != nil {
			return nil, fmt.Errorf("writable folder %s: %w", p, err)
		}
		places = append(places, at)
	}
	return places, nil
}

// share gives an entry in, or that is, one of these folders to group 0, and lets that do what the
// owner may. Symbolic links have no permissions, and files of other types are nobody's to share.
func share(e *layer.Entry, folders []string) {
	switch e.Mode & rpm.ModeTypeMask {
	case rpm.ModeRegular, rpm.ModeDirectory:
	default:
		return
	}
	if slices.ContainsFunc(folders, func(f string) bool { return e.Path == f || strings.HasPrefix(e.Path, f+"/") }) {
		e.GID = 0
		e.Mode = e.Mode&^0o070 | e.Mode&0o700>>3
	}
}
