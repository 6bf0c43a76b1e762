// Package macro expands RPM macros, as rpm documents them, without ever running anything.
//
// An [Engine] holds a table of macros and expands text against it: %name, %{name}, %{?name:…}, parametric macros
// with options, %[expressions], and the built-in macros. Its semantics follow rpm's manual pages on macros, spec
// files and conditional expressions, checked against the real program by the package's tests; built-ins of newer
// releases (rpm 4.19 to 6.0) are there too.
//
// Two things differ from rpm on purpose. A shell escape %(…) and embedded Lua %{lua:…} are never run: common forms
// that only transform text are computed here, and anything else expands to [Unknown] and is reported through
// [Engine.Report]. And every expansion is bounded (see [Limits]): hostile input gets an error, soon.
//
// An Engine is not safe for concurrent use, but for [Engine.Clone], which makes cheap copies.
package macro
