package lock

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ExportRPMs writes targets as an rpms.lock.yaml, as Konflux's rpm-lockfile-prototype does (version 1
// of the format, vendor redhat) and as Hermeto reads it to fetch RPMs before a build without network. url says where a package is to be had. An architecture can occur in one
// target only: the format knows no other division. It holds no source packages and no metadata of
// modules, since a Lock has none; nor does it say which image a package is for.
func ExportRPMs(targets []*Target, url func(*Target, *Package) (string, error)) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("---\nlockfileVersion: 1\nlockfileVendor: redhat\narches:" + none(targets) + "\n")
	targets = sorted(targets, func(s, t *Target) int { return strings.Compare(s.Arch, t.Arch) })
	for i, t := range targets {
		if i > 0 && targets[i-1].Arch == t.Arch {
			return nil, &SameArchError{Arch: t.Arch, Targets: []string{targets[i-1].Name, t.Name}}
		}
		if err := exportTarget(&b, t, url); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// SameArchError says that two targets of one architecture do not fit into one file.
type SameArchError struct {
	Arch    string
	Targets []string
}

func (e *SameArchError) Error() string {
	return fmt.Sprintf("an rpms.lock.yaml has one list for %s, but the targets %s have one each: choose one", e.Arch, strings.Join(e.Targets, " and "))
}

func exportTarget(b *bytes.Buffer, t *Target, url func(*Target, *Package) (string, error)) error {
	type item struct {
		url string
		pkg *Package
	}
	items := make([]item, len(t.Packages))
	var errs []error
	for i := range t.Packages {
		p := &t.Packages[i]
		place, err := url(t, p)
		if err != nil {
			errs = append(errs, err)
		}
		items[i] = item{place, p}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	slices.SortFunc(items, func(x, y item) int { return strings.Compare(x.url, y.url) })
	fmt.Fprintf(b, "- arch: %s\n  packages:%s\n", scalar(t.Arch), none(items))
	for _, i := range items {
		fmt.Fprintf(b, "  - url: %s\n", scalar(i.url))
		fmt.Fprintf(b, "    repoid: %s\n", scalar(i.pkg.Repository))
		fmt.Fprintf(b, "    size: %d\n", i.pkg.Size)
		fmt.Fprintf(b, "    checksum: %s\n", scalar("sha256:"+i.pkg.SHA256))
		fmt.Fprintf(b, "    name: %s\n", scalar(i.pkg.NEVRA.Name))
		fmt.Fprintf(b, "    evr: %s\n", scalar(i.pkg.NEVRA.EVR.String()))
		if i.pkg.Source != "" {
			fmt.Fprintf(b, "    sourcerpm: %s\n", scalar(i.pkg.Source))
		}
	}
	b.WriteString("  source: []\n  module_metadata: []\n")
	return nil
}
