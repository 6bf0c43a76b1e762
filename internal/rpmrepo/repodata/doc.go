// Package repodata reads the metadata of RPM repositories as createrepo_c writes it: repomd.xml,
// primary.xml, filelists.xml, and the metalinks that lead to them. It is pure: bytes come in as a
// stream, values go out; checksums, networks and caches are others' business.
//
// What is large is not kept as values but as an index: one block of bytes with interned strings,
// each distinct dependency once, and tables to look packages up by name, by what they provide and
// by file. WritePrimaryIndex and WriteFilesIndex make one from XML, in one pass; OpenIndex and
// OpenFiles use one where it lies, without decoding it first. An index ends with a checksum, and
// every reference in it is checked when it is opened, so a damaged one is an error and never a
// panic or a wrong answer.
//
// The XML reader knows what these documents need and no more: elements, attributes, character data,
// the predefined entities. Document type declarations (and so entity bombs) are refused; depth,
// lengths and counts are bounded.
package repodata
