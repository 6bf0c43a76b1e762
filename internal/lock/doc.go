// Package lock keeps which RPMs a service's images are made of.
//
// A lock is the outcome of a resolution, written down so that the next build takes the very same
// files: for each target its repositories as they were, and for each package its NEVRA, where it
// is, its sha256 and size, which images it goes into, in which layer, and why it is there. With it
// a build needs no repository metadata at all.
//
// The file is YAML of a fixed shape, meant to be committed and to be read in a diff: sorted, a line
// a package, nothing in it that changes without cause. Marshal writes it; Parse reads it strictly
// (no unknown key, nothing missing, nothing twice, every value checked) and says the line of what
// it refuses. The file is content only: it holds no time, no path of this machine, no credentials.
//
// Plan divides packages into layers, Diff and Moves compare two locks, Target.Keep makes a resolution
// keep what was locked, ExportRPMs writes the packages for builders that know another format. The
// package reaches no network and knows nothing of how packages were chosen.
package lock
