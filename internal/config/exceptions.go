package config

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Exception allows one thing that is not a signed RPM of a configured repository, for a reason and until a
// day. It says one of File, Archive, Wheel, Run, Repository.
type Exception struct {
	Name       Text              `yaml:"name" jsonschema:"required" jsonschema_description:"What it is called in reports and in the images' labels."`
	Reason     string            `yaml:"reason" jsonschema:"required" jsonschema_description:"Why it is needed."`
	Expires    Text              `yaml:"expires" jsonschema:"required" jsonschema_description:"The last day (UTC) on which images may be locked and built with it, such as 2027-01-31."`
	Images     []string          `yaml:"images" jsonschema_description:"The images that it is put into. Needed but for a repository."`
	File       *ExceptionFile    `yaml:"file" jsonschema_description:"A file to download."`
	Archive    *ExceptionArchive `yaml:"archive" jsonschema_description:"A tar (gz, xz, zst, bz2) or zip archive to download and unpack."`
	Wheel      *ExceptionWheel   `yaml:"wheel" jsonschema_description:"A Python wheel to download and install."`
	Run        Text              `yaml:"run" jsonschema_description:"Name of a step under run of these images that uses the network (network: true)."`
	Repository string            `yaml:"repository" jsonschema_description:"ID of a repository of which packages are taken unsigned (gpgcheck: false)."`
}

// ExceptionFile is a file that images take from a URL.
type ExceptionFile struct {
	URL    string `yaml:"url" jsonschema:"required" jsonschema_description:"Where it is, http or https."`
	SHA256 string `yaml:"sha256" jsonschema:"required" jsonschema_description:"Its checksum, 64 hex digits."`
	To     string `yaml:"to" jsonschema:"required" jsonschema_description:"Absolute path in the image."`
	Mode   string `yaml:"mode" jsonschema_description:"Permissions in octal, quoted. Default \"0644\"."`
}

// ExceptionArchive is an archive that images take from a URL.
type ExceptionArchive struct {
	URL    string   `yaml:"url" jsonschema:"required" jsonschema_description:"Where it is, http or https."`
	SHA256 string   `yaml:"sha256" jsonschema:"required" jsonschema_description:"Its checksum, 64 hex digits."`
	To     string   `yaml:"to" jsonschema:"required" jsonschema_description:"Absolute path of the folder that it is unpacked into."`
	Strip  int      `yaml:"strip" jsonschema_description:"How many leading parts of its paths are dropped."`
	Only   []string `yaml:"only" jsonschema_description:"The only files and folders that are taken: paths in it, after strip."`
}

// ExceptionWheel is a wheel that images take from a URL, and those that it needs and are no RPMs either.
type ExceptionWheel struct {
	URL          string `yaml:"url" jsonschema:"required" jsonschema_description:"Where it is, http or https; ends with its file name."`
	SHA256       string `yaml:"sha256" jsonschema:"required" jsonschema_description:"Its checksum, 64 hex digits."`
	Requirements Text   `yaml:"requirements" jsonschema_description:"A requirements file of pip beside this file, with the wheels that it needs and are no RPMs either: a line NAME @ URL --hash=sha256:HEX each."`
}

// ExpiresAt is the moment at which an exception ends.
func (e *Exception) ExpiresAt() time.Time {
	day, err := time.Parse(time.DateOnly, e.Expires.Value)
	if err != nil {
		return time.Time{} // Load has checked it
	}
	return day.AddDate(0, 0, 1)
}

// What says in a few words what is allowed.
func (e *Exception) What() string {
	switch {
	case e.File != nil:
		return fmt.Sprintf("file %s sha256:%s", e.File.URL, e.File.SHA256)
	case e.Archive != nil:
		return fmt.Sprintf("archive %s sha256:%s", e.Archive.URL, e.Archive.SHA256)
	case e.Wheel != nil:
		return fmt.Sprintf("wheel %s sha256:%s", e.Wheel.URL, e.Wheel.SHA256)
	}
	if e.Run.Value != "" {
		return "network for the step " + e.Run.Value
	}
	return "unsigned packages of repository " + e.Repository
}

// ExceptionsOf lists what images take as exceptions, in the order of the file.
func (c *Config) ExceptionsOf(images []string) []Exception {
	var list []Exception
	for _, e := range c.Exceptions {
		if slices.ContainsFunc(e.Images, func(name string) bool { return slices.Contains(images, name) }) {
			list = append(list, e)
		}
	}
	return list
}

