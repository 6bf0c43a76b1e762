package requirement

import "io/fs"

// Project is a revision to read.
type Project struct {
	Name   string
	Commit string
	Tree   fs.FS
	// Version is the version that the repository's tags give. It is used where the metadata leaves the
	// version to a tool that asks git. Empty when there is no tag.
	Version string
}

// Read reports what a project needs on a target. A file that is missing is no error: a project may have a spec
// only, Python metadata only, or neither. What could not be understood is in the diagnostics of the result.
// Read runs nothing and reads only from the project's tree; it is safe for concurrent use when the tree is.
// The error is about reading the tree, or about a file that is larger than any honest one is.
func Read(p Project, t Target) (*Needs, error) {
	return nil, nil
}
