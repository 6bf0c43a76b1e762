package scaffold

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement"
)

// maxContainerfile bounds what is read of one file.
const maxContainerfile = 1 << 20

// instruction is one of a Containerfile, with its continuation lines joined.
type instruction struct {
	name string // upper case
	rest string
	line int // from 1
}

// instructions splits a Containerfile (Dockerfile reference, "Format").
func instructions(text string) []instruction {
	var list []instruction
	var cur strings.Builder
	start := 0
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "#") || trimmed == "" && cur.Len() == 0 {
			continue
		}
		if cur.Len() == 0 {
			start = i + 1
		}
		if head, ok := strings.CutSuffix(trimmed, `\`); ok {
			cur.WriteString(head + " ")
			continue
		}
		cur.WriteString(trimmed)
		name, rest, _ := strings.Cut(cur.String(), " ")
		list = append(list, instruction{strings.ToUpper(name), strings.TrimSpace(rest), start})
		cur.Reset()
	}
	return list
}

// image reads one Containerfile of a project.
func (s *scan) image(p Project, file string) error {
	at := path.Join(p.Dir, file)
	data, err := s.read(p, file)
	if err != nil {
		return fmt.Errorf("reading Containerfile %s: %w", at, err)
	}
	c := &containerfile{scan: s, project: p, file: at, image: Image{Name: s.unusedImage(imageName(p, file), p.Name), Env: map[string]string{}}}
	s.note("image %s: %s", c.image.Name, at)
	for _, in := range instructions(string(data)) {
		c.take(in)
	}
	c.finish()
	s.draft.Images = append(s.draft.Images, c.image)
	return nil
}

// read reads a file of a checkout, which no symbolic link leaves.
func (s *scan) read(p Project, name string) ([]byte, error) {
	root, err := os.OpenRoot(filepath.Join(s.root, p.Dir))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	st, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("it is not a file")
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxContainerfile+1))
	if err == nil && len(data) > maxContainerfile {
		return nil, fmt.Errorf("it has more than the %d bytes that are read", maxContainerfile)
	}
	return data, err
}

// stat tells what a name of a checkout is, or leads to in it.
func (s *scan) stat(p Project, name string) (fs.FileInfo, error) {
	root, err := os.OpenRoot(filepath.Join(s.root, p.Dir))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Stat(name)
}

// imageName is what follows the first dot or dash of the file's name, or else the project's name.
func imageName(p Project, file string) string {
	base := path.Base(file)
	if i := strings.IndexAny(base, ".-"); i >= 0 && len(base) > i+1 {
		return clean(base[i+1:])
	}
	return p.Name
}

// containerfile is a Containerfile that is read into an image.
type containerfile struct {
	*scan
	project Project
	file    string
	image   Image
}

func (c *containerfile) take(in instruction) {
	switch in.name {
	case "FROM":
		c.froms = append(c.froms, strings.Fields(in.rest + " ")[0])
	case "EXPOSE":
		for _, f := range strings.Fields(in.rest) {
			number, protocol, _ := strings.Cut(f, "/")
			if n, err := strconv.Atoi(number); err == nil && protocol != "udp" {
				c.image.Ports = append(c.image.Ports, n)
			}
		}
	case "ENV":
		maps.Copy(c.image.Env, environment(in.rest))
	case "USER":
		c.image.User = in.rest
	case "WORKDIR":
		c.image.Workdir = in.rest
	case "ENTRYPOINT":
		c.image.Entrypoint = command(in.rest)
	case "CMD":
		c.image.Command = command(in.rest)
	case "COPY", "ADD":
		c.copy(in)
	case "RUN":
		c.run(in)
	}
}

// environment reads ENV's two forms.
func environment(rest string) map[string]string {
	env := map[string]string{}
	if name, value, ok := strings.Cut(rest, " "); ok && !strings.Contains(name, "=") {
		env[name] = strings.TrimSpace(value)
		return env
	}
	for _, f := range strings.Fields(rest) {
		if name, value, ok := strings.Cut(f, "="); ok {
			env[name] = strings.Trim(value, `"'`)
		}
	}
	return env
}

// command reads the exec form (a JSON array) or the shell form.
func command(rest string) []string {
	var list []string
	if json.Unmarshal([]byte(rest), &list) == nil {
		return list
	}
	return []string{"/bin/sh", "-c", rest}
}

