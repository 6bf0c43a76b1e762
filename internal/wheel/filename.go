package wheel

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// filename is a wheel's file name taken apart ("Binary distribution format", File name convention).
type filename struct {
	name, version string
	tags          []string // each of the compressed set, sorted
}

var (
	filenamePart = regexp.MustCompile(`^[A-Za-z0-9_.!+]+$`)
	buildPart    = regexp.MustCompile(`^[0-9][A-Za-z0-9_.]*$`)
)

func parseFilename(s string) (filename, error) {
	bad := fmt.Errorf("%q is not a wheel's file name", printable(s))
	base, ok := strings.CutSuffix(s, ".whl")
	if !ok || len(s) > 255 {
		return filename{}, bad
	}
	parts := strings.Split(base, "-")
	if len(parts) == 6 {
		if !buildPart.MatchString(parts[2]) {
			return filename{}, bad
		}
		parts = slices.Delete(parts, 2, 3)
	}
	if len(parts) != 5 {
		return filename{}, bad
	}
	for _, p := range parts {
		if !filenamePart.MatchString(p) {
			return filename{}, bad
		}
	}
	f := filename{name: parts[0], version: parts[1]}
	for _, python := range strings.Split(parts[2], ".") {
		for _, abi := range strings.Split(parts[3], ".") {
			for _, platform := range strings.Split(parts[4], ".") {
				f.tags = append(f.tags, python+"-"+abi+"-"+platform)
			}
		}
	}
	slices.Sort(f.tags)
	return f, nil
}
