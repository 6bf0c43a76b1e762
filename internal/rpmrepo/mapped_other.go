//go:build !unix

package rpmrepo

import "os"

// mapped gives the content of a file that nobody changes.
func mapped(path string) ([]byte, error) { return os.ReadFile(path) }

// unmap is for where mapped maps.
func unmap([]byte) {}
