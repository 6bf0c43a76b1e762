package config

import "slices"

// Where a project is taken from.
const (
	FromGit = "git"
	FromRPM = "rpm"
)

// ProjectRPM says which RPM a project is that is not taken from git, and where its branches are built.
type ProjectRPM struct {
	Package      Text              `yaml:"package" jsonschema:"required" jsonschema_description:"Name of the RPM, such as python3-ogr."`
	Repositories map[string]string `yaml:"repositories" jsonschema:"required" jsonschema_description:"IDs of the target's repositories by the branch that is built there, such as {main: copr:packit:dev, stable: copr:packit:stable}. At one branch those of others are not seen."`
}

// projectFrom checks whether a project is from git or an RPM, and has what that needs.
func (d *decoder) projectFrom(at string, p Project) {
	switch p.From {
	case "", FromGit:
		if p.Git == "" {
			d.wrong(at, "git is missing: URL of the repository, or a path (from this file's folder).")
		}
		if p.RPM != nil {
			d.wrong(at+".rpm", "it goes with from: rpm")
		}
	case FromRPM:
		if p.RPM == nil {
			d.wrong(at, "rpm is missing: which package is it, and in which repositories?")
		}
		if p.Git != "" || p.Path != "" || len(p.Branches) > 0 || len(p.Drift.Ignore) > 0 {
			d.wrong(at, "git, path, branches and drift are of projects from git")
		}
	default:
		d.wrong(at+".from", "%q is not where projects are from: git and rpm are", p.From)
	}
}

// divide tells an image's projects that are from git from those that are RPMs.
func divide(projects []string, all map[string]Project) (git, rpms []string) {
	for _, name := range projects {
		if all[name].From == FromRPM {
			rpms = append(rpms, name)
		} else {
			git = append(git, name)
		}
	}
	slices.Sort(rpms)
	return git, rpms
}
