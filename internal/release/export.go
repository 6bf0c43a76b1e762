package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
	"github.com/slipway-build/slipway/internal/strategy"
)

// Exported is an image of which what builds it was written.
type Exported struct {
	Image string `json:"image"`
	// Containerfile is its path below the folder.
	Containerfile string `json:"containerfile"`
	Packages      int    `json:"packages"`
	Projects      int    `json:"projects"`
}

// ExportContainerfiles writes a folder from which an engine builds the candidate's images without us:
// rpms/TARGET, a repository of the locked packages; IMAGE/, the context of each image with its
// Containerfile; Containerfile.TARGET.ROOT of each set of packages; build.sh; and workflow.yaml for GitHub
// and openshift.yaml, which do the same there. The folder must be empty or not exist.
func (p *Pipeline) ExportContainerfiles(ctx context.Context, c *Candidate, n *Needs, l *lock.Lock, dir string) ([]Exported, error) {
	if found, err := os.ReadDir(dir); err == nil && len(found) > 0 {
		return nil, fmt.Errorf("exporting to %s: it is not empty: name another folder", dir)
	}
	besides, err := p.besides(c.Images)
	if err != nil {
		return nil, err
	}
	b := &build{Pipeline: p, candidate: c, needs: n, lock: l, besides: besides, built: &Built{}}
	x := &exporting{build: b, dir: dir, on: map[string][2]string{}}
	for _, tn := range n.Targets {
		if err := x.target(ctx, tn); err != nil {
			return nil, fmt.Errorf("exporting to %s: %w", dir, err)
		}
	}
	return x.list, errors.Join(x.script(), x.workflow(), x.openshift())
}

type exporting struct {
	*build
	dir   string
	lines []string
	list  []Exported
	bases []exportedBase
	on    map[string][2]string // by image: the names of its base and of what builds its projects
}

// exportedBase is a base's Containerfile, and the image stream of what it builds.
type exportedBase struct{ file, stream string }

func (x *exporting) target(ctx context.Context, tn TargetNeeds) error {
	t := x.lock.Target(tn.Target)
	if t == nil {
		return fmt.Errorf("the lock has no target %q: run slipway lock", tn.Target)
	}
	paths, err := x.fetch(ctx, t)
	if err != nil {
		return err
	}
	rpms := path.Join("rpms", t.Name)
	if err := os.MkdirAll(filepath.Join(x.dir, rpms), 0o755); err != nil {
		return err
	}
	for _, pkg := range t.Packages {
		if err := copyFile(filepath.Join(x.dir, rpms, pkg.NEVRA.FileName()), paths[pkg.SHA256]); err != nil {
			return err
		}
	}
	if err := repowrite.Write(filepath.Join(x.dir, rpms), repowrite.Options{}); err != nil {
		return err
	}
	// What builds the projects comes before the images that they go into.
	for _, r := range tn.Roots {
		if err := x.baseOf(t, r.Image, rpms); err != nil {
			return err
		}
	}
	for _, r := range tn.Roots {
		if lock.IsBuildRoot(r.Image) {
			continue
		}
		if err := x.image(ctx, t, r.Image, tn.build()); err != nil {
			return fmt.Errorf("image %s: %w", r.Image, err)
		}
	}
	return nil
}

// local is what an exported base is called.
func (x *exporting) local(target, root string) string {
	return "localhost/" + x.Config.Service + "/" + strings.ToLower(target+"-"+root) + baseSuffix
}

// baseOf writes the Containerfile of a set of packages: dnf of another image installs them into a folder,
// which becomes the whole of a new image.
func (x *exporting) baseOf(t *lock.Target, root, rpms string) error {
	var names []string
	for _, pkg := range t.Root(root) {
		names = append(names, pkg.NEVRA.String())
	}
	file := "Containerfile." + t.Name + "." + root
	text := strategy.BaseContainerfile(rpms, t.Release, names)
	if err := os.WriteFile(filepath.Join(x.dir, file), []byte(text), 0o644); err != nil {
		return err
	}
	x.bases = append(x.bases, exportedBase{file, x.stream(t.Name, root)})
	x.lines = append(x.lines, fmt.Sprintf(`"$engine" build --build-arg INSTALLER="$1" --tag %s --file %s .`, x.local(t.Name, root), file))
	return nil
}

func (x *exporting) image(ctx context.Context, t *lock.Target, name, builder string) error {
	if own := x.Config.Images[name].Containerfile; own != nil {
		return errors.New("it has a Containerfile of its own: that is what builds it without Slipway")
	}
	r, err := x.recipe(ctx, t, name, filepath.Join(x.dir, name))
	if err != nil {
		return err
	}
	r.Named = true
	r.Base, r.Builder = x.local(t.Name, name), x.local(t.Name, builder)
	r.Labels = map[string]string{labelService: x.Config.Service, labelLock: "sha256:" + t.Digest(name)}
	for _, p := range r.Projects {
		r.Labels[labelProject+p.Name] = p.Commit
	}
	x.on[name] = [2]string{x.stream(t.Name, name), x.stream(t.Name, builder)}
	file := path.Join(name, "Containerfile")
	if err := os.WriteFile(filepath.Join(x.dir, file), []byte(r.Containerfile()), 0o644); err != nil {
		return err
	}
	x.lines = append(x.lines, fmt.Sprintf(`"$engine" build --tag localhost/%s/%s --file %s %s`, x.Config.Service, name, file, name))
	x.list = append(x.list, Exported{Image: name, Containerfile: file, Packages: len(t.Root(name)), Projects: len(r.Projects)})
	return nil
}

