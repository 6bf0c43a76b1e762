// Package wheel turns a project at a commit into a wheel, and a wheel into the files that an image gets.
//
// [Build] writes the wheel itself where package native can, and else runs the project's own build backend (PEP 517) in a sandbox
// that has no network, on a root filesystem that holds the build requirements as RPMs. The wheel is cached by what went in: the tree, the build root, the version, the epoch.
// Where only the insides of Python modules have changed since an earlier build, and the backend is known to copy modules
// without reading them, the earlier wheel with the new modules takes the place of a build; see update.go.
//
// [Open] reads a wheel as one reads what a stranger sent: every name, size and hash is checked before anything is believed.
//
// [Wheel.Install] lays the wheel out as pip would for the target's Python ([ProbeScheme] asks it): scripts, RECORD,
// direct_url.json and the rest. Nothing is written to disk; the files come back in memory, sorted by path, and are the same
// for the same tree whenever and wherever the wheel was built. [Check] is "pip check" for what an image holds.
package wheel
