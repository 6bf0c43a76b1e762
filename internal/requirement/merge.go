package requirement

import "github.com/slipway-build/slipway/internal/rpm"

// Merged is what one image needs from RPM repositories.
type Merged struct {
	Image string
	// Items are in the order of their requests' text.
	Items []Item
	// Virtuals are the image's own projects, as the solver shall see them: packages that are already there.
	Virtuals []Virtual
	// Unmet are needs for one of the image's projects which the revision at hand does not satisfy.
	Unmet []Unmet
}

// Item is one request with everyone who makes it.
type Item struct {
	Request rpm.Dependency
	By      []Requirement // in the order of their origins
}

// Virtual is an internal project, offered to the solver as a package.
type Virtual struct {
	Name     string
	EVR      rpm.EVR
	Provides []rpm.Dependency
	Label    string // "ogr at 4f2a1c0"
}

// Unmet is a requirement for an internal project that the revision in the image does not satisfy.
type Unmet struct {
	Requirement Requirement
	Provider    string // the project that provides the name
	Commit      string
	Has         []rpm.Dependency // what the provider provides under that name
}

// Merge joins the needs of an image's projects and the extra requirements (the image's own package list).
// Only runtime needs are merged; use [MergeBuild] for the build root. The result does not depend on the order
// of needs.
func Merge(image string, needs []*Needs, extra []Requirement) (*Merged, error) {
	return nil, nil
}

// MergeBuild is Merge for what the projects need to be built.
func MergeBuild(image string, needs []*Needs, extra []Requirement) (*Merged, error) {
	return nil, nil
}
