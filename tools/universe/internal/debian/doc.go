// Package debian reads what the RPM universe is made of: Debian packages, their
// control data, relations and versions, and the closure that apt resolves.
//
// It needs apt-get and dpkg-deb on the machine, changes nothing of the system's
// own package state, and runs no maintainer script.
package debian
