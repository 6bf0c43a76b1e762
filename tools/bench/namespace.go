package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// insideVariable tells the program that it runs in a mount namespace of its own already.
const insideVariable = "SLIPWAY_BENCH_NAMESPACE"

// enterNamespace starts the program over in a mount namespace of its own, so that the kernel takes
// all mounts away when its last process ends. Other users than root mount nothing and stay where
// they are.
func enterNamespace() error {
	if os.Getuid() != 0 || os.Getenv(insideVariable) != "" {
		return nil
	}
	// The namespace is the thread's; it becomes the process's with exec.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return nil // a container without the right to mount: it works in a folder
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return fmt.Errorf("starting over in a mount namespace: %w",
		syscall.Exec(self, os.Args, append(os.Environ(), insideVariable+"=1")))
}

// canMount says whether mounts are ours alone.
func canMount() bool { return os.Getenv(insideVariable) != "" }

// mountTmpfs mounts a tmpfs of at most that many bytes.
func mountTmpfs(dir string, size int64) error {
	return unix.Mount("bench", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0755", size))
}

// unmount takes away all mounts at a folder, and those below with them.
func unmount(dir string) error {
	err := unix.Unmount(dir, unix.MNT_DETACH)
	if errors.Is(err, unix.EINVAL) { // nothing is mounted there
		return nil
	}
	return err
}

// fileSystem names the file system of a folder.
func fileSystem(dir string) (string, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "", fmt.Errorf("looking at the file system of %s: %w", dir, err)
	}
	switch st.Type {
	case unix.TMPFS_MAGIC:
		return "tmpfs", nil
	case unix.EXT4_SUPER_MAGIC:
		return "ext4", nil
	case unix.XFS_SUPER_MAGIC:
		return "xfs", nil
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs", nil
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay", nil
	}
	return fmt.Sprintf("file system %#x", st.Type), nil
}

// unmountBelow takes away all mounts at and below a folder, the innermost first.
func unmountBelow(dir string) error {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var errs []error
	for _, line := range slices.Backward(strings.Split(string(data), "\n")) {
		fields := strings.Fields(line)
		if len(fields) > 4 && (fields[4] == dir || strings.HasPrefix(fields[4], dir+"/")) {
			errs = append(errs, unmount(fields[4]))
		}
	}
	return errors.Join(errs...)
}
