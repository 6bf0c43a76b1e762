package strategy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// DNFBase is a base image as it is made without us: dnf of this machine installs packages into a container
// of buildah's.
type DNFBase struct {
	// RPMs is a repository of the packages; Packages are their NEVRAs; Release is such as fedora-43.
	RPMs     string
	Packages []string
	Release  string
	// Work is a folder for what is made on the way.
	Work string
}

// CanInstall says why bases cannot be installed by dnf here, nothing if they can.
func CanInstall(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("dnf installs into a folder for root only")
	}
	if _, err := exec.LookPath("dnf"); err != nil {
		return errors.New("dnf is not installed")
	}
	if c := probe(ctx, "buildah"); c.Problem != "" {
		return fmt.Errorf("buildah: %s", c.Problem)
	}
	return nil
}

// Run makes the image and pushes it to a registry of this machine.
func (d DNFBase) Run(ctx context.Context, to string) (err error) {
	path, err := exec.LookPath("buildah")
	if err != nil {
		return err
	}
	e := &Engine{Name: "buildah", Path: path}
	out, err := e.output(ctx, "from", "scratch")
	if err != nil {
		return err
	}
	container := strings.TrimSpace(out)
	defer func() { err = errors.Join(err, e.step(context.WithoutCancel(ctx), nil, "rm", container)) }()
	out, err = e.output(ctx, "mount", container)
	if err != nil {
		return err
	}
	if err := d.install(ctx, strings.TrimSpace(out)); err != nil {
		return err
	}
	if err := e.step(ctx, nil, "unmount", container); err != nil {
		return err
	}
	return e.step(ctx, nil, "commit", "--quiet", "--format", "oci", "--disable-compression=false", "--tls-verify=false", container, "docker://"+to)
}

func (d DNFBase) install(ctx context.Context, root string) error {
	// Without it, scriptlets make an ordinary file of that name.
	if err := os.MkdirAll(root+"/dev", 0o755); err != nil {
		return err
	}
	if err := unix.Mknod(root+"/dev/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil {
		return err
	}
	home := filepath.Join(d.Work, "home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	// Debian's rpm would keep the database in the user's home.
	if err := os.WriteFile(filepath.Join(home, ".rpmmacros"), []byte("%_dbpath /var/lib/rpm\n"), 0o644); err != nil {
		return err
	}
	conf := filepath.Join(d.Work, "dnf.conf")
	text := "[main]\nbest=1\ninstall_weak_deps=0\nplugins=0\nreposdir=/nonexistent\n[locked]\nname=locked\ngpgcheck=0\nbaseurl=file://" + d.RPMs + "\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return err
	}
	_, version, _ := strings.Cut(d.Release, "-")
	dnf := &Engine{Name: "dnf", Path: "dnf", Env: append(os.Environ(), "HOME="+home)}
	args := []string{"--quiet", "--config", conf, "--setopt=cachedir=" + filepath.Join(d.Work, "cache"), "--installroot", root, "--releasever", version, "--assumeyes", "install"}
	return dnf.step(ctx, nil, append(args, d.Packages...)...)
}
