package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
	"github.com/slipway-build/slipway/internal/wheel"
)

// PipCheckError says what the projects of an image require and do not find in it.
type PipCheckError struct {
	Image string
	Unmet []wheel.Unmet
}

func (e *PipCheckError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "image %s would not have what its projects require:", e.Image)
	for _, u := range e.Unmet {
		b.WriteString("\n  " + u.String())
	}
	b.WriteString("\n  add what is missing (images." + e.Image + ".packages), or say in the target's names what stands in for it")
	return b.String()
}

// ownerPrefix marks what our projects bring.
const ownerPrefix = "project "

// pipCheck is "pip check" on the image that is being made: what a project of ours requires and does not find is an error, what an
// RPM requires of another a warning. A requirement that the target's names replace or drop was decided by a person: it
// only warns.
func (b *build) pipCheck(ctx context.Context, t *lock.Target, name string, base *image.Image, wheels map[string]*wheel.Wheel) error {
	lowers, err := b.Images.Unpack(ctx, base)
	if err != nil {
		return err
	}
	there, err := wheel.ProbeInstalled(ctx, wheel.Root{Lowers: lowers, Key: t.Digest(name), Python: b.program(t.Name)}, b.Cache)
	if err != nil {
		return err
	}
	var dists []wheel.Dist
	for _, project := range b.Config.Images[name].Projects {
		d, err := wheels[project].Dist(ownerPrefix + project)
		if err != nil {
			return err
		}
		dists = append(dists, d)
	}
	for _, d := range there.Dists {
		d.Owner = "from an RPM"
		dists = append(dists, d)
	}
	var ours []wheel.Unmet
	for _, u := range wheel.Check(dists, pymeta.LinuxEnvironment(there.Python, t.Arch)) {
		if strings.HasPrefix(u.By.Owner, ownerPrefix) && !b.decided(t.Name, u.Requires) {
			ours = append(ours, u)
			continue
		}
		b.log().Warn("a requirement is not met in the image", "image", name, "what", u.String())
	}
	if len(ours) > 0 {
		return &PipCheckError{Image: name, Unmet: ours}
	}
	return nil
}

// decided tells whether the target's names say what stands in for a requirement.
func (b *build) decided(target, requires string) bool {
	r, err := pymeta.ParseRequirement(requires)
	if err != nil {
		return false
	}
	wanted := pymeta.NormalizeName(r.Name)
	return slices.ContainsFunc(sortedKeys(b.Config.Targets[target].Names), func(name string) bool { return pymeta.NormalizeName(name) == wanted })
}
