package rpmwrite

import (
	"errors"
	"io"
)

// Write writes the package that the spec describes.
func Write(w io.Writer, spec Spec) error { return errors.ErrUnsupported }

// WriteFile writes the package to a file, atomically.
func WriteFile(path string, spec Spec) error { return errors.ErrUnsupported }
