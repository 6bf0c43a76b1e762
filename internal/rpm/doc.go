// Package rpm reads RPM packages: their names and versions, dependencies,
// headers, scripts, file lists, payloads and signatures.
//
// What comes in is bytes that somebody else made, so everything is bounded and
// checked before it is used: a header's entries may not overlap or point
// outside, a path may not leave the root, a payload may hold no more than its
// header announces. Nothing is executed and nothing is written to disk.
//
// The package file format is RPM v4: a lead, a signature header, a header and a
// compressed cpio archive (rpm documentation, "RPM V4 package format"). Version
// order and dependency matching are rpm's own.
//
// Values are safe for concurrent reading. A Payload belongs to one goroutine.
package rpm
