package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// dnf is the program with a configuration and a metadata cache of its own. Packages of a repository
// that is a folder are read in place, so they need no download.
type dnf struct {
	*bench
	name string // of its folder below work
}

const dnfOptions = `[main]
gpgcheck=1
best=1
install_weak_deps=0
keepcache=1
plugins=0
reposdir=/nonexistent
`

func (d dnf) configure(u *updates) error {
	if err := os.MkdirAll(d.path(d.name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(d.path(d.name, "dnf.conf"), []byte(dnfOptions+repositoryFile(d.universe, u)), 0o644)
}

// args are those of an installation of everything into root.
func (d dnf) args(root, answer string) []string {
	_, version, _ := strings.Cut(release, "-")
	return append([]string{"--quiet", "--config", d.path(d.name, "dnf.conf"), "--setopt=cachedir=" + d.path(d.name, "cache"),
		"--installroot", root, "--releasever", version, answer, "install"}, d.universe.names()...)
}

// resolve finds out what would be installed.
func (d dnf) resolve(ctx context.Context) error {
	_, err := d.run(ctx, "dnf", d.args(d.path(d.name, "root"), "--assumeno")...)
	var failed *commandError
	if errors.As(err, &failed) && strings.Contains(failed.output, "Operation aborted") {
		return nil // by our own answer
	}
	if err == nil {
		err = errors.New("dnf found nothing to install")
	}
	return err
}

// install installs everything into root, signatures checked.
func (d dnf) install(ctx context.Context, root string) error {
	if err := device(root); err != nil {
		return err
	}
	_, err := d.run(ctx, "dnf", d.args(root, "--assumeyes")...)
	return err
}

// device makes /dev/null, without which scriptlets make an ordinary file of that name.
func device(root string) error {
	if err := os.MkdirAll(root+"/dev", 0o755); err != nil {
		return err
	}
	return unix.Mknod(root+"/dev/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3)))
}

// layer is the simplest way from a folder to an image's layer that keeps all processors busy: tar, a
// compressor that uses them all, and both digests that an image needs, on the way.
func (b *bench) layer(ctx context.Context, root, file string, pack []string) (err error) {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	plain, packed := sha256.New(), sha256.New()

	tar := b.command(ctx, "tar", "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "--one-file-system", "--exclude=./dev/*", "-cf", "-", ".")
	packer := b.command(ctx, pack[0], pack[1:]...)
	from, err := tar.StdoutPipe()
	if err != nil {
		return err
	}
	packer.Stdin = io.TeeReader(from, plain)
	packer.Stdout = io.MultiWriter(out, packed)
	if err := tar.Start(); err != nil {
		return err
	}
	err = packer.Run()
	if err := errors.Join(err, tar.Wait()); err != nil {
		return fmt.Errorf("packing %s: %w", root, err)
	}
	digests := hex.EncodeToString(plain.Sum(nil)) + "\n" + hex.EncodeToString(packed.Sum(nil)) + "\n"
	return os.WriteFile(file+".digests", []byte(digests), 0o644)
}

// compressor is pigz, which uses all processors, or else gzip.
func compressor() string {
	if _, err := exec.LookPath("pigz"); err == nil {
		return "pigz"
	}
	return "gzip"
}

func fileBytes(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
