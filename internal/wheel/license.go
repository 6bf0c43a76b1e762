package wheel

import "strings"

// License is what the wheel's METADATA says of its licence: an SPDX expression (PEP 639), or the name
// that older projects give. A whole licence's text is no name of one.
func (w *Wheel) License() string {
	h := parseHeader(w.find(w.info + "/METADATA").content)
	if expression := h.get("License-Expression"); expression != "" {
		return expression
	}
	if license := h.get("License"); !strings.Contains(license, "\n") {
		return license
	}
	return ""
}
