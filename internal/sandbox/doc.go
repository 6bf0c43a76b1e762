// Package sandbox runs a command in a root filesystem of its own.
//
// What comes in is a Spec: directories that stacked upon each other make the
// root filesystem, a command, an identity, and limits. What comes out is the
// command's exit, its output, and, when asked for, the directory of what it
// changed. Builds of wheels, scriptlets of packages and the workloads of a
// local deployment all run through here.
//
// A sandboxed command always
//
//   - has its own mount, process, IPC, host name, user and network namespaces;
//     with Network None it can reach itself and what Forwards name, nothing else;
//   - sees its own root, a fresh /proc, a minimal /dev and an empty /tmp, and
//     nothing of the host's files but the Mounts it was given;
//   - keeps of root's powers only those that installing files needs, cannot
//     gain others, and is refused the system calls that administer a kernel;
//   - ends, with every process it started however far these detached, when its
//     first process ends, when its limits are reached, when the context is
//     cancelled, or when the program that started it dies, even by kill -9.
//     Mounts go with it; nothing on the host is left mounted.
//
// # How it is built
//
// Start executes the running program again in new namespaces; so a program
// that uses this package calls Main first thing in main (and TestMain), which
// takes over when the process is such a first process. It becomes process 1 of
// the sandbox: it reads the Spec from a pipe, mounts, pivots, starts the
// command, reaps, relays signals and network connections, and reports how the
// command ended. The pipe stays open for as long as the starting program lives;
// its end of file is what tells process 1 to go.
//
// A Session is such a sandbox without a command of its own: process 1 starts one after the other as
// it is told, and ends what each leaves running. What they share is the root filesystem, /tmp and the
// namespaces.
//
// # Identities
//
// Started by root, ids 0 to 65535 inside are the same ids outside, so that
// owners on disk are those of the image. Started by another user, id 0 inside is
// that user and, where /etc/subuid and newuidmap provide a range, the ids from 1
// on are that range; otherwise 0 is the only id there is. Probe tells which.
//
// # Limits
//
// Memory and Processes are enforced by control groups, version 1 or 2, where
// the starting user may make one; without them by resource limits, which hold
// for each process alone (memory) or each id (processes). Time and Output are
// enforced by the starting program, Disk by the size of the tmpfs mounts.
//
// The package does not pull or unpack images (package image), pick what runs, or
// restart anything (package deploy/local).
package sandbox
