// Package specfile reads RPM spec files: what a package and its sub-packages need, provide, and need to be built.
//
// [Parse] takes the bytes of a spec and a macro engine that holds a target's macros (see package macroset), and
// returns a [Spec]. It expands macros and evaluates conditions as rpmspec does, with the difference that it runs
// nothing: what a shell escape or Lua would have said is not known, and a dependency or condition that hangs on it
// becomes a [Diagnostic] that names the line.
//
// Where rpmspec refuses a whole spec for one bad line, Parse reports the line and reads on. The format follows
// rpm's documentation of spec files, conditional builds, and dependencies (rpm-spec(5), docs/manual).
package specfile
