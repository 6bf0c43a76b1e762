// Package pymeta reads what a Python project says about itself, without running any Python.
//
// [Read] takes a project's tree and reads pyproject.toml (PEP 518, PEP 621, and the tables of setuptools, hatchling,
// flit, poetry-core and pdm), setup.cfg as setuptools reads it, and setup.py as far as its values are written down
// literally. What only a running program would know is a [Diagnostic] with its line, never a guess.
//
// The vocabulary of Python packaging is here too: versions and specifiers (PEP 440), requirements with markers
// (PEP 508), normalised names (PEP 503) and extras (PEP 685). All of it agrees with the packaging library, which
// the tests are held against.
//
// The package is pure: it reads through the fs.FS it is given, keeps no state, and is safe for concurrent use.
package pymeta
