package config

import (
	"fmt"
	"slices"
	"strings"
)

// strategies are what strategy may be.
var strategies = []string{"native", "containerfile", "external"}

// Containerfile is a team's own recipe of an image.
type Containerfile struct {
	From Text              `yaml:"from" jsonschema:"required" jsonschema_description:"PROJECT:PATH. The build's context is that project's repository at its commit, .git with it. The FROM of the last stage is replaced by the base of locked packages."`
	Args map[string]string `yaml:"args" jsonschema_description:"Build arguments. SOURCE_BRANCH, SOURCE_COMMIT and IMAGE_NAME are given where they are not named here, as Docker Hub and Quay do."`
}

// StrategyOf says how an image of an environment is built: as the image says, or as the environment does.
func (c *Config) StrategyOf(environment, image string) string {
	if c.Images[image].Containerfile != nil {
		return strategies[1]
	}
	if c.Images[image].ExternalBuild != nil {
		return strategies[2]
	}
	for _, s := range []string{c.Images[image].Strategy, c.Environments[environment].Strategy} {
		if s != "" {
			return s
		}
	}
	return strategies[0]
}

// Builds tells whether any image, in any environment, is built by this strategy.
func (c *Config) Builds(strategy string) bool {
	for _, img := range c.Images {
		if img.Strategy == strategy || img.Containerfile != nil && strategy == strategies[1] {
			return true
		}
	}
	for _, env := range c.Environments {
		if env.Strategy == strategy {
			return true
		}
	}
	return false
}

func (d *decoder) strategy(at, s string) {
	if s != "" && !slices.Contains(strategies, s) {
		d.wrong(at, "%q is not a strategy%s: there are %s", s, suggest(s, strategies), strings.Join(strategies, ", "))
	}
}

// containerfile checks a team's own Containerfile: what it says itself cannot be said beside it.
func (d *decoder) containerfile(c *Config, at string, img Image) {
	f := img.Containerfile
	if f == nil {
		return
	}
	if project, _ := f.From.Source(); project == "" {
		d.wrong(at+".containerfile.from", "%q names no project: write PROJECT:PATH", f.From.Value)
	} else {
		d.place(c, at+".containerfile.from", f.From)
	}
	d.env(at+".containerfile.args", f.Args)
	beside := map[string]bool{
		"files": len(img.Files) > 0, "writable": len(img.Writable) > 0, "run": len(img.Run) > 0, "env": len(img.Env) > 0,
		"user": img.User != "", "workdir": img.Workdir != "", "entrypoint": len(img.Entrypoint) > 0, "command": len(img.Command) > 0,
		"healthcheck": img.Healthcheck != nil,
	}
	for _, key := range keys(beside) {
		if beside[key] {
			d.wrong(fmt.Sprintf("%s.%s", at, key), "it stands beside containerfile, which says that itself: leave one of them out")
		}
	}
	if img.Strategy == strategies[0] {
		d.wrong(at+".strategy", "native builds from no Containerfile: leave containerfile out, or write strategy: containerfile")
	}
}
