package rpm

import "errors"

// Files gives the files of the package, sorted by path as the header has them.
// A path that could leave the root gives an *UnsafePathError.
func (h *Header) Files() ([]File, error) { return nil, errors.ErrUnsupported }
