package config

import "strings"

// ExternalBuild says where a public service puts an image that it builds on push.
type ExternalBuild struct {
	Image   string   `yaml:"image" jsonschema:"required" jsonschema_description:"Where the image appears, HOST/NAME."`
	Tag     string   `yaml:"tag" jsonschema_description:"Its tag: {commit} and {short} stand for the commit. Without them, the image's label (org.opencontainers.image.revision) must name the commit. Default {commit}."`
	Project string   `yaml:"project" jsonschema_description:"The project whose commit the service builds. Default: the image's first."`
	Timeout Duration `yaml:"timeout" jsonschema_description:"How long it is waited for. Default 1h."`
	Poll    Duration `yaml:"poll" jsonschema_description:"How often the registry is asked. Default 10s."`
}

// externalBuild checks where an image comes from that others build, and fills in what is meant.
func (d *decoder) externalBuild(c *Config, at string, img Image) {
	x := img.ExternalBuild
	if x == nil {
		if img.Strategy == strategies[2] {
			d.wrong(at, "external is missing: where does the service put the image?")
		}
		return
	}
	d.registry(at+".external.image", x.Image)
	if !strings.Contains(x.Image, "/") {
		d.wrong(at+".external.image", "%q has no name after the host", x.Image)
	}
	if x.Tag == "" {
		x.Tag = "{commit}"
	}
	if x.Project == "" && len(img.Projects) > 0 {
		x.Project = img.Projects[0]
	}
	if _, ok := c.Projects[x.Project]; !ok {
		d.wrong(at+".external.project", "there is no project %q%s", x.Project, suggest(x.Project, keys(c.Projects)))
	}
	if img.Containerfile != nil || img.Strategy != "" && img.Strategy != strategies[2] {
		d.wrong(at+".external", "it stands beside containerfile or another strategy: leave one of them out")
	}
}