// Unsigned finds the exception for a repository whose packages need no signature; nil where there is none.
func (c *Config) Unsigned(repository string) *Exception {
	for i := range c.Exceptions {
		if c.Exceptions[i].Repository == repository {
			return &c.Exceptions[i]
		}
	}
	return nil
}

var sumForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (d *decoder) exceptions(c *Config) {
	names := map[string]bool{}
	for i := range c.Exceptions {
		e, at := &c.Exceptions[i], fmt.Sprintf("exceptions[%d]", i)
		if !nameForm.MatchString(e.Name.Value) || len(e.Name.Value) > maxName {
			d.wrong(at+".name", "%q is not a name: use lower-case letters, digits and dashes", e.Name.Value)
		}
		if names[e.Name.Value] {
			d.wrong(at+".name", "there are two exceptions called %q", e.Name.Value)
		}
		names[e.Name.Value] = true
		if _, err := time.Parse(time.DateOnly, e.Expires.Value); err != nil {
			d.wrong(at+".expires", "%q is not a day such as 2027-01-31", e.Expires.Value)
		}
		d.exceptionKind(at, e)
		d.networked(c, at, e)
		for j, name := range e.Images {
			if _, ok := c.Images[name]; !ok {
				d.wrong(fmt.Sprintf("%s.images[%d]", at, j), "there is no image %q%s", name, suggest(name, keys(c.Images)))
			}
		}
	}
}

func (d *decoder) exceptionKind(at string, e *Exception) {
	kinds := 0
	for _, is := range []bool{e.File != nil, e.Archive != nil, e.Wheel != nil, e.Run.Value != "", e.Repository != ""} {
		if is {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		d.wrong(at, "say what it allows, one thing: file, archive, wheel, run or repository")
		return
	case e.Repository != "" && len(e.Images) > 0:
		d.wrong(at+".images", "a repository is for all images of its targets")
	case e.Repository == "" && len(e.Images) == 0:
		d.wrong(at, "images is missing: which images is it put into?")
	}
	switch {
	case e.File != nil:
		d.download(at+".file", e.File.URL, e.File.SHA256)
		d.imagePath(at+".file.to", e.File.To)
		d.mode(at+".file.mode", e.File.Mode)
	case e.Archive != nil:
		d.download(at+".archive", e.Archive.URL, e.Archive.SHA256)
		d.imagePath(at+".archive.to", e.Archive.To)
		if e.Archive.Strip < 0 || e.Archive.Strip > 100 {
			d.wrong(at+".archive.strip", "%d is not a number of parts of a path", e.Archive.Strip)
		}
		for i, p := range e.Archive.Only {
			if !local(p) || path.Clean(p) != p {
				d.wrong(fmt.Sprintf("%s.archive.only[%d]", at, i), "%q is not a clean relative path", p)
			}
		}
	case e.Wheel != nil:
		d.download(at+".wheel", e.Wheel.URL, e.Wheel.SHA256)
		if u, err := url.Parse(e.Wheel.URL); err == nil && !strings.HasSuffix(u.Path, ".whl") {
			d.wrong(at+".wheel.url", "it does not end with the name of a wheel, NAME-VERSION-….whl")
		}
		if r := e.Wheel.Requirements.Value; r != "" && !local(r) {
			d.wrong(at+".wheel.requirements", "%q leaves its folder: use a relative path without ..", r)
		}
	}
}

// download checks what is fetched by URL. What may hold a password is not repeated.
func (d *decoder) download(at, address, sum string) {
	u, err := url.Parse(address)
	switch {
	case address == "" || sum == "":
		return // told as missing
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		d.wrong(at+".url", "this is not an http or https URL")
	case u.User != nil:
		d.wrong(at+".url", "a URL with a login would end in the image: put the file where none is needed")
	}
	if !sumForm.MatchString(sum) {
		d.wrong(at+".sha256", "%q is not a sha256 checksum: 64 lower-case hex digits", sum)
	}
}

func (d *decoder) imagePath(at, p string) {
	if p == "" {
		return
	}
	if strings.ContainsFunc(p, unicode.IsControl) || !path.IsAbs(p) || path.Clean(p) != p {
		d.wrong(at, "%q is not a clean absolute path", p)
	}
}

func (d *decoder) mode(at, mode string) {
	if m, err := strconv.ParseUint(mode, 8, 32); mode != "" && (err != nil || m > 0o7777) {
		d.wrong(at, "%q is not an octal mode such as \"0644\"", mode)
	}
}
