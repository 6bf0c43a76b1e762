// Package transfer brings files from web servers and disks to this machine, whatever the servers do.
//
// A Request names one file at one or more places. The places are tried in order, again after a
// pause where a failure may pass, and a broken transfer goes on where it stopped. What arrives is
// measured against the size and checksum that the request gives; a place that has another file,
// none, an HTML page, an endless redirect, or nothing to say for a while is left for the next one.
// When no place is left, the error tells what was wrong with each, in types that a caller can tell
// apart; no error holds a password or the query of a URL.
//
// The package knows nothing of RPM.
package transfer
