// Package modulemd reads modular metadata: the modules.yaml of a repository, which says which
// packages belong to which stream of which module.
//
// Parse takes the documents "modulemd" of version 2 and "modulemd-defaults" of version 1 (the
// specification is libmodulemd's yaml_specs); documents of other kinds, such as translations, are
// left out. Of each the fields that decide which packages are seen are kept, no others. Everything is
// bounded, and a document that can't be read is an error that names its line.
//
// The package does not choose streams: that is resolve.Modular's.
package modulemd

import "strings"

// Index is the modular metadata of a repository.
type Index struct {
	Streams  []Stream  `json:"streams,omitempty"`
	Defaults []Default `json:"defaults,omitempty"`
}

// Stream is one build of a stream of a module.
type Stream struct {
	Module  string `json:"module"`
	Stream  string `json:"stream"`
	Version uint64 `json:"version,omitempty"`
	// Context tells builds of one version apart that were made with other dependencies.
	Context string `json:"context,omitempty"`
	// Arch is empty where the document names none: then it is for all.
	Arch string `json:"arch,omitempty"`
	// Requires are all needed at run time.
	Requires []Requirement `json:"requires,omitempty"`
	// Artifacts are the packages of the build: name-epoch:version-release.arch, with an epoch even
	// when it is 0, source packages among them.
	Artifacts []string `json:"artifacts,omitempty"`
	// Demodularized are names of packages that went from the module back to the repository proper.
	Demodularized []string `json:"demodularized,omitempty"`
}

// Requirement is a module that is needed, in any of these streams; no streams mean any, and one that
// begins with "-" must not be.
type Requirement struct {
	Module  string   `json:"module"`
	Streams []string `json:"streams,omitempty"`
}

// Default says which stream of a module is active when nothing else is said.
type Default struct {
	Module string `json:"module"`
	// Stream is empty for a module that has no default.
	Stream string `json:"stream,omitempty"`
	// Modified orders what several repositories say: the largest counts.
	Modified uint64 `json:"modified,omitempty"`
}

// NameStream is how people and dnf write a stream: module:stream.
func (s *Stream) NameStream() string { return s.Module + ":" + s.Stream }

// String writes a requirement: "perl:[5.24,5.26]", "platform:[el9]", "perl".
func (r Requirement) String() string {
	if len(r.Streams) == 0 {
		return r.Module
	}
	return r.Module + ":[" + strings.Join(r.Streams, ",") + "]"
}
