package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The names under which the running program is executed again.
const (
	mapName  = "slipway-sandbox-map"  // waits until its ids are mapped
	sealName = "slipway-sandbox-seal" // makes its own executable read-only
	initName = "slipway-sandbox-init" // process 1
)

// Main takes over when the running process was started as a sandbox's first
// process or as a Helper, and then never returns; otherwise it does nothing.
// Call it before anything else in main and in TestMain.
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
	default:
		runHelper()
		return
	}
	code := 0
	if err != nil { // and nobody could be told
		fmt.Fprintln(os.Stderr, "slipway sandbox:", err)
		code = 125
	}
	os.Exit(code) //nolint:forbidigo // this is the main of another program
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

// seal executes the program again in a way that nothing inside can open
// /proc/self/exe for writing, and so change the host's program.
func seal() error {
	fd, err := sealedMount()
	if err != nil {
		// The program may have been replaced or removed since it was started.
		fd, err = sealedCopy()
	}
	if err != nil {
		return err
	}
	return syscall.Exec(fdPath(fd), []string{initName}, os.Environ())
}

// sealedMount opens the running program through a read-only mount of it, which is
// attached nowhere. It needs CAP_SYS_ADMIN, and the program's file to be where it
// was: the mount that the program was executed from may be of another namespace.
func sealedMount() (fd int, err error) {
	const self = "/proc/self/exe"
	name, err := os.Readlink(self)
	if err != nil {
		return -1, fmt.Errorf("mounting the program read-only: %w", err)
	}
	tree, err := openTree(unix.AT_FDCWD, name, unix.MOUNT_ATTR_RDONLY)
	if err != nil {
		return -1, fmt.Errorf("mounting the program read-only: %w", err)
	}
	defer unix.Close(tree)
	var mounted, running unix.Stat_t
	if err := errors.Join(unix.Fstat(tree, &mounted), unix.Stat(self, &running)); err != nil {
		return -1, fmt.Errorf("mounting the program read-only: %w", err)
	}
	if mounted.Dev != running.Dev || mounted.Ino != running.Ino {
		return -1, fmt.Errorf("mounting the program read-only: %s is another one now", name)
	}
	return highFD(tree)
}

// sealedCopy copies the running program to memory that cannot be written to.
func sealedCopy() (fd int, err error) {
	fd, err = unix.MemfdCreate("slipway", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1, fmt.Errorf("copying the program: %w", err)
	}
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		return -1, fmt.Errorf("copying the program: %w", err)
	}
	defer program.Close()
	sealed := os.NewFile(uintptr(fd), "program")
	defer sealed.Close()
	if _, err := io.Copy(sealed, program); err != nil {
		return -1, fmt.Errorf("copying the program: %w", err)
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return -1, fmt.Errorf("copying the program: %w", err)
	}
	return highFD(fd)
}

// highFD duplicates a descriptor to a number that starting a process moves no
// other file to.
func highFD(fd int) (int, error) {
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 200)
	if err != nil {
		return -1, fmt.Errorf("duplicating a descriptor: %w", err)
	}
	return high, nil
}

func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
