// Package convert describes Debian packages as RPMs: what goes in are opened
// Debian packages, what comes out are the specs that rpmwrite turns into files.
//
// What stays: files with owners, modes and times, configuration files, and the
// relations, with versions mapped so that they hold as before (see debian.EVR).
// Alternatives become rich dependencies.
//
// What is brought to the form of an RPM distribution:
//   - /bin, /sbin, /lib and /lib64 are links into /usr; what lay there has moved,
//     and keeps its old path as a Provide.
//   - Two packages are made up: setup (users, groups and the like) and filesystem
//     (the links, and every directory that several packages share).
//   - Shared libraries provide and require their sonames and symbol versions, as
//     rpm's elfdeps prints them; Python distributions provide python3dist(NAME);
//     scripts require their interpreters, where the universe holds them.
//   - Maintainer scripts are not carried over. The few things that matter are
//     done by scriptlets and triggers of our own (see amend.go), so packages that
//     only serve maintainer scripts can be left out, with all relations to them.
//   - Some packages also provide the name that Fedora gives them.
//
// Python's bytecode is left out: Debian compiles at installation, and whatever
// compiler this machine has may not be the one of the universe.
//
// The same packages and options give the same specs.
package convert
