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

// execute starts the command in the root filesystem that the process is in, with files as its
// standard input, output and error. It may be called again for another command of the order.
func execute(o *order, files []uintptr) (pid int, err error) {
	who, err := identify(o)
	if err != nil {
		return 0, err
	}
	env := slices.Clip(o.Env)
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
	if err := o.confineThread(); err != nil {
		return 0, err
	}
	restore, err := lowerLimits(o.Rlimits)
	if err != nil {
		return 0, err
	}
	defer restore()
	pid, err = syscall.ForkExec(program, o.Args, &syscall.ProcAttr{
		Dir:   o.Dir,
		Env:   env,
		Files: files,
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

// confineThread makes the calling thread, which must be locked, one that commands may be started from.
func (o *order) confineThread() error {
	if o.confined {
		return nil
	}
	if err := setResources(); err != nil {
		return err
	}
	for _, fd := range o.TaskFDs {
		if _, err := unix.Write(fd, []byte("0")); err != nil {
			return fmt.Errorf("entering the control group: %w", err)
		}
	}
	if err := confine(o.Rlimits); err != nil {
		return err
	}
	o.confined = true
	return nil
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
		elsewhere(func() {
			for i, old := range before {
				_ = syscall.Setrlimit(limits[i].Resource, &old) // raising a soft limit to the hard one can't fail
			}
		})
	}
	elsewhere(func() {
		for _, l := range limits {
			var old syscall.Rlimit
			if err = syscall.Getrlimit(l.Resource, &old); err != nil {
				err = fmt.Errorf("reading resource limit %d: %w", l.Resource, err)
				return
			}
			if err = syscall.Setrlimit(l.Resource, &syscall.Rlimit{Cur: min(l.Value, old.Max), Max: old.Max}); err != nil {
				err = fmt.Errorf("setting resource limit %d: %w", l.Resource, err)
				return
			}
			before = append(before, old)
		}
	})
	if err != nil {
		restore()
		return nil, err
	}
	return restore, nil
}

// elsewhere calls f on another thread than the caller's, which is locked and confined.
func elsewhere(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
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
