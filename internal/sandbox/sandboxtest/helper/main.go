// Command helper is the only program in the root filesystems of tests. Its
// arguments are steps, separated by ",": each a name and its arguments. A step
// that fails prints why and ends the program with exit code 1.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	if code := runAll(os.Args[1:]); code != 0 {
		os.Exit(code) //nolint:forbidigo // this is main
	}
}

// exitError ends the program with a code.
type exitError int

func (c exitError) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

func runAll(args []string) int {
	for step := range split(args) {
		err := run(step[0], step[1:])
		var code exitError
		if errors.As(err, &code) {
			return int(code)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "helper:", err)
			return 1
		}
	}
	return 0
}

func split(args []string) func(func([]string) bool) {
	return func(yield func([]string) bool) {
		for len(args) > 0 {
			n := slices.Index(args, ",")
			if n < 0 {
				n = len(args)
			}
			if n > 0 && !yield(args[:n]) {
				return
			}
			args = args[min(n+1, len(args)):]
		}
	}
}

// arg is the n-th argument, empty when it was not given.
func arg(args []string, n int) string {
	if n < len(args) {
		return args[n]
	}
	return ""
}

func number(args []string, n int) int {
	value, _ := strconv.Atoi(arg(args, n))
	return value
}

func run(name string, args []string) error {
	switch name {
	case "echo":
		fmt.Fprintln(os.Stdout, strings.Join(args, " "))
	case "warn":
		fmt.Fprintln(os.Stderr, strings.Join(args, " "))
	case "env":
		fmt.Fprintln(os.Stdout, strings.Join(os.Environ(), "\n"))
	case "pwd":
		dir, err := os.Getwd()
		fmt.Fprintln(os.Stdout, dir)
		return err
	case "id":
		groups, err := os.Getgroups()
		fmt.Fprintln(os.Stdout, os.Getuid(), os.Getgid(), groups)
		return err
	case "exit":
		return exitError(number(args, 0))
	case "sleep":
		time.Sleep(time.Duration(number(args, 0)) * time.Second)
	case "kill":
		return syscall.Kill(number(args, 0), syscall.Signal(number(args, 1)))
	case "suicide":
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			return err
		}
		select {}
	case "stubborn": // ignores SIGTERM
		signal.Ignore(syscall.SIGTERM)
		fmt.Fprintln(os.Stdout, "ready")
		time.Sleep(time.Hour)
	case "polite": // exits with 7 on SIGTERM
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Fprintln(os.Stdout, "ready")
		<-c
		return exitError(7)
	case "stdin":
		_, err := io.Copy(os.Stdout, os.Stdin)
		return err
	case "try": // the rest is a step that must fail
		if err := run(args[0], args[1:]); err != nil {
			fmt.Fprintln(os.Stdout, "refused:", err)
			return nil
		}
		return fmt.Errorf("%v was allowed", args)
	default:
		return runOther(name, args)
	}
	return nil
}

func runOther(name string, args []string) error {
	for _, group := range []map[string]func([]string) error{fileSteps, hostileSteps, networkSteps} {
		if step := group[name]; step != nil {
			return step(args)
		}
	}
	return fmt.Errorf("unknown step %q", name)
}

var fileSteps = map[string]func([]string) error{
	"cat": func(args []string) error {
		data, err := os.ReadFile(args[0])
		os.Stdout.Write(data)
		return err
	},
	"write": func(args []string) error { return os.WriteFile(args[0], []byte(arg(args, 1)+"\n"), 0o644) },
	"openw": func(args []string) error {
		f, err := os.OpenFile(args[0], os.O_WRONLY, 0)
		if err == nil {
			f.Close()
		}
		return err
	},
	"ls": func(args []string) error {
		entries, err := os.ReadDir(args[0])
		for _, e := range entries {
			fmt.Fprintln(os.Stdout, e.Name())
		}
		return err
	},
	"rm":     func(args []string) error { return os.RemoveAll(args[0]) },
	"mkdir":  func(args []string) error { return os.MkdirAll(args[0], 0o755) },
	"mv":     func(args []string) error { return os.Rename(args[0], args[1]) },
	"link":   func(args []string) error { return os.Symlink(args[0], args[1]) },
	"chmod":  func(args []string) error { return os.Chmod(args[0], os.FileMode(number(args, 1))) },
	"chown":  func(args []string) error { return os.Chown(args[0], number(args, 1), number(args, 2)) },
	"mknod":  func(args []string) error { return unix.Mknod(args[0], unix.S_IFBLK|0o600, int(unix.Mkdev(254, 0))) },
	"setcap": setcap,
	"getcap": func(args []string) error {
		value := make([]byte, 64)
		n, err := unix.Lgetxattr(args[0], "security.capability", value)
		if err == nil {
			fmt.Fprintf(os.Stdout, "%x\n", value[:n])
		}
		return err
	},
	"stat": func(args []string) error {
		var st unix.Stat_t
		if err := unix.Lstat(args[0], &st); err != nil {
			return err
		}
		fmt.Fprintf(os.Stdout, "%o %d %d\n", st.Mode, st.Uid, st.Gid)
		return nil
	},
	"setuid": func(args []string) error { return syscall.Setuid(number(args, 0)) },
}

// setcap gives a file the capability to bind low ports, effective
// (struct vfs_cap_data, revision 2).
func setcap(args []string) error {
	value := make([]byte, 20)
	value[0], value[3] = 1, 2
	value[5] = 1 << (unix.CAP_NET_BIND_SERVICE - 8)
	return unix.Lsetxattr(args[0], "security.capability", value, 0)
}

