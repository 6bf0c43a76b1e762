package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Mounts are made with the file descriptor interface of Linux 5.12 and later:
// sources and targets are opened first and then named by descriptor, so nobody
// can exchange a path between a check and its use, and no path needs escaping.

// openTree clones the mount tree at name below dir (or at dir itself when name is
// empty) with further attributes (unix.MOUNT_ATTR_*) set on all of it.
func openTree(dir int, name string, attrs uint64) (int, error) {
	flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_RECURSIVE)
	if name == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	tree, err := unix.OpenTree(dir, name, flags)
	if err != nil {
		return -1, fmt.Errorf("opening the mount: %w", err)
	}
	err = unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: attrs})
	if err != nil {
		unix.Close(tree)
		return -1, fmt.Errorf("setting mount attributes: %w", err)
	}
	return tree, nil
}

// newMount makes an unattached mount of a new file system.
func newMount(fstype string, options []string, attrs int) (int, error) {
	fs, err := unix.Fsopen(fstype, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("opening file system %s: %w", fstype, err)
	}
	defer unix.Close(fs)
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		if err := unix.FsconfigSetString(fs, name, value); err != nil {
			return -1, fmt.Errorf("setting option %s of %s: %w", option, fstype, err)
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, fmt.Errorf("making file system %s: %w", fstype, err)
	}
	tree, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, attrs)
	if err != nil {
		return -1, fmt.Errorf("mounting file system %s: %w", fstype, err)
	}
	return tree, nil
}

// attach moves an unattached mount to the open file target and closes both.
func attach(tree, target int) error {
	defer unix.Close(tree)
	defer unix.Close(target)
	err := unix.MoveMount(tree, "", target, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("attaching the mount: %w", err)
	}
	return nil
}

// openInside opens name, an absolute path inside root, for use as a mount
// target or source. Symbolic links never lead out of root.
func openInside(root int, name string) (int, error) {
	return openat2(root, name, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
}

// openat2 is openat2(2), tried again where the kernel asks for it: it cannot vouch for a ".." on the
// way while anything on the machine is being renamed or mounted.
func openat2(root int, name string, how *unix.OpenHow) (fd int, err error) {
	for range 1000 {
		if fd, err = unix.Openat2(root, name, how); !errors.Is(err, unix.EAGAIN) {
			break
		}
	}
	return fd, err
}

// makeInside is openInside of a directory or file that is made, with the
// directories above it, when it is missing.
func makeInside(root int, name string, dir bool) (int, error) {
	fd, err := openInside(root, name)
	if !errors.Is(err, unix.ENOENT) {
		return fd, err
	}
	parent, err := makeInside(root, path.Dir(name), true)
	if err != nil {
		return -1, err
	}
	defer unix.Close(parent)
	if dir {
		err = unix.Mkdirat(parent, path.Base(name), 0o755)
	} else {
		err = unix.Mknodat(parent, path.Base(name), unix.S_IFREG|0o644, 0)
	}
	if errors.Is(err, unix.EEXIST) && !dir {
		// A symbolic link to nothing, as images have for what a service makes: the
		// mount takes the link's place.
		return unix.Openat(parent, path.Base(name), unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	}
	if errors.Is(err, unix.EEXIST) {
		return -1, fmt.Errorf("%s is a symbolic link to nothing", name)
	}
	if err != nil {
		return -1, fmt.Errorf("making %s: %w", name, err)
	}
	return openInside(root, name)
}

// openPath opens a path of the host for use in a mount.
func openPath(name string) (int, error) {
	fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return fd, nil
}

// isDir reports whether an open file is a directory.
func isDir(fd int) (bool, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, err
	}
	return st.Mode&unix.S_IFMT == unix.S_IFDIR, nil
}

// openPaths opens paths of the host for use in mounts; 0 stands for an empty one.
func openPaths(names []string) ([]int, error) {
	fds := make([]int, len(names))
	for i, name := range names {
		if name == "" {
			continue
		}
		fd, err := openPath(name)
		if err != nil {
			return nil, err
		}
		fds[i] = fd
	}
	return fds, nil
}
