// Package scaffold guesses a first slipway.yaml from a folder of checkouts.
//
// In goes a folder with the team's repositories; out comes a Draft: projects, targets, images and
// environments as far as spec files, Python metadata, Containerfiles, Ansible package lists, .repo
// files and branches tell, with a note on each guess and why it was made. Files are read, nothing is
// run but git, and nothing is written: Draft.YAML gives the text.
package scaffold

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/source"
)

// Options are what the caller knows better.
type Options struct {
	Service string // "": the folder's name
	Release string // OS release of the target; "": what a Containerfile's FROM says
}

// Draft is a guessed configuration.
type Draft struct {
	Service      string
	Projects     []Project
	Target       Target
	Images       []Image
	Environments []Environment
	// Notes say what was guessed and why, and what was seen and left out, in the order found.
	Notes []string
}

// Project is a checkout that is a Python project.
type Project struct {
	Name     string
	Git      string            // remote URL, or path from the folder
	Branches map[string]string // own names
	Dir      string            // where it lies, from the folder, with slashes
	have     []string          // branches
}

// Target is the one OS release of a draft.
type Target struct {
	Name, Release string
	Repos         []string // .repo files, from the folder
}

// Image is an image of a draft.
type Image struct {
	Name       string
	Projects   []string
	Packages   []string
	Lists      []string // Ansible files with packages, PROJECT:PATH
	Files      []File
	Env        map[string]string
	User       string
	Workdir    string
	Entrypoint []string
	Command    []string
	Ports      []int
}

// File is a file that an image gets.
type File struct{ From, To, Mode string }

// Environment is where a branch runs.
type Environment struct{ Name, Branch string }

// ErrNothing says that the folder has no Python project.
var ErrNothing = errors.New("no Python project found")

// maxCheckouts bounds how many folders are looked at.
const maxCheckouts = 500

// Scan looks at dir, at the folders in it, and at those one level below.
func Scan(ctx context.Context, dir string, o Options) (*Draft, error) {
	s := &scan{root: dir, draft: &Draft{Service: o.Service}}
	if err := s.projects(ctx); err != nil {
		return nil, err
	}
	if len(s.draft.Projects) == 0 {
		return nil, fmt.Errorf("looking for checkouts in %s: %w: a project has a spec file, setup.py, setup.cfg or pyproject.toml in its top folder", dir, ErrNothing)
	}
	if s.draft.Service == "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("looking for checkouts: %w", err)
		}
		s.draft.Service = clean(filepath.Base(abs))
		s.note("service %s: the folder's name", s.draft.Service)
	}
	if err := s.images(); err != nil {
		return nil, err
	}
	if err := s.target(o.Release); err != nil {
		return nil, err
	}
	s.environments()
	return s.draft, nil
}

type scan struct {
	root  string
	draft *Draft
	froms []string // FROM images of Containerfiles
}

func (s *scan) note(format string, args ...any) {
	s.draft.Notes = append(s.draft.Notes, fmt.Sprintf(format, args...))
}

// projects finds the checkouts.
func (s *scan) projects(ctx context.Context) error {
	var dirs []string
	for _, pattern := range []string{".", "*", "*/*"} {
		found, err := filepath.Glob(filepath.Join(s.root, pattern, ".git"))
		if err != nil {
			return fmt.Errorf("looking for checkouts: %w", err)
		}
		for _, f := range found {
			dirs = append(dirs, filepath.Dir(f))
		}
	}
	if len(dirs) > maxCheckouts {
		return fmt.Errorf("looking for checkouts: %s holds more than %d: name a smaller folder", s.root, maxCheckouts)
	}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		kinds := pythonFiles(dir)
		if len(kinds) == 0 {
			continue
		}
		rel, err := filepath.Rel(s.root, dir)
		if err != nil {
			return fmt.Errorf("looking for checkouts: %w", err)
		}
		abs, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("looking for checkouts: %w", err)
		}
		p := Project{Name: unused(clean(filepath.Base(abs)), clean(filepath.Base(filepath.Dir(abs))), s.hasProject), Git: "./" + filepath.ToSlash(rel), Dir: filepath.ToSlash(rel)}
		remote, branches, err := source.Inspect(ctx, dir)
		if err != nil {
			return err
		}
		p.have = branches
		why := "its folder, since it has no remote called origin"
		if remote != "" {
			p.Git, why = remote, "its remote origin"
		}
		s.note("project %s: has %s; git is %s", p.Name, strings.Join(kinds, ", "), why)
		s.draft.Projects = append(s.draft.Projects, p)
	}
	return nil
}

func pythonFiles(dir string) []string {
	var kinds []string
	if specs, _ := filepath.Glob(filepath.Join(dir, "*.spec")); len(specs) > 0 {
		kinds = append(kinds, filepath.Base(specs[0]))
	}
	for _, name := range []string{"pyproject.toml", "setup.cfg", "setup.py"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err == nil && st.Mode().IsRegular() {
			kinds = append(kinds, name)
		}
	}
	return kinds
}

func (s *scan) hasProject(name string) bool {
	return slices.ContainsFunc(s.draft.Projects, func(p Project) bool { return p.Name == name })
}

