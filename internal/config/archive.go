package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Archive says where the RPMs of locks are kept: in a folder or in a registry, or nowhere.
type Archive struct {
	Folder   string `yaml:"folder" jsonschema_description:"A folder, from this file's folder: a plain repository for each target and repository."`
	Registry string `yaml:"registry" jsonschema_description:"A repository of a container registry, HOST[:PORT]/PATH: an artifact for each target and lock."`
}

func (d *decoder) archive(a Archive) {
	switch {
	case a.Folder != "" && a.Registry != "":
		d.wrong("archive", "has both folder and registry: choose one")
	case a.Folder == "" && a.Registry == "" && d.at["archive"] != nil:
		d.wrong("archive", "folder is missing (or registry)")
	case a.Registry != "" && !strings.Contains(a.Registry, "/"):
		d.wrong("archive.registry", "%q has no path: write HOST[:PORT]/PATH", a.Registry)
	}
	d.registry("archive.registry", a.Registry)
}

// PlaceNames are what a target's places can have in braces.
var PlaceNames = []string{
	"name", "version", "release", "epoch", "arch", "nevra", "file", "path", "repository", "sha256",
	"source-name", "source-version", "source-release", "key",
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// placeTemplate checks a URL with placeholders.
func (d *decoder) placeTemplate(at, place string) {
	for _, p := range placeholder.FindAllString(place, -1) {
		if name := strings.Trim(p, "{}"); !slices.Contains(PlaceNames, name) {
			d.wrong(at, "there is no placeholder %s%s", p, suggest(name, PlaceNames))
			return
		}
	}
	plain := placeholder.ReplaceAllString(place, "x")
	u, err := url.Parse(plain)
	switch {
	case err != nil || strings.ContainsAny(plain, "{}"):
		d.wrong(at, "this is not a URL with placeholders such as {name}")
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file" || u.Scheme != "file" && u.Host == "":
		d.wrong(at, "a place is an https, http or file URL")
	case plain == place:
		d.wrong(at, "it has no placeholder such as {name}: every package would have the same place")
	}
}

// ExpandPlace fills a target's place in: values by the names in braces. The result is empty where it needs
// a value that is not there.
func ExpandPlace(place string, values map[string]string) string {
	missing := false
	out := placeholder.ReplaceAllStringFunc(place, func(p string) string {
		value := values[strings.Trim(p, "{}")]
		missing = missing || value == ""
		return (&url.URL{Path: value}).EscapedPath()
	})
	if missing {
		return ""
	}
	return out
}
