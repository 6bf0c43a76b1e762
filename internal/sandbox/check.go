package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// order checks a Spec and turns it into what process 1 gets. Paths of the host
// become absolute.
func (s *Spec) order() (*order, error) {
	o := &order{
		ReadOnly: s.ReadOnly, Args: s.Args, Env: s.Env, Dir: path.Join("/", s.Dir),
		User: s.User, UID: s.UID, GID: s.GID, Groups: s.Groups,
		Hostname: s.Hostname, Network: s.Network, Disk: s.Limits.Disk, Session: s.session != nil,
	}
	if s.Helper != nil {
		o.Helper = true
		o.Args = append([]string{s.Helper.name}, s.Args...)
	}
	if o.Hostname == "" {
		o.Hostname = "sandbox"
	}
	if o.Disk <= 0 {
		o.Disk = DefaultDisk
	}
	switch {
	case (len(o.Args) == 0 || o.Args[0] == "") && !s.probe && s.session == nil:
		return nil, errors.New("no command")
	case len(s.Lower) == 0:
		return nil, errors.New("no root filesystem")
	case len(s.Lower) > maxLower:
		return nil, fmt.Errorf("a root filesystem of %d directories: at most %d can be stacked", len(s.Lower), maxLower)
	case s.ReadOnly && s.Upper != "":
		return nil, errors.New("a read-only root filesystem with a directory for changes")
	}
	for _, text := range append(append([]string{s.User, s.Hostname}, s.Args...), s.Env...) {
		if strings.ContainsRune(text, 0) {
			return nil, fmt.Errorf("argument %q contains a zero byte", text)
		}
	}
	for _, dir := range s.Lower {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return nil, err
		}
		o.Lower = append(o.Lower, abs)
	}
	if s.Upper != "" {
		abs, err := filepath.Abs(s.Upper)
		if err != nil {
			return nil, err
		}
		o.Upper, o.Work = abs, abs+".work"
	}
	if err := s.checkForwards(); err != nil {
		return nil, err
	}
	for _, m := range s.Mounts {
		if m.Source != "" {
			abs, err := filepath.Abs(m.Source)
			if err != nil {
				return nil, err
			}
			m.Source = abs
		}
		if err := checkTarget(m.Target); err != nil {
			return nil, err
		}
		m.Target = path.Clean(m.Target)
		o.Mounts = append(o.Mounts, m)
	}
	for _, f := range s.Files {
		if err := checkTarget(f.Path); err != nil {
			return nil, err
		}
		f.Path = path.Clean(f.Path)
		if f.Mode == 0 {
			f.Mode = 0o644
		}
		o.Files = append(o.Files, f)
	}
	return o, nil
}

// maxLower is overlayfs's limit of 500, less the sandbox's own layer.
const maxLower = 499

func (s *Spec) checkForwards() error {
	if len(s.Forwards) > 0 && s.Network != NetworkNone {
		return errors.New("forwards on the host's network")
	}
	for _, f := range s.Forwards {
		if f.Port < 1 || f.Port > 65535 {
			return fmt.Errorf("forwarding %s: %d is no port", f.Socket, f.Port)
		}
		address, err := netip.ParseAddr(f.Address)
		if f.Direction == Outward && (err != nil || !OutwardNet.Contains(address)) {
			return fmt.Errorf("forwarding %s: %q is no address of %v", f.Socket, f.Address, OutwardNet)
		}
	}
	return nil
}

func checkTarget(name string) error {
	if !path.IsAbs(name) || path.Clean(name) == "/" || strings.ContainsRune(name, 0) {
		return fmt.Errorf("%q is not an absolute path below the root", name)
	}
	return nil
}

// makeUpper makes the upper directory, if absent, and an empty work directory.
// The upper one's mode and owner are what the root directory has inside.
func makeUpper(upper, work, lower string) error {
	var st unix.Stat_t
	if err := unix.Stat(lower, &st); err != nil {
		return &os.PathError{Op: "stat", Path: lower, Err: err}
	}
	if err := os.MkdirAll(upper, 0o755); err != nil {
		return fmt.Errorf("making the directory for changes: %w", err)
	}
	// Work directories remember that an earlier mount was volatile, and what it
	// left there is of no use.
	if err := removeWork(work); err != nil {
		return err
	}
	if err := os.Mkdir(work, 0o755); err != nil {
		return fmt.Errorf("making the work directory: %w", err)
	}
	if err := os.Chmod(upper, os.FileMode(st.Mode&0o777)); err != nil {
		return fmt.Errorf("preparing the directory for changes: %w", err)
	}
	if os.Geteuid() != 0 {
		return nil // the owner inside is root already
	}
	if err := os.Chown(upper, int(st.Uid), int(st.Gid)); err != nil {
		return fmt.Errorf("preparing the directory for changes: %w", err)
	}
	return nil
}

// removeWork removes overlayfs's work directory. The directories that the kernel
// makes in it have no permissions at all, which stops everybody but root.
func removeWork(work string) error {
	err := filepath.WalkDir(work, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && entry.IsDir() {
			return os.Chmod(name, 0o700)
		}
		return err
	})
	if err = errors.Join(err, os.RemoveAll(work)); err != nil {
		return fmt.Errorf("removing the work directory: %w", err)
	}
	return nil
}
