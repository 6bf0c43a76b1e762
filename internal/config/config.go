// Package config reads slipway.yaml: what a service is made of and where it runs.
//
// In goes the file's text; out comes a Config in which every reference names something that exists,
// every value has been checked, and defaults are filled in, or a list of errors, each with line,
// column and what was expected. Nothing is fetched, and apart from the file itself nothing is read.
// The same types give the JSON Schema with which editors complete the file (Schema).
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// FileName is how the file is called.
const FileName = "slipway.yaml"

// maxSize bounds the file: a service of a hundred projects stays under 100 KB.
const maxSize = 4 << 20

// Config is a whole slipway.yaml. It is not changed after Load and so safe for concurrent use.
type Config struct {
	Service      string                 `yaml:"service" jsonschema:"required" jsonschema_description:"Name of the service: lower-case letters, digits and dashes. Part of image names."`
	Registry     string                 `yaml:"registry" jsonschema_description:"Where images are pushed, HOST[:PORT]/PATH. Without it the registry embedded in slipway keeps them on this machine."`
	Projects     map[string]Project     `yaml:"projects" jsonschema:"required" jsonschema_description:"The git repositories the service is made of."`
	Targets      map[string]Target      `yaml:"targets" jsonschema:"required" jsonschema_description:"The operating system releases that images are built of."`
	Images       map[string]Image       `yaml:"images" jsonschema:"required" jsonschema_description:"The images that are built."`
	Externals    map[string]External    `yaml:"externals" jsonschema_description:"Images built elsewhere that are deployed along, pinned by digest."`
	Archive      Archive                `yaml:"archive" jsonschema_description:"Where slipway lock --vendor keeps the RPMs of the lock, and where they are found when their repository has dropped them."`
	Exceptions   []Exception            `yaml:"exceptions" jsonschema_description:"What images may have that is not a signed RPM of a configured repository, each with a reason and an end."`
	Environments map[string]Environment `yaml:"environments" jsonschema_description:"Where the service runs."`
	Layers       int                    `yaml:"layers" jsonschema_description:"How many layers of packages an image has at most, 1 to 100. More of them make an update smaller. Default 20."`
	Attestations Attestations           `yaml:"attestations" jsonschema_description:"What is attached to images in the registry."`
	Signing      Signing                `yaml:"signing" jsonschema_description:"How images are signed. Without it they are not."`

	// Path is the absolute path of the file.
	Path string `yaml:"-" json:"-"`
	// Digest is the sha256 of the file's text, in hex.
	Digest string `yaml:"-" json:"-"`
}

// Attestations says what is attached to images in the registry.
type Attestations struct {
	SBOM       []string `yaml:"sbom" jsonschema:"enum=cyclonedx,enum=spdx" jsonschema_description:"Formats of the list of an image's parts. Default: both; [] attaches none."`
	Provenance *bool    `yaml:"provenance" jsonschema_description:"Attach how the image was made (SLSA). Default true."`
	Builder    string   `yaml:"builder" jsonschema_description:"URI that tells, in the provenance, who runs the builds."`
}

// Signing says how images are signed.
type Signing struct {
	Key string `yaml:"key" jsonschema_description:"File with the private key, from this file's folder: as cosign generate-key-pair or openssl write it. The passphrase is taken from COSIGN_PASSWORD."`
}

// Project is an internal git repository.
type Project struct {
	From     string            `yaml:"from" jsonschema:"enum=git,enum=rpm" jsonschema_description:"git, or rpm: the project is an RPM that others build of its branches, and is not built here. Default git."`
	RPM      *ProjectRPM       `yaml:"rpm" jsonschema_description:"With from: rpm: which package it is, and where its branches are built."`
	Git      string            `yaml:"git" jsonschema_description:"URL of the repository, or a path (from this file's folder). Needed but with from: rpm."`
	Path     string            `yaml:"path" jsonschema_description:"Folder of the Python project in the repository, where it is not the top."`
	Branches map[string]string `yaml:"branches" jsonschema_description:"This project's own name of an environment's branch, such as {main: master}."`
	Drift    Drift             `yaml:"drift" jsonschema_description:"What its spec file and its Python metadata may disagree about."`
}

// Drift says which disagreements of a project's sources are known.
type Drift struct {
	Ignore []IgnoredDrift `yaml:"ignore" jsonschema_description:"Disagreements that are meant to be."`
}

// DriftKinds are what the kind of an ignored drift may be.
var DriftKinds = []string{"only-spec", "only-python", "ranges-differ", "build-only", "duplicate"}

