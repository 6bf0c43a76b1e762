package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The names under which the running program is executed again.
const (
	mapName   = "slipway-sandbox-map"   // waits until its ids are mapped
	sealName  = "slipway-sandbox-seal"  // makes its own executable read-only
	initName  = "slipway-sandbox-init"  // process 1
	limitName = "slipway-sandbox-limit" // sets resource limits, then runs the command
)

// Main takes over when the running process was started as a sandbox's first
// process, and then never returns; otherwise it does nothing. Call it before
// anything else in main and in TestMain.
func Main() {
	if len(os.Args) == 0 {
		return
	}
	var err error
	switch os.Args[0] {
	case mapName:
		err = awaitMapping()
	case sealName:
		err = seal()
	case initName:
		runtime.LockOSThread()
		err = runInit()
	case limitName:
		err = runLimited()
	default:
		return
	}
	// Only what went wrong before there was somebody to tell comes here.
	fmt.Fprintln(os.Stderr, "slipway sandbox:", err)
	os.Exit(125)
}

// awaitMapping waits for the byte that says that the ids of this process's user
// namespace are mapped. Executing again gives it the capabilities of root there.
func awaitMapping() error {
	var b [1]byte
	if n, err := syscall.Read(controlFD, b[:]); err != nil || n != 1 {
		return fmt.Errorf("waiting for the id mapping: %w", err)
	}
	return syscall.Exec("/proc/self/exe", []string{sealName}, os.Environ())
}

// seal executes the program again from a read-only mount of it, so that nothing
// inside can open /proc/self/exe for writing and change the host's program.
func seal() error {
	fd, err := sealedExecutable()
	if err != nil {
		return err
	}
	return syscall.Exec(fdPath(fd), []string{initName}, os.Environ())
}

// sealedExecutable opens the running program through a read-only mount that is
// attached nowhere. It needs CAP_SYS_ADMIN.
func sealedExecutable() (fd int, err error) {
	tree, err := openTree(unix.AT_FDCWD, "/proc/self/exe", unix.MOUNT_ATTR_RDONLY)
	if err != nil {
		return -1, fmt.Errorf("mounting the program read-only: %w", err)
	}
	defer unix.Close(tree)
	// A number that starting a process moves no file to.
	fd, err = unix.FcntlInt(uintptr(tree), unix.F_DUPFD_CLOEXEC, 200)
	if err != nil {
		return -1, fmt.Errorf("mounting the program read-only: %w", err)
	}
	return fd, nil
}

// runLimited is started as "limitName resource=value,… program arguments…": it
// limits itself and becomes the program.
func runLimited() error {
	if len(os.Args) < 3 {
		return fmt.Errorf("setting resource limits: incomplete arguments")
	}
	for _, field := range strings.Split(os.Args[1], ",") {
		name, value, _ := strings.Cut(field, "=")
		resource, err := strconv.Atoi(name)
		if err != nil {
			return fmt.Errorf("setting resource limits: %w", err)
		}
		limit, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return fmt.Errorf("setting resource limits: %w", err)
		}
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return fmt.Errorf("setting resource limit %d: %w", resource, err)
		}
	}
	err := syscall.Exec(os.Args[2], os.Args[2:], os.Environ())
	return fmt.Errorf("executing %s: %w", os.Args[2], err)
}

// limitArgs are the arguments that make runLimited run args.
func limitArgs(limits []rlimit, args []string) []string {
	fields := make([]string, len(limits))
	for i, l := range limits {
		fields[i] = fmt.Sprintf("%d=%d", l.Resource, l.Value)
	}
	return append([]string{limitName, strings.Join(fields, ",")}, args...)
}

func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
