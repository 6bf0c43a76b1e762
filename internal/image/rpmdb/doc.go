// Package rpmdb writes the RPM database of an image: the one that rpm itself would have left.
//
// What comes in are packages in the order of their installation, what goes out is one SQLite file
// as rpm 4.16 and later read it (rpm's lib/backend/sqlite.c). Each package's row holds its header
// as in the package file, the immutable region untouched, so that signatures and digests can be
// checked, and behind it what an installation adds. One table for each of rpm's indexes leads from
// names to headers.
//
// The same packages give the same bytes: rows go in in one order, in one transaction, and the time
// of installation is given. The file is in rollback-journal mode, so that it can be read on a
// read-only file system; rpm turns it to its own mode with its first write.
//
// The formats before SQLite (Berkeley DB, ndb) are not written.
package rpmdb
