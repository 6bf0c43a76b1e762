package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// stageDir is covered by a tmpfs in which the root filesystem is put together.
// It only has to exist on every host: the tmpfs is in the sandbox's own mount
// namespace, and every path of the host that is needed has been opened before.
const stageDir = "/tmp"

const (
	skeletonDir = stageDir + "/skeleton"
	filesDir    = stageDir + "/files"
	changesDir  = stageDir + "/changes"
	rootDir     = stageDir + "/root"
)

// hostFiles are the open files of the host that the root filesystem needs.
type hostFiles struct {
	lower   []int
	upper   []int // the upper and the work directory, or none
	mounts  []int // 0 where there is no source
	devices []int
}

func openHostFiles(o *order) (h hostFiles, err error) {
	if h.lower, err = openPaths(o.Lower); err != nil {
		return h, err
	}
	if o.Upper != "" {
		if h.upper, err = openPaths([]string{o.Upper, o.Work}); err != nil {
			return h, err
		}
	}
	sources := make([]string, len(o.Mounts))
	for i, m := range o.Mounts {
		sources[i] = m.Source
	}
	if h.mounts, err = openPaths(sources); err != nil {
		return h, err
	}
	h.devices, err = openPaths(devices)
	return h, err
}

// enterRoot makes the root filesystem and makes it the process's root; nothing
// of the host's remains visible.
func enterRoot(o *order) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	host, err := openHostFiles(o)
	if err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", stageDir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return fmt.Errorf("mounting a tmpfs: %w", err)
	}
	if err := makeSkeleton(o, host); err != nil {
		return err
	}
	if err := mountOverlay(o, host); err != nil {
		return err
	}
	root, err := openPath(rootDir)
	if err != nil {
		return err
	}
	defer unix.Close(root)
	if err := fillRoot(o, host, root); err != nil {
		return err
	}
	return pivot(root)
}

// makeSkeleton makes a lowest layer that has every mount target. So mounting
// makes nothing in the root filesystem, which would come out as a change.
func makeSkeleton(o *order, host hostFiles) error {
	for _, dir := range []string{skeletonDir, filesDir, changesDir, rootDir} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	skeleton, err := openPath(skeletonDir)
	if err != nil {
		return err
	}
	defer unix.Close(skeleton)
	add := func(name string, dir bool) error {
		fd, err := makeInside(skeleton, name, dir)
		if err != nil {
			return fmt.Errorf("making mount target %s: %w", name, err)
		}
		return unix.Close(fd)
	}
	for _, name := range []string{"/proc", "/dev", "/sys", "/tmp"} {
		if err := add(name, true); err != nil {
			return err
		}
	}
	for i, m := range o.Mounts {
		dir, err := isDir(host.mounts[i])
		if err != nil {
			return err
		}
		if err := add(m.Target, dir || m.Source == ""); err != nil {
			return err
		}
	}
	for _, f := range o.Files {
		if err := add(f.Path, false); err != nil {
			return err
		}
	}
	return nil
}

// mountOverlay stacks the lower directories and the upper one at rootDir.
//
// The options of an overlay mount have to fit into a page. With the process in
// /proc/self/fd each directory is named by its few digits, and even overlayfs's
// own limit of 500 lower directories fits, on every kernel.
func mountOverlay(o *order, host hostFiles) error {
	upper := host.upper
	if len(upper) == 0 && !o.ReadOnly {
		var err error
		if upper, err = memoryUpper(o, host); err != nil {
			return err
		}
	}
	skeleton, err := openPath(skeletonDir)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(host.lower)+1)
	for _, fd := range append(host.lower[:len(host.lower):len(host.lower)], skeleton) {
		names = append(names, strconv.Itoa(fd))
	}
	options := "userxattr,lowerdir=" + strings.Join(names, ":")
	if len(upper) > 0 {
		// volatile: what a sandbox leaves is read at once or thrown away, so
		// nothing in it has to wait for the disk.
		options += fmt.Sprintf(",volatile,upperdir=%d,workdir=%d", upper[0], upper[1])
	}
	if err := os.Chdir("/proc/self/fd"); err != nil {
		return err
	}
	err = unix.Mount("overlay", rootDir, "overlay", unix.MS_NOSUID|unix.MS_NODEV, options)
	if err != nil {
		return fmt.Errorf("mounting the overlay of %d directories: %w%s", len(names)-1, err, overlayHint(err, o))
	}
	return os.Chdir("/")
}

