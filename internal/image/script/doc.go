// Package script knows which scripts rpm runs while it installs packages, when and with what, runs
// them in a sandbox, and turns what they changed into entries of a layer.
//
// What comes in are the packages of one transaction into an empty root: their dependencies, files
// and scripts, from the RPMs' headers. Order gives rpm's order of installation, Plan the steps in
// the order in which rpm would take them, and a Runner carries them out over unpacked layers. What
// goes out is a list of changes in which nothing depends on when or where they were made.
//
// A script that fails, that cannot be run, or that leaves behind what no image may hold (a private
// key made on the spot) is an error that names the package and the script.
package script
