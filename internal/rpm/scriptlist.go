package rpm

import "errors"

// Scripts gives the scriptlets and triggers of the package, in the order of
// their kinds, triggers of one kind in the header's order.
func (h *Header) Scripts() ([]Script, error) { return nil, errors.ErrUnsupported }
