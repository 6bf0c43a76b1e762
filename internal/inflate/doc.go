// Package inflate decompresses gzip (RFC 1952) and the DEFLATE format in it (RFC 1951), in a way made
// for packages and layers: streams of megabytes that are read from their beginning to their end.
//
// What comes in is a stream of one or more gzip members, what goes out are the bytes in them, checksums
// and lengths checked. Memory is bounded, whatever the stream says: a Reader has a few hundred kilobytes.
// Broken streams are errors, never panics. The package compresses nothing.
package inflate