func overlayHint(err error, o *order) string {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.ENODEV):
		return " (this kernel does not allow overlay mounts in user namespaces; Linux 5.13 or later does)"
	case errors.Is(err, unix.EINVAL) && o.Upper != "":
		return " (" + o.Upper + " may itself be on an overlay file system, as in a container: choose a directory on another one)"
	}
	return ""
}

// memoryUpper makes the upper and work directories in a tmpfs.
func memoryUpper(o *order, host hostFiles) ([]int, error) {
	options := strings.Join(tmpfsOptions("0755", o.Disk), ",")
	if err := unix.Mount("tmpfs", changesDir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return nil, fmt.Errorf("mounting a tmpfs for changes: %w", err)
	}
	upper, work := changesDir+"/upper", changesDir+"/work"
	if err := makeUpper(upper, work, fdPath(host.lower[0])); err != nil {
		return nil, err
	}
	return openPaths([]string{upper, work})
}

// fillRoot mounts into the root filesystem.
func fillRoot(o *order, host hostFiles, root int) error {
	if err := mountProc(o, root); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	if err := mountDev(o, host, root); err != nil {
		return fmt.Errorf("making /dev: %w", err)
	}
	if err := mountTmpfs(root, "/sys", "0555", 4096, true); err != nil {
		return err
	}
	if err := mountTmpfs(root, "/tmp", "1777", o.Disk, false); err != nil {
		return err
	}
	for i, m := range o.Mounts {
		if err := mountOne(o, m, host.mounts[i], root); err != nil {
			return fmt.Errorf("mounting %s at %s: %w", m.Source, m.Target, err)
		}
	}
	for i, f := range o.Files {
		if err := placeFile(f, i, root); err != nil {
			return fmt.Errorf("placing %s: %w", f.Path, err)
		}
	}
	if o.ReadOnly {
		err := unix.MountSetattr(root, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
		if err != nil {
			return fmt.Errorf("making the root filesystem read-only: %w", err)
		}
	}
	return nil
}

func mountOne(o *order, m Mount, source, root int) error {
	if m.Source == "" {
		return mountTmpfs(root, m.Target, "0755", o.Disk, m.ReadOnly)
	}
	attrs := uint64(unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV)
	if m.ReadOnly {
		attrs |= unix.MOUNT_ATTR_RDONLY
	}
	dir, err := isDir(source)
	if err != nil {
		return err
	}
	return bind(source, root, m.Target, dir, attrs)
}

// bind mounts the open file or directory source at target inside root.
func bind(source, root int, target string, dir bool, attrs uint64) error {
	tree, err := openTree(source, "", attrs)
	if err != nil {
		return err
	}
	fd, err := makeInside(root, target, dir)
	if err != nil {
		unix.Close(tree)
		return err
	}
	return attach(tree, fd)
}

func mountTmpfs(root int, target, mode string, size int64, readOnly bool) error {
	attrs := unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
	if readOnly {
		attrs |= unix.MOUNT_ATTR_RDONLY
	}
	tree, err := newMount("tmpfs", tmpfsOptions(mode, size), attrs)
	if err != nil {
		return err
	}
	fd, err := makeInside(root, target, true)
	if err != nil {
		unix.Close(tree)
		return err
	}
	return attach(tree, fd)
}

// tmpfsOptions limits a tmpfs to size bytes and as many files as it has pages (a
// few more where it is tiny): empty files use none of its size, but the kernel's
// memory (tmpfs(5)).
func tmpfsOptions(mode string, size int64) []string {
	const page, fewFiles = 4096, 256
	return []string{"mode=" + mode, fmt.Sprintf("size=%d", size), fmt.Sprintf("nr_inodes=%d", max(size/page, fewFiles))}
}

// placeFile writes f to the staging tmpfs and mounts it over the root's.
func placeFile(f File, i, root int) error {
	name := path.Join(filesDir, strconv.Itoa(i))
	if err := os.WriteFile(name, f.Content, 0o600); err != nil {
		return err
	}
	if err := os.Chmod(name, f.Mode.Perm()); err != nil {
		return err
	}
	source, err := openPath(name)
	if err != nil {
		return err
	}
	defer unix.Close(source)
	return bind(source, root, f.Path, false, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
}

// pivot makes root the root of the mount namespace and forgets the old one.
func pivot(root int) error {
	if err := unix.Fchdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("changing the root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leaving the old root: %w", err)
	}
	return os.Chdir("/")
}
