// Package lua runs programs in Lua 5.4 (Lua 5.4 Reference Manual, sections 3 and 6), the language
// in which RPM packages write the scripts that have to run before there is a shell.
//
// What comes in is the text of a program and, as native functions, all that it can reach: the
// package itself does no I/O, starts nothing and knows no time. What goes out are the program's
// results, or an error with the position that Lua itself would give.
//
// What always holds: a program runs the same way each time. Tables are gone through in the order in
// which their keys came, addresses in tostring are counted, and random numbers follow a fixed seed
// until math.randomseed is called with another. A program ends: its steps, the depth of its calls
// and its memory have limits, and it cannot catch that one was reached.
//
// Left out are string.pack and string.unpack, string.dump and binary chunks, most of debug, weak
// tables and finalizers (__mode and __gc have no effect). The libraries os, io and package are the
// caller's to give.
package lua