// unusedImage is a name that no image of the draft has yet, nor the lock for the packages that build
// the projects.
func (s *scan) unusedImage(name, project string) string {
	return unused(name, project, func(name string) bool {
		return name == "build" || slices.ContainsFunc(s.draft.Images, func(i Image) bool { return i.Name == name })
	})
}

// unused is a name that is not taken: itself, or with something before it, or with a number.
func unused(name, before string, taken func(string) bool) string {
	if !taken(name) {
		return name
	}
	name = before + "-" + name
	for n, candidate := 2, name; ; n++ {
		if !taken(candidate) {
			return candidate
		}
		candidate = fmt.Sprintf("%s-%d", name, n)
	}
}

var notName = regexp.MustCompile(`[^a-z0-9]+`)

// clean makes a name that slipway.yaml allows.
func clean(s string) string {
	return cmp.Or(strings.Trim(notName.ReplaceAllString(strings.ToLower(s), "-"), "-"), "service")
}

// images makes an image of every Containerfile; without any, one with all projects.
func (s *scan) images() error {
	for _, p := range s.draft.Projects {
		files, err := containerfiles(filepath.Join(s.root, p.Dir))
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := s.image(p, f); err != nil {
				return err
			}
		}
	}
	if len(s.draft.Images) > 0 {
		return nil
	}
	img := Image{Name: s.unusedImage(s.draft.Service, "all")}
	for _, p := range s.draft.Projects {
		img.Projects = append(img.Projects, p.Name)
	}
	s.note("image %s: no Containerfile was found, so one image has all projects; say how it is started (entrypoint) and what else it needs (packages)", img.Name)
	s.draft.Images = append(s.draft.Images, img)
	return nil
}

// containerfiles lists a checkout's Containerfiles and Dockerfiles, from its top and from files/.
func containerfiles(dir string) ([]string, error) {
	var list []string
	for _, sub := range []string{".", "files"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("looking for Containerfiles: %w", err)
		}
		for _, e := range entries {
			name := strings.ToLower(e.Name())
			if e.Type().IsRegular() && (strings.HasPrefix(name, "containerfile") || strings.HasPrefix(name, "dockerfile")) && !strings.HasSuffix(name, ".in") {
				list = append(list, path.Join(sub, e.Name()))
			}
		}
	}
	return list, nil
}

// target takes the release from the Containerfiles' FROM, and every .repo file of the folder.
func (s *scan) target(release string) error {
	t := &s.draft.Target
	repos, err := filepath.Glob(filepath.Join(s.root, "*.repo"))
	if err != nil {
		return fmt.Errorf("looking for .repo files: %w", err)
	}
	for _, r := range repos {
		t.Repos = append(t.Repos, filepath.Base(r))
	}
	switch from := firstRelease(s.froms); {
	case release != "":
		t.Release = release
	case from != "":
		t.Release = from
		s.note("target %s: from a Containerfile's FROM", from)
	default:
		t.Release = fallbackRelease
		s.note("target %s: a guess, since no Containerfile's FROM names a release; set release (or use --release)", t.Release)
	}
	t.Name = t.Release
	if len(t.Repos) > 0 {
		s.note("repositories of %s: %s beside slipway.yaml", t.Name, strings.Join(t.Repos, ", "))
	} else if fallback, ok := stockRepositories(t.Release); ok {
		s.note("repositories of %s: those of the distribution (%s)", t.Name, fallback.id)
	} else {
		s.note("repositories of %s: none known; put a .repo file beside slipway.yaml and name it", t.Name)
	}
	return nil
}

// environments are the branches that all projects have under some name.
func (s *scan) environments() {
	for _, e := range []struct {
		name, branch string
		alias        []string
	}{{"stg", "main", []string{"master"}}, {"prod", "stable", nil}} {
		if !s.branch(e.branch, e.alias) {
			continue
		}
		s.draft.Environments = append(s.draft.Environments, Environment{e.name, e.branch})
		s.note("environment %s: all projects have a branch %s%s", e.name, e.branch, orAlias(e.alias))
	}
	if len(s.draft.Environments) == 0 {
		s.draft.Environments = []Environment{{"stg", "main"}}
		s.note("environment stg: the projects have no branch in common; name one, and the projects' own names of it (branches)")
	}
}

func orAlias(alias []string) string {
	if len(alias) == 0 {
		return ""
	}
	return " (or " + strings.Join(alias, ", ") + ")"
}

// branch says whether all projects have it, and notes those that call it otherwise.
func (s *scan) branch(name string, alias []string) bool {
	own := map[int]string{}
	for i, p := range s.draft.Projects {
		if slices.Contains(p.have, name) {
			continue
		}
		at := slices.IndexFunc(alias, func(a string) bool { return slices.Contains(p.have, a) })
		if at < 0 {
			return false
		}
		own[i] = alias[at]
	}
	for i, a := range own {
		p := &s.draft.Projects[i]
		if p.Branches == nil {
			p.Branches = map[string]string{}
		}
		p.Branches[name] = a
	}
	return true
}
