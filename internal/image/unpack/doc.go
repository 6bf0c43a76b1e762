// Package unpack writes an image layer to a folder, for a sandbox to stack.
//
// What comes in is a tar stream from anywhere, what goes out is a folder that holds exactly what
// the layer holds: files with their modes, times and links, deletions in the form that the sandbox
// reads (package sandbox, Whiteout and Opaque). As root, owners and capabilities are the layer's;
// as another user, files belong to that user and have no capabilities. Device nodes are left out,
// as a sandbox has its own.
//
// Nothing is written outside the folder, whatever names and links the stream holds: every folder is
// opened by the kernel with that folder as its root (openat2(2), RESOLVE_IN_ROOT), and the last
// element of a name is never followed. Entries and bytes are bounded.
package unpack
