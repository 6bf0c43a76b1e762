package local

import "context"

// Images finds the root filesystems of images. The directories must stay as they
// are for as long as a release that uses them runs.
type Images interface {
	// Root pulls and unpacks the image of a reference by digest, if need be.
	Root(ctx context.Context, ref string) (Root, error)
}

// Root is an unpacked image and what its configuration says about running it
// (OCI image specification, image configuration).
type Root struct {
	Lower        []string // as sandbox.Spec.Lower: topmost first, absolute
	Digest       string   // of the image's manifest, "sha256:…"
	Entrypoint   []string
	Cmd          []string
	Env          []string // "name=value"
	WorkingDir   string
	User         string // "", "name", "uid", "name:group" or "uid:gid"
	ExposedPorts []int  // TCP, in the order of the configuration or sorted
}
