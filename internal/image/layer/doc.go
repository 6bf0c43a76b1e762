// Package layer turns RPMs into compressed pieces of tar streams, and pieces into layers.
//
// The piece of one package is a fragment: the tar entries of its files, compressed as one or more
// gzip members or zstd frames. Owners, modes, times, links and capabilities come from the RPM's
// header, the content from its payload; nothing is unpacked. RFC 1952 section 2.2 and RFC 8878
// section 3.1 let compressed streams be joined end to end, so a layer is a head (the directories
// above the files), its packages' fragments and a tail (the end of the archive), and both of its
// digests are hashed while it is put together.
//
// Entries have no "./" and no leading slash; directories end in one. Headers are USTAR where the
// values fit and PAX (POSIX.1-2001) otherwise, with nothing in them that depends on the machine.
package layer
