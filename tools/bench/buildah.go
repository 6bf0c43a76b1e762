package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// buildah is the program with a storage of its own: a folder below work.
type buildah struct {
	*bench
	storage string
}

func (u buildah) buildah(ctx context.Context, args ...string) (string, error) {
	out, err := u.run(ctx, "buildah", append([]string{"--storage-driver", "overlay",
		"--root", u.path(u.storage, "root"), "--runroot", u.path(u.storage, "run")}, args...)...)
	return lastLine(out), err
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// base installs with dnf into a container's file system and commits that to a layout. The commit goes
// there directly: one to the storage first, and a push after, would pack everything twice.
func (u buildah) base(ctx context.Context, d dnf, layout string) error {
	name, err := u.buildah(ctx, "from", "scratch")
	if err != nil {
		return err
	}
	root, err := u.buildah(ctx, "mount", name)
	if err != nil {
		return err
	}
	if err := d.install(ctx, root); err != nil {
		return err
	}
	_, err = u.buildah(ctx, "commit", "--quiet", "--format", "oci", "--disable-compression=false", name, "oci:"+u.path(layout)+":base")
	return err
}

// drop removes the storage.
func (u buildah) drop(ctx context.Context) error {
	_, err := u.buildah(ctx, "rm", "--all")
	return errors.Join(err, unmountBelow(u.path(u.storage)), u.clear(u.storage))
}

// baseName is what the imported base is called in the storage.
const baseName = "localhost/base:latest"

// bytecode compiles all Python modules of an image, and says nothing of those that can't be.
const bytecode = "import compileall, sys; [compileall.compile_dir(p, quiet=2) for p in sys.path if p]"

// importBase takes the base image of a layout into the storage, with bytecode for its Python modules:
// RPMs of a distribution have it, those made of Debian packages do not, and pip would compile itself
// at every start.
func (u buildah) importBase(ctx context.Context, layout string) error {
	id, err := u.buildah(ctx, "pull", "--quiet", "oci:"+u.path(layout)+":base")
	if err != nil {
		return err
	}
	name, err := u.buildah(ctx, "from", "--pull-never", id)
	if err != nil {
		return err
	}
	if _, err := u.buildah(ctx, "run", "--isolation", "chroot", name, "--", "python3", "-c", bytecode); err != nil {
		return err
	}
	_, err = u.buildah(ctx, "commit", "--quiet", "--format", "oci", "--rm", name, baseName)
	return err
}

// pip installs projects as a Containerfile's author would, when nothing may come from the network.
const pip = "RUN PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check" +
	" --no-cache-dir --no-index --no-deps --no-build-isolation"

const configure = `COPY greetweb/files/run-web.sh /usr/bin/run-web.sh
COPY greetweb/files/greeter.yaml /etc/greeter/greeter.yaml
ENV PYTHONUNBUFFERED=1
EXPOSE 8080
ENTRYPOINT ["/usr/bin/run-web.sh"]
`

// The two Containerfiles: one that installs the projects in one step, and one for a storage that
// keeps the layer of each step, in which the project that changes comes last.
const (
	plainContainerfile = "FROM " + baseName + `
COPY . /src/
` + pip + " /src/greetlib /src/greetcore /src/greetweb\n" + configure + "USER 1001\n"

	layeredContainerfile = "FROM " + baseName + `
COPY greetcore /src/greetcore
COPY greetweb /src/greetweb
` + pip + " /src/greetcore /src/greetweb\n" + configure + `COPY greetlib /src/greetlib
` + pip + " /src/greetlib\nUSER 1001\n"
)

// writeContainerfile writes it beside the projects' folder.
func (u buildah) writeContainerfile(name, text string) error {
	if err := os.WriteFile(u.path(greeterDir, name), []byte(text), 0o644); err != nil {
		return err
	}
	return os.WriteFile(u.path(greeterDir, "repos", ".dockerignore"), []byte("*/.git\n"), 0o644)
}

// bud builds an image from the projects' checkouts and pushes it.
func (u buildah) bud(ctx context.Context, containerfile, registry string, options ...string) error {
	args := append([]string{"bud", "--quiet", "--isolation", "chroot", "--pull-never", "--format", "oci", "--tag", "localhost/web"}, options...)
	args = append(args, "--file", u.path(greeterDir, containerfile), u.path(filepath.Join(greeterDir, "repos")))
	if _, err := u.buildah(ctx, args...); err != nil {
		return err
	}
	_, err := u.buildah(ctx, "push", "--quiet", "--tls-verify=false", "localhost/web", "docker://"+registry+"/bench/web:latest")
	return err
}
