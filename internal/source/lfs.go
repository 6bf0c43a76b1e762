package source

import "bytes"

// maxPointer is how large a pointer may be (Git LFS specification, "The Pointer").
const maxPointer = 1024

var pointerStart = []byte("version https://git-lfs.github.com/spec/")

// IsPointer tells whether a file's content is a Git LFS pointer: the file itself is kept outside of the
// repository.
func IsPointer(content []byte) bool {
	return len(content) <= maxPointer && bytes.HasPrefix(content, pointerStart) && bytes.Contains(content, []byte("\noid sha256:"))
}
