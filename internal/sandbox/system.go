package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// devices are the host's device nodes that are visible inside. Nodes cannot be
// made in a user namespace, so they are mounted.
var devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"}

// mountDev mounts a /dev with the devices, terminals and shared memory that
// programs expect.
func mountDev(o *order, host hostFiles, root int) error {
	if err := mountTmpfs(root, "/dev", "0755", 1<<20, false); err != nil {
		return err
	}
	for i, name := range devices {
		if err := bind(host.devices[i], root, name, false, unix.MOUNT_ATTR_NOSUID); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := mountPts(o, root); err != nil {
		return err
	}
	if err := mountTmpfs(root, "/dev/shm", "1777", o.Disk, false); err != nil {
		return err
	}
	dev, err := openInside(root, "/dev")
	if err != nil {
		return err
	}
	defer unix.Close(dev)
	for _, link := range [][2]string{
		{"pts/ptmx", "ptmx"},
		{"/proc/self/fd", "fd"},
		{"/proc/self/fd/0", "stdin"},
		{"/proc/self/fd/1", "stdout"},
		{"/proc/self/fd/2", "stderr"},
	} {
		if err := unix.Symlinkat(link[0], dev, link[1]); err != nil {
			return fmt.Errorf("linking %s: %w", link[1], err)
		}
	}
	return nil
}

func mountPts(o *order, root int) error {
	const ttyGroup = 5
	options := []string{"ptmxmode=0666", "mode=0620"}
	if o.IDs > ttyGroup {
		options = append(options, fmt.Sprintf("gid=%d", ttyGroup))
	}
	tree, err := newMount("devpts", options, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return err
	}
	fd, err := makeInside(root, "/dev/pts", true)
	if err != nil {
		unix.Close(tree)
		return err
	}
	return attach(tree, fd)
}

// Root inside may be root outside, and the kernel lets that id, without any
// capability, write to much of /proc. What is not the sandbox's own is hidden or
// read-only.
var (
	hiddenProc = []string{
		"acpi", "dynamic_debug", "kcore", "keys", "kpagecgroup", "kpagecount", "kpageflags", "latency_stats",
		"pagetypeinfo", "sched_debug", "scsi", "slabinfo", "timer_list", "vmallocinfo",
	}
	readOnlyProc = []string{"asound", "bus", "driver", "fs", "irq", "pressure", "sys", "sysrq-trigger", "sysvipc", "tty"}
)

// mountProc mounts a fresh /proc that shows the sandbox's processes alone.
func mountProc(o *order, root int) error {
	const attrs = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC
	tree, err := newMount("proc", nil, attrs)
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%w (parts of the host's own /proc are hidden, as in a container: run that with --security-opt unmask=ALL or --privileged)", err)
	}
	if err != nil {
		return err
	}
	fd, err := makeInside(root, "/proc", true)
	if err != nil {
		unix.Close(tree)
		return err
	}
	if err := attach(tree, fd); err != nil {
		return err
	}
	if err := setSysctls(o, root); err != nil {
		return err
	}
	for _, name := range readOnlyProc {
		if err := coverProc(root, name, false); err != nil {
			return err
		}
	}
	for _, name := range hiddenProc {
		if err := coverProc(root, name, true); err != nil {
			return err
		}
	}
	return nil
}

// setSysctls sets the parameters of the sandbox's own namespaces.
func setSysctls(o *order, root int) error {
	// No further user namespaces: they would give capabilities back.
	if err := writeInside(root, "/proc/sys/user/max_user_namespaces", "0"); err != nil {
		return err
	}
	// What each user inside has of these counts for the starting user as well, who
	// has 128 of the first by default, and other programs that need some.
	for name, value := range map[string]string{"max_inotify_instances": "16", "max_inotify_watches": "16384"} {
		if err := writeInside(root, "/proc/sys/user/"+name, value); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	if o.Network == NetworkHost {
		return nil
	}
	// Every port of the sandbox's own network is free to every user in it.
	return writeInside(root, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0")
}

func writeInside(root int, name, value string) error {
	fd, err := openat2(root, name, &unix.OpenHow{Flags: unix.O_WRONLY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
	if err != nil {
		return &os.PathError{Op: "open", Path: name, Err: err}
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	_, err = f.WriteString(value)
	return err
}

// coverProc makes an entry of /proc read-only, or hides it. Not every kernel has
// every entry.
func coverProc(root int, name string, hide bool) error {
	target := path.Join("/proc", name)
	fd, err := openInside(root, target)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening %s: %w", target, err)
	}
	tree, err := coveringMount(fd, hide)
	if err != nil {
		unix.Close(fd)
		return fmt.Errorf("covering %s: %w", target, err)
	}
	return attach(tree, fd)
}

func coveringMount(fd int, hide bool) (int, error) {
	const attrs = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC
	if !hide {
		return openTree(fd, "", attrs)
	}
	dir, err := isDir(fd)
	if err != nil {
		return -1, err
	}
	if dir {
		return newMount("tmpfs", []string{"mode=0555", "size=4096"}, attrs)
	}
	return openTree(unix.AT_FDCWD, "/dev/null", unix.MOUNT_ATTR_NOSUID)
}