// IgnoredDrift is one of them.
type IgnoredDrift struct {
	Name   Text   `yaml:"name" jsonschema:"required" jsonschema_description:"Name of the dependency: a Python project, or an RPM name."`
	Kind   string `yaml:"kind" jsonschema:"enum=only-spec,enum=only-python,enum=ranges-differ,enum=build-only,enum=duplicate" jsonschema_description:"How the sources disagree: only-spec, only-python, ranges-differ, build-only (the spec needs it only to build) or duplicate. Default: in any way."`
	Target string `yaml:"target" jsonschema_description:"The target on which they may. Default: on all."`
	Reason string `yaml:"reason" jsonschema:"required" jsonschema_description:"Why."`
}

// Target is an OS release for one architecture, with the repositories that its packages come from.
type Target struct {
	Release        string            `yaml:"release" jsonschema:"required" jsonschema_description:"OS release, such as fedora-43 or centos-stream-9. Decides RPM macros and $releasever."`
	Arch           string            `yaml:"arch" jsonschema_description:"Architecture as RPM names it. Default x86_64."`
	Python         string            `yaml:"python" jsonschema_description:"Version of the target's Python, such as 3.13. Default: what the release has."`
	OtherPython    bool              `yaml:"alternative-python" jsonschema_description:"The Python is not the release's default one but stands beside it, as python3.12 does in CentOS Stream 9: projects run with it, and python3.12dist() is asked for instead of python3dist()."`
	Repositories   []Repository      `yaml:"repositories" jsonschema:"required" jsonschema_description:"Where packages come from."`
	Modules        []Text            `yaml:"modules" jsonschema_description:"Streams of modules that are enabled besides the default ones: MODULE:STREAM, or MODULE for its default stream."`
	ModulePlatform string            `yaml:"module-platform" jsonschema_description:"What modules call the release, such as el9. Default: f43 for fedora-43, el9 for centos-stream-9."`
	Places         []string          `yaml:"places" jsonschema_description:"URL templates of further places of the very same packages, which are checked against the lock's sha256: {name} {version} {release} {epoch} {arch} {nevra} {file} {path} {repository} {sha256} {source-name} {source-version} {source-release} {key}."`
	Macros         map[string]string `yaml:"macros" jsonschema_description:"RPM macros that spec files of this target see, beside those of the release."`
	Names          map[string]string `yaml:"names" jsonschema_description:"What is asked for instead of a Python project's python3dist(), such as {pyyaml: python3-pyyaml}: an RPM name, provide or path, with a range; nothing (\"\") drops it."`
	Requests       map[string]string `yaml:"requests" jsonschema_description:"The same for what spec files and package lists ask for, by the name they have there, such as {python3-devel: python3-dev}."`
}

// Repository is a .repo file (File), a project of Copr (Copr), or one repository written inline.
type Repository struct {
	File           string   `yaml:"file" jsonschema_description:"A .repo file as dnf reads it, from this file's folder. Beside it only gpgkey and fingerprints may stand, which then hold for all of its repositories."`
	Copr           string   `yaml:"copr" jsonschema_description:"A Copr project: OWNER/PROJECT, @GROUP/PROJECT, or HOST/OWNER/PROJECT for another instance. URL and key are those that dnf copr enable writes."`
	Chroot         string   `yaml:"chroot" jsonschema_description:"With copr: what the project builds for. Default: the target's release and architecture, such as fedora-43-x86_64."`
	ID             string   `yaml:"id" jsonschema_description:"Name of the repository in the lock and in messages."`
	BaseURL        []string `yaml:"baseurl" jsonschema_description:"Where repodata/ is: http, https or file URL, or a path. Several are mirrors of each other."`
	Metalink       string   `yaml:"metalink" jsonschema_description:"URL of a metalink that lists mirrors."`
	MirrorList     string   `yaml:"mirrorlist" jsonschema_description:"URL of a plain list of mirrors."`
	GPGKey         []string `yaml:"gpgkey" jsonschema_description:"Public keys that sign packages: URLs or paths. The files below /etc/pki/rpm-gpg that Fedora, CentOS and EPEL name are known on every machine."`
	Fingerprints   []Text   `yaml:"fingerprints" jsonschema_description:"Of these keys, the only ones that are trusted: their fingerprints, 40 or 64 hex digits."`
	GPGCheck       *bool    `yaml:"gpgcheck" jsonschema_description:"Check each package's signature. Default true."`
	RepoGPGCheck   bool     `yaml:"repo_gpgcheck" jsonschema_description:"Check the signature of the metadata (repomd.xml.asc)."`
	Priority       int      `yaml:"priority" jsonschema_description:"Lower wins over higher. Default 99."`
	ModuleHotfixes bool     `yaml:"module_hotfixes" jsonschema_description:"Modules hide none of its packages."`
	Exclude        []string `yaml:"exclude" jsonschema_description:"Packages of this repository to leave out (names, globs)."`
	Include        []string `yaml:"includepkgs" jsonschema_description:"Only these packages of this repository (names, globs)."`
}

