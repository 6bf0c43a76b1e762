// Package rpmrepo reads RPM repositories: which packages they offer, and the packages themselves.
//
// ParseConfig reads .repo files. Client.Load turns one of their sections into a Repository, whose
// packages a solver can look up by name, by what they provide and by the files they hold.
// Client.Fetch brings packages, each checked by size, sha256 and signature, into the cache.
//
// Metadata is parsed once, as a stream, into a compact index that is kept in the cache under the
// checksum of what it was made from; a later load takes milliseconds. The format of metadata is
// createrepo_c's: repomd.xml names primary and filelists with their checksums; all of it is
// bounded and checked, and a document type declaration, which no repository needs, is refused.
//
// What holds: nothing is used whose checksum was not compared; a repository that asks for signed
// metadata (repo_gpgcheck) or is found through a metalink has repomd.xml itself checked too; an
// index that is damaged is made anew. Passwords are in no error and no log.
//
// The package does not choose between packages: that is package resolve's.
package rpmrepo
