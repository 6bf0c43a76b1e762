// Package strategy builds images by other means than Slipway's own builder: Containerfiles, with the
// engine of this machine. Sub-packages have others: external waits for what public services build, s2i runs builder images.
//
// In goes what the native builder gets, too: a base image of the locked RPMs, in a registry, and a folder
// with the projects at their commits. Out comes an image in the same registry. What it has installed is
// then checked against the lock and the commits (Check): an image that came to anything else is refused.
//
// The package starts the engines and writes their input. It does not resolve, lock, or decide what an
// image is made of (package release).
package strategy

// The strategies that slipway.yaml may name.
const (
	Native        = "native"
	Containerfile = "containerfile"
	External      = "external"
)