// Image is one final image: the RPMs of its base, projects and files.
type Image struct {
	Target   string   `yaml:"target" jsonschema_description:"Name of the target. May be left out where there is one target."`
	Projects []string `yaml:"projects" jsonschema_description:"The projects that are installed in it."`
	// RPMProjects are those of its projects that are taken as RPMs; Load takes them out of Projects.
	RPMProjects []string          `yaml:"-" json:"-"`
	Packages    []Text            `yaml:"packages" jsonschema_description:"What it needs beyond its projects: RPM names, provides or paths, with ranges."`
	Lists       []Text            `yaml:"packages-from" jsonschema_description:"Ansible files that install packages, PROJECT:PATH or PATH in this file's folder: dnf, yum, package and pip tasks with literal names. They are read, never run."`
	Overrides   []Override        `yaml:"overrides" jsonschema_description:"What is taken instead of entries of packages-from."`
	Files       []File            `yaml:"files" jsonschema_description:"Files put into the image."`
	Writable    []Text            `yaml:"writable" jsonschema_description:"Folders that any user may write to whose group is 0, as OpenShift's arbitrary ones are: made where missing, of group 0, which may do what the owner may; so are the image's files, projects and steps' results in them."`
	Run         []Step            `yaml:"run" jsonschema_description:"Commands that change the image, run in order over its packages, projects and files, as root in a sandbox."`
	Env         map[string]string `yaml:"env" jsonschema_description:"Environment variables."`
	User        string            `yaml:"user" jsonschema_description:"User to run as: a number or a name of the image. Default root."`
	Workdir     string            `yaml:"workdir" jsonschema_description:"Working directory. Default /."`
	Entrypoint  []string          `yaml:"entrypoint" jsonschema_description:"The program to run, with its first arguments."`
	Command     []string          `yaml:"command" jsonschema_description:"Further arguments, those that a deployment may replace."`
	Ports       []int             `yaml:"ports" jsonschema_description:"TCP ports on which it listens."`
	Healthcheck *Healthcheck      `yaml:"healthcheck" jsonschema_description:"How docker, and podman with media-types: docker, know whether a container is healthy."`
	Labels      map[string]string `yaml:"labels" jsonschema_description:"Further labels, beside those that Slipway sets."`
	Bytecode    bool              `yaml:"bytecode" jsonschema_description:"Compile the projects' modules with the image's Python, as pip does: programs start faster, images are larger. Default false."`
	Strategy    string            `yaml:"strategy" jsonschema:"enum=native,enum=containerfile,enum=external" jsonschema_description:"How it is built: native, containerfile (buildah, podman or docker), or external (a public service builds it). Default: as its environment says."`
	// Containerfile is needed by no strategy: without it, one is written.
	Containerfile *Containerfile `yaml:"containerfile" jsonschema_description:"With strategy: containerfile, the team's own Containerfile instead of a rendered one."`
	// ExternalBuild is needed by strategy external.
	ExternalBuild *ExternalBuild `yaml:"external" jsonschema_description:"With strategy: external, where the image appears that a public service builds on push."`
	Packing       Packing        `yaml:"packing" jsonschema_description:"How its layers are compressed, and what they are called."`
}

// Packing says how an image's layers are compressed, and in which words its manifest speaks of them.
type Packing struct {
	Compression string `yaml:"compression" jsonschema:"enum=gzip,enum=zstd" jsonschema_description:"gzip, or zstd, which is smaller and faster, for registries and runtimes since about 2022. Default gzip."`
	Level       int    `yaml:"level" jsonschema_description:"Effort: for gzip 1 to 9, for zstd 1 to 4. Default: as much as pays, by what a package holds."`
	MediaTypes  string `yaml:"media-types" jsonschema:"enum=oci,enum=docker" jsonschema_description:"oci, or docker (image manifest version 2, schema 2) for what does not know OCI. Default oci."`
}

// Override changes one entry of an image's package lists.
type Override struct {
	Name    Text   `yaml:"name" jsonschema:"required" jsonschema_description:"The entry: as its file writes it, or without the version."`
	Replace string `yaml:"replace" jsonschema_description:"What is asked for instead: an RPM name, provide or path, with a range."`
	Drop    bool   `yaml:"drop" jsonschema_description:"Ask for nothing instead."`
	Reason  string `yaml:"reason" jsonschema:"required" jsonschema_description:"Why."`
}

// File is a file or folder of a project or of the config's folder that goes into an image.
type File struct {
	From Text   `yaml:"from" jsonschema:"required" jsonschema_description:"PROJECT:PATH, or PATH in this file's folder. A folder is taken whole."`
	To   string `yaml:"to" jsonschema:"required" jsonschema_description:"Absolute path in the image. With a slash at its end, a single file goes into that folder."`
	Mode string `yaml:"mode" jsonschema_description:"Permissions in octal, quoted, such as \"0755\". Default: as in git (0644 or 0755)."`
	UID  int    `yaml:"uid" jsonschema_description:"Numeric owner. Default 0."`
	GID  int    `yaml:"gid" jsonschema_description:"Numeric group. Default 0."`
}

