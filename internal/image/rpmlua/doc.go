// Package rpmlua runs a package's script in Lua as rpm does: with rpm's own libraries posix and rpm
// beside Lua's, and with the files, programs and users of the root that is being installed.
//
// What comes in is an Order: the script and what rpm tells it. Helper is what a sandbox runs in the
// place of a program; the process is then in the root, so paths, links and owners mean what they
// mean there, and a root without any program does. What goes out is the process's exit code, and
// on its standard error what rpm would have said.
//
// posix.fork has no like in a Go program, whose threads a forked process would lack. Instead, every
// answer that a script gets from the world outside is written down; the child is a new process that
// runs the script again with the answers of the parent, to the fork, and goes on from there by
// itself. Lua being deterministic, it cannot tell the difference.
//
// Left out are rpm.register, rpm.call and rpm.interactive, which concern rpm's own workings, and of
// posix what asks about terminals and limits (ctermid, getlogin, pathconf, sysconf, times, ttyname).
package rpmlua
