package main

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/slipway-build/slipway/tools/universe/internal/convert"
)

// size is a kind of universe.
type size struct {
	name     string
	packages []string // that apt is asked for
	options  convert.Options
	// mixed writes payloads in several compressions instead of zstd alone.
	mixed bool
}

//go:embed small.txt
var smallPackages string

//go:embed full.txt
var fullPackages string

// forMaintainerScripts are packages that small needs only because Debian's
// maintainer scripts do; base-passwd is looked into for users and groups.
var forMaintainerScripts = []string{
	"base-passwd", "debconf", "debconf-2.0", "dpkg", "init-system-helpers", "libdebconfclient0", "media-types",
	"perl-base", "usr-is-merged", "usrmerge",
}

func sizeNamed(name string) (size, error) {
	switch name {
	case "small":
		return size{name: name, packages: listed(smallPackages), options: convert.Options{Skip: forMaintainerScripts}}, nil
	case "full":
		return size{name: name, packages: listed(fullPackages), mixed: true, options: convert.Options{
			Skip: []string{"usr-is-merged", "usrmerge"}, Rich: true,
			Older: []string{"curl", "less", "nano", "python3-flask", "python3-redis", "python3-tabulate", "sed", "tzdata"},
		}}, nil
	}
	return size{}, fmt.Errorf("there is no size %q: small, full or listed", name)
}

// listed reads a list of names, several a line, with # comments.
func listed(text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		names = append(names, strings.Fields(line)...)
	}
	return names
}
