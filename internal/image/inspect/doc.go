// Package inspect finds out what is in an image, whoever built it.
//
// In goes an image; out comes a Content: its layers, the files that a container of it would see, the
// RPMs and Python projects with the bytes that are theirs. Diff compares two of them. Layers are read
// as streams, each once, and nothing is unpacked but the RPM database, into a folder of the caller's.
//
// Images are not trusted: counts and sizes are bounded, paths stay names, and nothing is run. RPM
// databases are read where they are SQLite's (rpm 4.16 and later); of an older one Content says so.
package inspect