var networkSteps = map[string]func([]string) error{
	"interfaces": func([]string) error {
		list, err := net.Interfaces()
		for _, i := range list {
			fmt.Fprintln(os.Stdout, i.Name, i.Flags&net.FlagUp != 0)
		}
		return err
	},
	"dial": func(args []string) error {
		conn, err := net.DialTimeout("tcp", args[0], 10*time.Second)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = io.Copy(os.Stdout, conn)
		return err
	},
	"get": func(args []string) error {
		resp, err := http.Get(args[0])
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(os.Stdout, resp.Body)
		return err
	},
	"serve": serve,
}

// serve answers HTTP on a port: "/" with the second argument, "/healthz" with
// the status in the third (200), "/env" with the environment, "/get?url=" with
// what is there, "/slow" after a second, "/exit" never.
func serve(args []string) error {
	status := number(args, 2)
	if status == 0 {
		status = http.StatusOK
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, arg(args, 1)) })
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "health of %s", arg(args, 1))
	})
	mux.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Join(os.Environ(), "\n")) })
	mux.HandleFunc("/id", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getuid()) })
	mux.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) {
		os.Exit(3) //nolint:forbidigo // in the middle of an answer, which is the point
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(time.Second)
		fmt.Fprint(w, arg(args, 1))
	})
	mux.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		resp, err := http.Get(r.FormValue("url")) //nolint:noctx // the sandbox's end is its end
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		_, _ = io.Copy(w, resp.Body)
	})
	fmt.Fprintln(os.Stdout, "serving", arg(args, 1), "on", args[0])
	return http.ListenAndServe(":"+args[0], mux)
}

var hostileSteps = map[string]func([]string) error{
	"hog": func(args []string) error {
		var all [][]byte
		for range number(args, 0) {
			block := make([]byte, 1<<20)
			for i := 0; i < len(block); i += 512 {
				block[i] = 1
			}
			all = append(all, block)
		}
		fmt.Fprintln(os.Stdout, "kept", len(all), "MiB")
		return nil
	},
	"bomb": func(args []string) error { // starts processes until it cannot
		for n := range number(args, 0) {
			if err := exec.CommandContext(context.Background(), "/proc/self/exe", "sleep", "3600").Start(); err != nil {
				return fmt.Errorf("after %d processes: %w", n, err)
			}
		}
		return nil
	},
	"flood": func([]string) error {
		block := []byte(strings.Repeat("flood\n", 1000))
		for {
			if _, err := os.Stdout.Write(block); err != nil {
				return err
			}
		}
	},
	"fill": func(args []string) error {
		f, err := os.Create(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		block := make([]byte, 1<<20)
		for range number(args, 1) {
			if _, err := f.Write(block); err != nil {
				return err
			}
		}
		return nil
	},
	"litter": func(args []string) error { // makes empty files in a directory
		for n := range number(args, 1) {
			if err := unix.Mknod(fmt.Sprintf("%s/%d", args[0], n), unix.S_IFREG|0o644, 0); err != nil {
				return fmt.Errorf("after %d files: %w", n, err)
			}
		}
		return nil
	},
	"inotify": func(args []string) error {
		for n := range number(args, 0) {
			if _, err := unix.InotifyInit(); err != nil {
				return fmt.Errorf("after %d: %w", n, err)
			}
		}
		return nil
	},
	"socket": func(args []string) error {
		fd, err := unix.Socket(number(args, 0), unix.SOCK_STREAM, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	},
	"daemon": func(args []string) error { // leaves a process that runs the rest
		cmd := exec.CommandContext(context.Background(), "/proc/self/exe", args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
		return cmd.Start()
	},
	"daemon2": func(args []string) error { // the same, by way of a process that exits
		return exec.CommandContext(context.Background(), "/proc/self/exe", append([]string{"daemon"}, args...)...).Run()
	},
	"beat": func(args []string) error { // appends to a file for ever
		for {
			f, err := os.OpenFile(args[0], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
			if err != nil {
				return err
			}
			fmt.Fprintln(f, os.Getpid())
			f.Close()
			time.Sleep(10 * time.Millisecond)
		}
	},
	"mount":     func(args []string) error { return unix.Mount("tmpfs", args[0], "tmpfs", 0, "") },
	"umount":    func(args []string) error { return unix.Unmount(args[0], unix.MNT_DETACH) },
	"unshare":   func(args []string) error { return unix.Unshare(number(args, 0)) },
	"newuserns": newUserNamespace,
	"ptrace":    func(args []string) error { return unix.PtraceAttach(number(args, 0)) },
	"keyctl":    func([]string) error { _, err := unix.KeyctlGetKeyringID(-3, true); return err },
	"sethostname": func(args []string) error {
		return unix.Sethostname([]byte(args[0]))
	},
	"raise": func(args []string) error { // raises a soft limit
		limit := unix.Rlimit{Cur: 1 << 40, Max: 1 << 40}
		if err := unix.Prlimit(0, number(args, 0), nil, &limit); err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		limit.Cur = limit.Max
		return unix.Prlimit(0, number(args, 0), &limit, nil)
	},
	"newcall": func([]string) error { // a system call that no kernel has yet
		_, _, errno := unix.Syscall(1000, 0, 0, 0)
		if errno == 0 {
			return nil
		}
		return errno
	},
}

// newUserNamespace makes a process in a user namespace of its own, with clone3
// (struct clone_args, linux/sched.h).
func newUserNamespace([]string) error {
	args := [8]uint64{0: unix.CLONE_NEWUSER, 4: uint64(syscall.SIGCHLD)}
	pid, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
	}
	return nil
}