// External is an image that others build.
type External struct {
	Image string `yaml:"image" jsonschema:"required" jsonschema_description:"Reference with a digest: registry/name@sha256:…"`
}

// Environment is where snapshots of one branch run.
type Environment struct {
	Branch   string `yaml:"branch" jsonschema:"required" jsonschema_description:"The branch that is taken of every project."`
	Strategy string `yaml:"strategy" jsonschema:"enum=native,enum=containerfile" jsonschema_description:"How its images are built that do not say it themselves. Default native."`
	Deploy   Deploy `yaml:"deploy" jsonschema_description:"How it runs. Without it the environment can be built, not deployed."`
}

// Deploy says how an environment runs its workloads.
type Deploy struct {
	To        string              `yaml:"to" jsonschema:"required,enum=local" jsonschema_description:"local: this machine."`
	Workloads map[string]Workload `yaml:"workloads" jsonschema:"required" jsonschema_description:"What runs."`
}

// Workload is one image kept running.
type Workload struct {
	Image  string            `yaml:"image" jsonschema:"required" jsonschema_description:"Name of an image or of an external image."`
	Listen string            `yaml:"listen" jsonschema_description:"Address on this machine that answers for it, HOST:PORT. Without it only other workloads reach it, by its name."`
	Port   int               `yaml:"port" jsonschema_description:"The port in the image. Default: the image's first port."`
	Env    map[string]string `yaml:"env" jsonschema_description:"Environment variables over those of the image."`
	Health Health            `yaml:"health" jsonschema_description:"When a new version counts as working."`
}

// Health says when a workload's new version counts as working. Zero durations mean the defaults.
type Health struct {
	Path     string   `yaml:"path" jsonschema_description:"HTTP path that must answer 2xx or 3xx. Without it a workload must stay up for the settle time."`
	Timeout  Duration `yaml:"timeout" jsonschema_description:"How long it may take to become healthy. Default 30s."`
	Interval Duration `yaml:"interval" jsonschema_description:"Time between two checks. Default 100ms at first, then 1s."`
	Settle   Duration `yaml:"settle" jsonschema_description:"How long it must stay up where there is no path. Default 3s."`
}

// Load reads and checks the file at path, or path/slipway.yaml where path is a folder.
func Load(path string) (*Config, error) {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, FileName)
	}
	data, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading configuration: %w (slipway init writes one; --config names another file)", err)
	} else if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	c, err := Parse(data, path)
	if err != nil {
		return nil, err
	}
	if c.Path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	sum := sha256.Sum256(data)
	c.Digest = hex.EncodeToString(sum[:])
	return c, nil
}

func read(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		return nil, fmt.Errorf("%s has more than the %d bytes allowed", path, maxSize)
	}
	return data, err
}

// Dir is the folder of the file, from which relative paths are meant.
func (c *Config) Dir() string { return filepath.Dir(c.Path) }

// Rel makes a path of the file absolute.
func (c *Config) Rel(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.Dir(), path)
}

// ImageNames lists the images, sorted.
func (c *Config) ImageNames() []string { return slices.Sorted(maps.Keys(c.Images)) }

// ImagesOf lists the images that an environment runs, sorted: those of its workloads, or all where
// it says nothing of workloads.
func (c *Config) ImagesOf(environment string) []string {
	used := map[string]bool{}
	for _, w := range c.Environments[environment].Deploy.Workloads {
		if _, ok := c.Images[w.Image]; ok {
			used[w.Image] = true
		}
	}
	if len(used) == 0 {
		return c.ImageNames()
	}
	return slices.Sorted(maps.Keys(used))
}

// ProjectsOf lists the projects of the given images, each once, sorted.
func (c *Config) ProjectsOf(images []string) []string {
	used := map[string]bool{}
	for _, name := range images {
		img := c.Images[name]
		for _, p := range img.Projects {
			used[p] = true
		}
		for _, f := range img.Files {
			if p, _ := f.Source(); p != "" {
				used[p] = true
			}
		}
		for _, l := range img.Lists {
			if p, _ := l.Source(); p != "" {
				used[p] = true
			}
		}
		if f := img.Containerfile; f != nil {
			p, _ := f.From.Source()
			used[p] = true
		}
	}
	return slices.Sorted(maps.Keys(used))
}

// BranchOf is the branch of a project that an environment's branch means: the project's own name
// for it, or the same.
func (p Project) BranchOf(branch string) string {
	if own, ok := p.Branches[branch]; ok {
		return own
	}
	return branch
}
