package rpm

import (
	"fmt"
	"strings"
)

// NEVRA names one build of a package: name, epoch, version, release and
// architecture.
type NEVRA struct {
	Name string
	EVR  EVR
	Arch string
}

// ParseNEVRA reads "name-[epoch:]version-release.arch".
func ParseNEVRA(s string) (NEVRA, error) {
	fail := func(reason string) (NEVRA, error) {
		return NEVRA{}, fmt.Errorf("parsing package %q: %s (wanted name-[epoch:]version-release.arch)", s, reason)
	}
	dot := strings.LastIndexByte(s, '.')
	if dot < 0 || dot == len(s)-1 {
		return fail("no architecture")
	}
	rest, arch := s[:dot], s[dot+1:]
	if strings.ContainsAny(arch, "-: \t\n") {
		return fail("no architecture")
	}
	release := strings.LastIndexByte(rest, '-')
	if release < 0 {
		return fail("no release")
	}
	version := strings.LastIndexByte(rest[:release], '-')
	if version < 1 {
		return fail("no version")
	}
	evr, err := ParseEVR(rest[version+1:])
	if err != nil {
		return NEVRA{}, fmt.Errorf("parsing package %q: %w", s, err)
	}
	name := rest[:version]
	if strings.ContainsAny(name, " \t\n/") {
		return fail("the name holds a space or a slash")
	}
	return NEVRA{Name: name, EVR: evr, Arch: arch}, nil
}

// String gives "name-[epoch:]version-release.arch", as dnf prints it.
func (n NEVRA) String() string {
	return n.Name + "-" + n.EVR.String() + "." + n.Arch
}

// FileName is the name a package file usually has: as String, without the
// epoch, with ".rpm".
func (n NEVRA) FileName() string {
	n.EVR.Epoch = 0
	return n.String() + ".rpm"
}

// Compare orders by name, then by EVR, then by architecture. Packages that rpm
// takes for equally new but whose versions are spelled differently are ordered
// by their spelling, so that the order is total.
func (n NEVRA) Compare(m NEVRA) int {
	if c := strings.Compare(n.Name, m.Name); c != 0 {
		return c
	}
	if c := n.EVR.Compare(m.EVR); c != 0 {
		return c
	}
	if c := strings.Compare(n.Arch, m.Arch); c != 0 {
		return c
	}
	if c := strings.Compare(n.EVR.Version, m.EVR.Version); c != 0 {
		return c
	}
	return strings.Compare(n.EVR.Release, m.EVR.Release)
}
