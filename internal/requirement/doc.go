// Package requirement says what each revision of a project needs, in RPM's words, and where it says so.
//
// In comes a project's tree at a commit and the target it is read for; out come [Needs]: what it needs to run and
// to be built, what it provides, and a [Diagnostic] for everything that could not be read. Two kinds of sources
// are read and both count: the RPM spec file (package specfile) and the Python metadata (package pymeta). Every
// requirement keeps the file and line it is written at.
//
// [Merge] joins the needs of the projects of one image: each thing once, with everyone who asks for it. What an
// internal project provides is not requested from RPM repositories: it is checked against the revision at hand.
// [Drift] reports where a project's two sources disagree.
//
// Nothing of a project is ever run. What would have to be run to be known is a diagnostic, never a guess.
// Whether a repository really has what is asked for is the resolver's concern.
package requirement