func (x *exporting) script() error {
	text := `#!/bin/sh
# Builds the images of this folder: build.sh INSTALLER, an image that has dnf. ENGINE names the program.
set -eu
cd "$(dirname "$0")"
[ $# -eq 1 ] || { echo "usage: $0 INSTALLER (an image of the distribution that has dnf)" >&2; exit 2; }
engine=${ENGINE:-podman}
` + strings.Join(x.lines, "\n") + "\n"
	return os.WriteFile(filepath.Join(x.dir, "build.sh"), []byte(text), 0o755)
}

// stream is what the image stream of a base is called.
func (x *exporting) stream(target, root string) string {
	return x.Config.Service + "-" + strings.ReplaceAll(strings.ToLower(target+"-"+root), "_", "-") + baseSuffix
}

// workflow writes how GitHub builds the folder, committed to a repository, and pushes the images.
func (x *exporting) workflow() error {
	var push strings.Builder
	for _, img := range x.list {
		name := x.Config.Service + "/" + img.Image
		fmt.Fprintf(&push, "          podman push localhost/%s \"docker://$REGISTRY/%s:$GITHUB_SHA\"\n", name, name)
	}
	text := `# Copy it to .github/workflows/ of the repository that has this folder at its top, and set the variables
# INSTALLER (an image that has dnf) and REGISTRY (HOST/PATH), and the secrets REGISTRY_USER and REGISTRY_TOKEN.
name: images
on: {push: {}, workflow_dispatch: {}}
permissions: {contents: read}
jobs:
  images:
    runs-on: ubuntu-latest
    env:
      REGISTRY: ${{ vars.REGISTRY }}
    steps:
      - uses: actions/checkout@v4
      - run: ./build.sh "${{ vars.INSTALLER }}"
      - run: podman login --username "$REGISTRY_USER" --password-stdin "${REGISTRY%%/*}" <<<"$REGISTRY_TOKEN"
        env:
          REGISTRY_USER: ${{ secrets.REGISTRY_USER }}
          REGISTRY_TOKEN: ${{ secrets.REGISTRY_TOKEN }}
      - run: |
` + push.String()
	return os.WriteFile(filepath.Join(x.dir, "workflow.yaml"), []byte(text), 0o644)
}

// openshift writes a template (template.openshift.io/v1) of image streams and builds with the docker strategy: of the
// bases, and of the images, which follow their base by an image change trigger.
func (x *exporting) openshift() error {
	var b strings.Builder
	b.WriteString(`# oc process -f openshift.yaml -p GIT=... -p INSTALLER=... | oc apply -f -
# GIT is the repository that has this folder at its top, INSTALLER an image that has dnf.
apiVersion: template.openshift.io/v1
kind: Template
metadata: {name: ` + x.Config.Service + `}
parameters:
  - {name: GIT, required: true}
  - {name: REF, value: main}
  - {name: INSTALLER, required: true}
  - {name: NAMESPACE, required: true, description: the project that the builds are in}
  - {name: REGISTRY, value: "image-registry.openshift-image-registry.svc:5000"}
objects:
`)
	stream := func(name string) {
		fmt.Fprintf(&b, "  - apiVersion: image.openshift.io/v1\n    kind: ImageStream\n    metadata: {name: %s}\n", name)
	}
	config := func(name, context, file, args, triggers string) {
		stream(name)
		fmt.Fprintf(&b, `  - apiVersion: build.openshift.io/v1
    kind: BuildConfig
    metadata: {name: %s}
    spec:
      source: {type: Git, git: {uri: "${GIT}", ref: "${REF}"}, contextDir: %s}
      strategy:
        type: Docker
        dockerStrategy:
          dockerfilePath: %s
          buildArgs:
%s      output: {to: {kind: ImageStreamTag, name: "%s:latest"}}
      triggers:
%s`, name, context, file, args, name, triggers)
	}
	for _, base := range x.bases {
		config(base.stream, ".", base.file, "            - {name: INSTALLER, value: \"${INSTALLER}\"}\n", "        - {type: ConfigChange}\n")
	}
	for _, img := range x.list {
		args, triggers := "", ""
		for i, arg := range []string{"BASE", "BUILDER"} {
			name := x.on[img.Image][i]
			if arg == "BUILDER" && img.Projects == 0 {
				continue
			}
			args += fmt.Sprintf("            - {name: %s, value: \"${REGISTRY}/${NAMESPACE}/%s:latest\"}\n", arg, name)
			triggers += fmt.Sprintf("        - {type: ImageChange, imageChange: {from: {kind: ImageStreamTag, name: \"%s:latest\"}}}\n", name)
		}
		config(x.Config.Service+"-"+img.Image, img.Image, "Containerfile", args, triggers)
	}
	return os.WriteFile(filepath.Join(x.dir, "openshift.yaml"), []byte(b.String()), 0o644)
}
