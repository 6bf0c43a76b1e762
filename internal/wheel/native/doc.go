// Package native writes wheels of Python projects without running anything of them, byte for byte as their own build
// backend would.
//
// In goes a project's tree, what its pyproject.toml says of the backend, and the [Environment] of the build root: which
// Python it has and which distributions, by version. Out come the files of the wheel, all but RECORD.
//
// Whether that works is decided by the package itself. It knows setuptools, hatchling and flit-core, in the versions that the tests hold it against, and of each what those versions do: where they differ in what they read or
// write, the version that the build root has decides. Anything that only a running backend can know (a setup.py that
// computes, a plug-in, an extension in C, a version it has no knowledge of) is an [*UnsupportedError] with the reason, and the
// backend has to run. So is whatever would be an error: the backend says it better. What this package does write is what
// the backend would have written; in doubt it does not write.
//
// The package is pure: it reads through the fs.FS it is given, keeps no state, and is safe for concurrent use.
package native
