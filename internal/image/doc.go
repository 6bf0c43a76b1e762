// Package image turns locked RPMs into a base image, and a base image with files into a final one.
//
// What comes in are RPM files on disk, already verified, with the layers that the lock gave them;
// what goes out is an image whose blobs lie in the cache and whose every byte is decided by the
// input: the same packages and options give the same digest, in any order, with any number of
// workers, on any machine.
//
// A base image is made in the order in which rpm would install the packages:
//
//   - users and groups are gathered (setup's passwd and group files, sysusers lines), and the
//     scripts that run before a package's files (%pretrans, %pre) run in a sandbox;
//   - each package becomes a fragment: a compressed piece of a tar stream, cached by what went into
//     it (package layer); a layer is its packages' fragments, one after another;
//   - the layers are unpacked once each, and what rpm runs afterwards (%post, triggers, file
//     triggers, %posttrans) runs over them, in rpm's order and with rpm's arguments; what that
//     changed becomes one more layer (package script);
//   - the last layer holds the RPM database (package rpmdb).
//
// Where this differs from rpm: all files are in place before the first %post runs, and all %pre
// scripts run before those packages' files that belong to users whom a %pre script makes, so a
// script can see files of packages that rpm would install after its own. A %post that fails is a
// warning to rpm and an error here. Users and groups that packages declare in their Provides are made
// whatever the target's rpm, which itself does so from 4.19 on. What tells of the build alone is left
// out, and times of what scripts wrote are those of the newest package (script.Collect).
//
// A final image is a base, one layer of files, and a configuration. The base's bytes are not read.
//
// The package resolves nothing, downloads nothing and verifies no signature.
package image
