package debian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Apt asks the system's apt for packages as if none were installed. It uses the
// system's package lists and sources, and writes only below Dir, so that it
// needs no privileges.
type Apt struct {
	Dir string // a folder of our own
}

// Archive is a package file that apt knows where to get.
type Archive struct {
	File   string // base name
	Size   int64  // bytes
	SHA256 string // hex
}

// Closure gives the archives of the packages and of all that they depend on,
// recommendations left out, in apt's order of installation.
func (a Apt) Closure(ctx context.Context, packages []string) ([]Archive, error) {
	// With an archive folder that stays empty, apt names every file.
	none := filepath.Join(a.Dir, "none")
	if err := a.prepare(none); err != nil {
		return nil, err
	}
	out, err := a.run(ctx, none, append([]string{"--print-uris", "install"}, packages...))
	if err != nil {
		return nil, fmt.Errorf("resolving the packages: %w", err)
	}
	archives, err := parseURIs(string(out))
	if err != nil {
		return nil, fmt.Errorf("resolving the packages: %w", err)
	}
	return archives, nil
}

// Download gets the archives that are not in Dir yet, checks all, and returns
// their paths in the order of the archives. packages are those that the closure
// was made of.
func (a Apt) Download(ctx context.Context, packages []string, archives []Archive) ([]string, error) {
	folder := filepath.Join(a.Dir, "archives")
	if err := a.prepare(folder); err != nil {
		return nil, err
	}
	unlock, err := a.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	paths := make([]string, len(archives))
	missing := 0
	for i, archive := range archives {
		paths[i] = filepath.Join(folder, archive.File)
		err := archive.check(paths[i])
		if err == nil {
			continue
		}
		missing++
		if !errors.Is(err, fs.ErrNotExist) {
			// apt would trust the size alone.
			if err := os.Remove(paths[i]); err != nil {
				return nil, fmt.Errorf("removing a damaged download: %w", err)
			}
		}
	}
	if missing == 0 {
		return paths, nil
	}
	if _, err := a.run(ctx, folder, append([]string{"--download-only", "install"}, packages...)); err != nil {
		return nil, fmt.Errorf("downloading %d packages: %w", missing, err)
	}
	for i, archive := range archives {
		if err := archive.check(paths[i]); err != nil {
			return nil, fmt.Errorf("downloading packages: %w", err)
		}
	}
	return paths, nil
}

// lock keeps other processes from downloading into the same folder meanwhile; the
// system's own lock is not ours to take.
func (a Apt) lock(ctx context.Context) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(a.Dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking apt's folder: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking apt's folder: %w", err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (a Apt) prepare(archives string) error {
	if err := os.MkdirAll(filepath.Join(archives, "partial"), 0o755); err != nil {
		return fmt.Errorf("preparing apt's folder: %w", err)
	}
	if err := os.WriteFile(a.status(), nil, 0o644); err != nil {
		return fmt.Errorf("preparing apt's folder: %w", err)
	}
	return nil
}

// status is dpkg's record of installed packages: an empty file.
func (a Apt) status() string { return filepath.Join(a.Dir, "status") }

func (a Apt) run(ctx context.Context, archives string, args []string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "apt-get", append([]string{
		"-o", "Dir::State::status=" + a.status(),
		"-o", "Dir::Cache=" + a.Dir,
		"-o", "Dir::Cache::archives=" + archives,
		"-o", "Acquire::ForceHash=SHA256",
		"-o", "Acquire::Retries=3",
		"-o", "APT::Install-Recommends=false",
		"-o", "APT::Sandbox::User=", // the folder need not be readable for apt's own user
		"-o", "Debug::NoLocking=true",
		"-qq", "-y",
	}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err == nil {
		return stdout.Bytes(), nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("apt-get is not installed: the universe is made from Debian packages, so this needs Debian or Ubuntu")
	}
	message := strings.TrimSpace(stderr.String())
	if strings.Contains(message, "Unable to locate package") || strings.Contains(message, "has no installation candidate") {
		return nil, fmt.Errorf("apt-get: %s\nrun 'apt-get update' as root to get the package lists, then try again", message)
	}
	return nil, fmt.Errorf("apt-get: %w: %s", err, message)
}

// parseURIs reads lines of the form 'URI' FILE SIZE SHA256:HEX.
func parseURIs(out string) ([]Archive, error) {
	var archives []Archive
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "'") {
			continue
		}
		hash, ok := strings.CutPrefix(fields[3], "SHA256:")
		size, err := strconv.ParseInt(fields[2], 10, 64)
		if !ok || len(hash) != hex.EncodedLen(sha256.Size) || err != nil || filepath.Base(fields[1]) != fields[1] {
			return nil, fmt.Errorf("apt-get printed a line that is not URI FILE SIZE SHA256: %q", strings.TrimSpace(line))
		}
		archives = append(archives, Archive{File: fields[1], Size: size, SHA256: hash})
	}
	if len(archives) == 0 {
		return nil, errors.New("apt-get named no package: run 'apt-get update' as root, then try again")
	}
	return archives, nil
}

// check says whether the file is the archive.
func (a Archive) check(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	if n != a.Size || hex.EncodeToString(h.Sum(nil)) != a.SHA256 {
		return fmt.Errorf("%s is not what the package list promises (%d bytes, sha256 %s): it has %d bytes", path, a.Size, a.SHA256, n)
	}
	return nil
}
