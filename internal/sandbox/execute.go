package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// execute starts the command in the root filesystem that the process is in.
func execute(o *order) (pid int, err error) {
	who, err := identify(o)
	if err != nil {
		return 0, err
	}
	env := o.Env
	if _, ok := lookupEnv(env, "PATH"); !ok {
		env = append(env, "PATH="+defaultPath)
	}
	if _, ok := lookupEnv(env, "HOME"); !ok {
		env = append(env, "HOME="+who.home)
	}
	search, _ := lookupEnv(env, "PATH")
	program := "/proc/self/exe" // sealed, as process 1's own
	if !o.Helper {
		if program, err = findProgram(o.Args[0], search); err != nil {
			return 0, err
		}
	}
	if err := setResources(); err != nil {
		return 0, err
	}
	for _, fd := range o.TaskFDs {
		if _, err := unix.Write(fd, []byte("0")); err != nil {
			return 0, fmt.Errorf("entering the control group: %w", err)
		}
	}
	restore, err := lowerLimits(o.Rlimits)
	if err != nil {
		return 0, err
	}
	defer restore()
	if err := confine(o.Rlimits); err != nil {
		return 0, err
	}
	pid, err = syscall.ForkExec(program, o.Args, &syscall.ProcAttr{
		Dir:   o.Dir,
		Env:   env,
		Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{
			Setsid:      true,
			Credential:  who.credential(o.IDs),
			UseCgroupFD: o.CgroupFD != 0,
			CgroupFD:    o.CgroupFD,
		},
	})
	if err != nil && o.Helper {
		return 0, fmt.Errorf("executing this program inside, where it finds no loader; it has to be built with CGO_ENABLED=0: %w", err)
	}
	if err != nil {
		return 0, executeError(o, program, err)
	}
	return pid, nil
}

// setResources sets what the command inherits from process 1 itself.
func setResources() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("hiding process 1: %w", err)
	}
	none := syscall.Rlimit{}
	if err := syscall.Setrlimit(unix.RLIMIT_CORE, &none); err != nil {
		return fmt.Errorf("forbidding core dumps: %w", err)
	}
	return nil
}

// lowerLimits sets soft limits of process 1 for the command to inherit, until
// restore. Hard limits could not be raised again, and process 1 itself must go on
// having threads and memory; instead the system call filter keeps the command
// from raising the soft ones.
func lowerLimits(limits []rlimit) (restore func(), err error) {
	var before []syscall.Rlimit
	restore = func() {
		done := make(chan struct{})
		go func() { // on another thread: this one may be confined by now
			defer close(done)
			for i, old := range before {
				_ = syscall.Setrlimit(limits[i].Resource, &old) // raising a soft limit to the hard one can't fail
			}
		}()
		<-done
	}
	for _, l := range limits {
		var old syscall.Rlimit
		if err := syscall.Getrlimit(l.Resource, &old); err != nil {
			restore()
			return nil, fmt.Errorf("reading resource limit %d: %w", l.Resource, err)
		}
		if err := syscall.Setrlimit(l.Resource, &syscall.Rlimit{Cur: min(l.Value, old.Max), Max: old.Max}); err != nil {
			restore()
			return nil, fmt.Errorf("setting resource limit %d: %w", l.Resource, err)
		}
		before = append(before, old)
	}
	return restore, nil
}

// executeError finds out which of the things that execve needs was not there.
func executeError(o *order, program string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		if info, statErr := os.Stat(o.Dir); statErr != nil || !info.IsDir() {
			return fmt.Errorf("working directory %q: %w", o.Dir, err)
		}
		if _, statErr := os.Stat(program); statErr == nil {
			return fmt.Errorf("executing %q: its interpreter or loader: %w", program, err)
		}
	}
	if errors.Is(err, syscall.ENOEXEC) {
		return fmt.Errorf("executing %q: %w (is it built for this architecture?)", program, err)
	}
	return fmt.Errorf("executing %q: %w", program, err)
}

// findProgram looks a program up in the directories of search, as execvp(3) does.
func findProgram(name, search string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range strings.Split(search, ":") {
		if dir == "" {
			dir = "."
		}
		candidate := path.Join(dir, name)
		info, err := os.Stat(candidate)
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("looking for %q in %q: %w", name, search, syscall.ENOENT)
}

// lookupEnv returns the last value of a variable, which is the one that counts.
func lookupEnv(env []string, name string) (string, bool) {
	for _, e := range slices.Backward(env) {
		if n, value, ok := strings.Cut(e, "="); ok && n == name {
			return value, true
		}
	}
	return "", false
}
