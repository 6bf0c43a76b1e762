// Package xz decompresses the .xz file format (version 1.2.1 of its specification) with the LZMA2
// filter, which is all that packages and metadata of distributions use of it.
//
// What comes in is a stream, or several with padding between them; what goes out are the bytes in it,
// with checks (CRC32, CRC64, SHA-256), sizes and the index verified. Memory is that of the dictionary
// that the stream asks for, within a limit, and of half as much again, and never much more than what
// came out so far. Broken streams are errors, never panics. The package compresses nothing.
package xz
