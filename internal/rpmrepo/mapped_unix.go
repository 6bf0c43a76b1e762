//go:build unix

package rpmrepo

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// mapped gives the content of a file that nobody changes, as the kernel has it: what is not looked at
// is not read, and nothing is copied. It stays mapped until the process ends, since strings in it are
// handed on; that the file is removed from the cache meanwhile is no harm.
func mapped(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if size == 0 || size > math.MaxInt {
		return nil, nil
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", path, err)
	}
	return data, nil
}

// unmap ends a mapping that nobody uses any more.
func unmap(data []byte) {
	if len(data) > 0 {
		_ = unix.Munmap(data) // it fails only for what is no mapping
	}
}
