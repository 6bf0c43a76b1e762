package strategy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/image/inspect"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
	"github.com/slipway-build/slipway/internal/rpm"
)

// Want is what an image must have installed.
type Want struct {
	// Packages are the locked RPMs.
	Packages []rpm.NEVRA
	// Projects are the Python projects, by normalised name.
	Projects map[string]Project
}

// Project is a Python project that an image must have.
type Project struct {
	Version string
	// Commit of its repository. Empty: it comes from no repository, as a wheel of an exception does.
	Commit string
}

// MismatchError says in what an image differs from what it should have installed.
type MismatchError struct {
	Image    string
	Findings []string
}

func (e *MismatchError) Error() string {
	const most = 10
	list := e.Findings
	more := ""
	if len(list) > most {
		more = fmt.Sprintf("\n  and %d more", len(list)-most)
		list = list[:most]
	}
	return fmt.Sprintf("image %s is not what was locked and asked for:\n  %s%s\n  it was not published: see to it that the build installs nothing by itself", e.Image, strings.Join(list, "\n  "), more)
}

// Check holds what an image has against what it must have: the packages of its RPM database against the
// lock's, its Python projects against the commits in their direct_url.json (PyPA, "Recording the Direct URL
// Origin of installed distributions"). The error is a *MismatchError. Projects whose commit the image does not
// record, but whose version is right, are given: they are proven by their version only.
func Check(name string, c *inspect.Content, want Want) (unproven []string, err error) {
	m := &MismatchError{Image: name}
	if c.Problem != "" {
		m.Findings = append(m.Findings, c.Problem)
	}
	m.packages(c, want.Packages)
	unproven = m.projects(c, want.Projects)
	if len(m.Findings) > 0 {
		return nil, m
	}
	return unproven, nil
}

func (e *MismatchError) find(format string, args ...any) {
	e.Findings = append(e.Findings, fmt.Sprintf(format, args...))
}

func (e *MismatchError) packages(c *inspect.Content, want []rpm.NEVRA) {
	missing := map[string]bool{}
	for _, n := range want {
		missing[n.Name+"-"+n.EVR.String()+"."+n.Arch] = true
	}
	for _, p := range c.Parts {
		if p.Kind != inspect.RPM {
			continue
		}
		id := p.Name + "-" + p.Version + "." + p.Arch
		if !missing[id] {
			e.find("package %s is in it and not in the lock", id)
		}
		delete(missing, id)
	}
	for _, id := range sortedKeys(missing) {
		e.find("package %s of the lock is not in it", id)
	}
}

func (e *MismatchError) projects(c *inspect.Content, want map[string]Project) (unproven []string) {
	missing := maps.Clone(want)
	for _, p := range c.Parts {
		if p.Kind != inspect.Python {
			continue
		}
		name := pymeta.NormalizeName(p.Name)
		w, ok := want[name]
		delete(missing, name)
		switch {
		case !ok:
			e.find("Python project %s %s is in it and nothing asks for it", p.Name, p.Version)
		case w.Version != p.Version:
			e.find("project %s has version %s, not %s", p.Name, p.Version, w.Version)
		case p.Commit != "" && w.Commit != p.Commit:
			e.find("project %s is of commit %s, not %s", p.Name, p.Commit, w.Commit)
		case p.Commit == "" && w.Commit != "":
			unproven = append(unproven, name)
		}
	}
	for _, name := range sortedKeys(missing) {
		e.find("project %s %s is not in it", name, missing[name].Version)
	}
	slices.Sort(unproven)
	return unproven
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
