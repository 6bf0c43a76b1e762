package attest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	packageurl "github.com/package-url/packageurl-go"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Bill is what an image is made of.
type Bill struct {
	// Image is the image's name, "greeter/web"; Digest is that of its manifest, "sha256:…".
	Image, Digest string
	// Created is the image's own date.
	Created time.Time
	// Release is the OS release of the image's packages, "fedora-43".
	Release string
	// Version is that of the program that built it.
	Version string
	// Components in any order.
	Components []Component
}

// Kind tells what a component is.
type Kind string

// The kinds of components.
const (
	RPM     Kind = "rpm"     // a package of the distribution
	Project Kind = "project" // a Python project, built of a commit
	File    Kind = "file"    // a file or an archive that is neither: an exception of the policy
)

// Component is one part of an image. What does not apply to its kind is empty.
type Component struct {
	Kind Kind
	// NEVRA is an RPM's name and version.
	NEVRA rpm.NEVRA
	// Name and Version of what is no RPM.
	Name, Version string
	// License as the package writes it: an SPDX expression, or the older short names.
	License string
	// SHA256 of the file that was installed, in lower-case hex.
	SHA256 string
	// URL is where it came from: a repository of packages, of a project, or a file's own address. It
	// holds no credentials.
	URL string
	// Commit of a project.
	Commit string
	// Vendor is who made it.
	Vendor string
	// Source is the file name of an RPM's source package.
	Source string
}

// name is what people call the component.
func (c Component) name() string {
	if c.Kind == RPM {
		return c.NEVRA.Name
	}
	return c.Name
}

// version is what people call its version; an RPM's with the epoch where it has one.
func (c Component) version() string {
	if c.Kind == RPM {
		return c.NEVRA.EVR.String()
	}
	return c.Version
}

// sorted are the components by kind, name, version and architecture, each once.
func (b Bill) sorted() []Component {
	list := slices.Clone(b.Components)
	slices.SortFunc(list, func(x, y Component) int {
		return cmp.Or(
			cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.name(), y.name()), cmp.Compare(x.version(), y.version()),
			cmp.Compare(x.NEVRA.Arch, y.NEVRA.Arch), cmp.Compare(x.SHA256, y.SHA256),
		)
	})
	return slices.Compact(list)
}

// purl is a component's package URL (package-url specification, types rpm, pypi and generic), by which
// scanners look it up.
func (b Bill) purl(c Component) string {
	var q []packageurl.Qualifier
	add := func(key, value string) {
		if value != "" {
			q = append(q, packageurl.Qualifier{Key: key, Value: value})
		}
	}
	switch c.Kind {
	case RPM:
		vendor, distro := distribution(b.Release)
		add("arch", c.NEVRA.Arch)
		add("distro", distro)
		if e := c.NEVRA.EVR.Epoch; e != 0 {
			add("epoch", strconv.Itoa(e))
		}
		add("upstream", c.Source)
		return packageurl.NewPackageURL(packageurl.TypeRPM, vendor, c.NEVRA.Name, c.NEVRA.EVR.Version+"-"+c.NEVRA.EVR.Release, q, "").ToString()
	case Project:
		if c.URL != "" {
			add("vcs_url", gitURL(c))
		}
		return packageurl.NewPackageURL(packageurl.TypePyPi, "", c.Name, c.Version, q, "").ToString()
	default:
		add("checksum", prefixed("sha256:", c.SHA256))
		add("download_url", c.URL)
		return packageurl.NewPackageURL(packageurl.TypeGeneric, "", c.Name, c.Version, q, "").ToString()
	}
}

// gitURL is a project's commit as pip and SPDX write it.
func gitURL(c Component) string {
	url := c.URL
	if !strings.HasPrefix(url, "git") || !strings.Contains(url, "://") {
		url = "git+" + url
	}
	return url + prefixed("@", c.Commit)
}

// distribution gives the namespace and the qualifier by which scanners know an OS release:
// "fedora-43" is fedora and fedora-43, "centos-stream-9" is centos and centos-9.
func distribution(release string) (vendor, distro string) {
	vendor, _, _ = strings.Cut(release, "-")
	i := strings.LastIndexByte(release, '-')
	if i < 0 {
		return vendor, release
	}
	return vendor, vendor + release[i:]
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