// copy takes single files that go to a place of the system; what only serves the build is left out.
func (c *containerfile) copy(in instruction) {
	f := strings.Fields(in.rest)
	f = slices.DeleteFunc(f, func(s string) bool { return strings.HasPrefix(s, "--") })
	if len(f) != 2 || !path.IsAbs(f[1]) || strings.Contains(in.rest, "--from=") {
		c.note("image %s: left out %s:%d: %s %s", c.image.Name, c.file, in.line, in.name, in.rest)
		return
	}
	from := path.Clean(strings.TrimPrefix(f[0], "/"))
	st, err := c.stat(c.project, from)
	if err != nil || !st.Mode().IsRegular() {
		c.note("image %s: left out %s:%d: %s is not a file of %s", c.image.Name, c.file, in.line, f[0], c.project.Name)
		return
	}
	to := f[1]
	if strings.HasSuffix(to, "/") {
		to = path.Join(to, path.Base(from))
	}
	file := File{From: c.project.Name + ":" + from, To: path.Clean(to), Mode: "0644"}
	if st.Mode()&0o111 != 0 {
		file.Mode = "0755"
	}
	c.image.Files = append(c.image.Files, file)
}

var (
	installs = regexp.MustCompile(`\b(?:dnf|microdnf|yum)\b[^&|;]*\binstall\b([^&|;]*)`)
	playbook = regexp.MustCompile(`\bansible-playbook\b([^&|;]*)`)
	pip      = regexp.MustCompile(`\bpip3?\b[^&|;]*\binstall\b([^&|;]*)`)
)

// run takes packages that a shell command would install, the recipes it would play, and the projects
// it would install.
func (c *containerfile) run(in instruction) {
	for _, m := range installs.FindAllStringSubmatch(in.rest, -1) {
		for _, word := range strings.Fields(m[1]) {
			if !strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "ansible") {
				c.addPackage(word)
			}
		}
	}
	for _, m := range playbook.FindAllStringSubmatch(in.rest, -1) {
		for _, word := range strings.Fields(m[1]) {
			if strings.HasSuffix(word, ".yaml") || strings.HasSuffix(word, ".yml") {
				c.recipe(word, in.line)
			}
		}
	}
	for _, m := range pip.FindAllStringSubmatch(in.rest, -1) {
		for _, word := range strings.Fields(m[1]) {
			c.pipInstall(word, in.line)
		}
	}
}

func (c *containerfile) addPackage(name string) {
	if !slices.Contains(c.image.Packages, name) {
		c.image.Packages = append(c.image.Packages, name)
	}
}

// recipe finds a playbook by its base name: where it lies in the build says nothing of the checkout.
func (c *containerfile) recipe(word string, line int) {
	base := path.Base(word)
	for _, sub := range []string{".", "recipes", "files", "files/tasks", "playbooks"} {
		rel := path.Join(sub, base)
		if st, err := c.stat(c.project, rel); err == nil && st.Mode().IsRegular() {
			c.list(rel)
			return
		}
	}
	c.note("image %s: %s:%d plays %s, which is not in %s", c.image.Name, c.file, line, word, c.project.Name)
}

// list names a file of a checkout as one of the image's package lists, and notes what it leaves open.
func (c *containerfile) list(file string) {
	at := path.Join(c.project.Dir, file)
	root, err := os.OpenRoot(filepath.Join(c.root, c.project.Dir))
	if err != nil {
		c.note("image %s: left out %s: %v", c.image.Name, at, err)
		return
	}
	defer root.Close()
	packages, diagnostics, err := requirement.ReadList(requirement.Project{Name: c.project.Name, Tree: root.FS()}, file, requirement.Target{})
	if err != nil {
		c.note("image %s: left out %s: %v", c.image.Name, at, err)
		return
	}
	if entry := c.project.Name + ":" + file; !slices.Contains(c.image.Lists, entry) {
		c.image.Lists = append(c.image.Lists, entry)
	}
	c.note("packages of image %s: from %s (%d)", c.image.Name, at, len(packages))
	for _, d := range diagnostics {
		d.File = path.Join(c.project.Dir, d.File)
		c.note("packages of image %s: %s", c.image.Name, d)
	}
}

// pipInstall recognises the team's own projects; anything else from PyPI is for a person to decide.
func (c *containerfile) pipInstall(word string, line int) {
	if strings.HasPrefix(word, "-") {
		return
	}
	name, _, _ := strings.Cut(word, "@")
	if url, ok := strings.CutPrefix(word, "git+"); ok {
		if i := strings.LastIndex(url, "@"); i > strings.LastIndex(url, "/") {
			url = url[:i] // the revision
		}
		name = strings.TrimSuffix(path.Base(url), ".git")
	}
	if name == "." {
		name = c.project.Name
	}
	name = clean(name)
	if slices.ContainsFunc(c.draft.Projects, func(p Project) bool { return p.Name == name }) {
		if !slices.Contains(c.image.Projects, name) {
			c.image.Projects = append(c.image.Projects, name)
		}
		return
	}
	c.note("image %s: left out %s:%d: pip install %s; name its RPM among the packages", c.image.Name, c.file, line, word)
}

// finish guesses what the Containerfile does not tell.
func (c *containerfile) finish() {
	if len(c.image.Projects) == 0 {
		for _, p := range c.draft.Projects {
			c.image.Projects = append(c.image.Projects, p.Name)
		}
		c.note("projects of image %s: all, since %s installs none with pip", c.image.Name, c.file)
	}
}
