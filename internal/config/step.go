package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// Step is a command that changes an image.
type Step struct {
	Name    string  `yaml:"name" jsonschema_description:"What it is called in messages, and in the exception of one with network. Default: its number."`
	Command Command `yaml:"command" jsonschema:"required" jsonschema_description:"A text for the image's /bin/sh, which ends with the first command that fails (sh -e -c), or a list of a program and its arguments."`
	Network bool    `yaml:"network" jsonschema_description:"It may use the network: the image is then not reproducible, and needs an exception (run) that names the step."`
}

// Label is the step's name, or its number, which counts from 0 here and from 1 in the text.
func (s *Step) Label(index int) string {
	if s.Name != "" {
		return "step " + s.Name
	}
	return fmt.Sprintf("step %d", index+1)
}

// Command is a text for the shell, or a program with its arguments: one of them.
type Command struct {
	Shell        string
	Args         []string
	Line, Column int
}

// JSONSchema says that a Command is written as text or as a list of text.
func (Command) JSONSchema() *jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string"}
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text, {Type: "array", Items: text}}}
}

// Argv is the program that carries it out, with its arguments.
func (c *Command) Argv() []string {
	if c.Shell != "" {
		return []string{"/bin/sh", "-e", "-c", c.Shell}
	}
	return c.Args
}

// Healthcheck is a check of containers that docker's image configuration has and OCI's has not. Zero
// values mean the runtime's defaults.
type Healthcheck struct {
	Command     Command  `yaml:"command" jsonschema:"required" jsonschema_description:"A text for the image's /bin/sh, or a list of a program and its arguments; exit code 0 is healthy."`
	Interval    Duration `yaml:"interval" jsonschema_description:"Time between two checks. Default: the runtime's, 30s."`
	Timeout     Duration `yaml:"timeout" jsonschema_description:"How long one may take. Default: the runtime's, 30s."`
	StartPeriod Duration `yaml:"start-period" jsonschema_description:"How long failures do not count after the start. Default: the runtime's, none."`
	Retries     int      `yaml:"retries" jsonschema_description:"How many failures in a row mean unhealthy. Default: the runtime's, 3."`
}

// maxSteps bounds the steps of an image.
const maxSteps = 100

func (d *decoder) steps(at string, img Image) {
	for i, w := range img.Writable {
		pos := fmt.Sprintf("%s.writable[%d]", at, i)
		if d.imagePath(pos, w.Value); w.Value == "" || w.Value == "/" {
			d.wrong(pos, "%q is not a folder below /", w.Value)
		}
	}
	if len(img.Run) > maxSteps {
		d.wrong(at+".run", "%d steps are more than %d", len(img.Run), maxSteps)
	}
	names := map[string]bool{}
	for i, s := range img.Run {
		pos := fmt.Sprintf("%s.run[%d]", at, i)
		d.stepCommand(pos+".command", s.Command)
		switch {
		case s.Name == "" && s.Network:
			d.wrong(pos, "name is missing: the exception that a step with network needs names it")
		case s.Name == "":
		case !nameForm.MatchString(s.Name) || len(s.Name) > maxName:
			d.wrong(pos+".name", "%q is not a name: use lower-case letters, digits and dashes", s.Name)
		case names[s.Name]:
			d.wrong(pos+".name", "there are two steps called %q", s.Name)
		}
		names[s.Name] = true
	}
}

func (d *decoder) stepCommand(at string, c Command) {
	switch {
	case c.Line == 0:
		return // told as missing
	case c.Shell == "" && (len(c.Args) == 0 || c.Args[0] == ""):
		d.wrong(at, "it is empty: write a text for the shell, or a list of a program and its arguments")
	case strings.ContainsRune(c.Shell, 0) || slices.ContainsFunc(c.Args, func(a string) bool { return strings.ContainsRune(a, 0) }):
		d.wrong(at, "a command cannot have a zero byte")
	}
}

func (d *decoder) healthcheck(at string, h *Healthcheck) {
	if h == nil {
		return
	}
	d.stepCommand(at+".command", h.Command)
	if h.Retries < 0 {
		d.wrong(at+".retries", "%d is not a number of failures", h.Retries)
	}
}

// networked checks that an exception for a step with network is about such a step of its images.
func (d *decoder) networked(c *Config, at string, e *Exception) {
	if e.Run.Value == "" {
		return
	}
	for _, name := range e.Images {
		img, ok := c.Images[name]
		if ok && !slices.ContainsFunc(img.Run, func(s Step) bool { return s.Name == e.Run.Value && s.Network }) {
			d.wrong(at+".run", "image %q has no step %q with network: true", name, e.Run.Value)
		}
	}
}

// Networked lists the steps with network of an image that no exception allows.
func (c *Config) Networked(image string) (refused []Step) {
	for _, s := range c.Images[image].Run {
		allowed := slices.ContainsFunc(c.Exceptions, func(e Exception) bool {
			return e.Run.Value == s.Name && slices.Contains(e.Images, image)
		})
		if s.Network && !allowed {
			refused = append(refused, s)
		}
	}
	return refused
}
