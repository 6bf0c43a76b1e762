package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/sandbox"
)

// limited runs s and returns the ExitError that it must end with.
func limited(t *testing.T, s sandbox.Spec, reason sandbox.Reason) (*sandbox.ExitError, string) {
	t.Helper()
	out, err := run(t, s)
	var exit *sandbox.ExitError
	if !errors.As(err, &exit) || exit.Reason != reason {
		t.Fatalf("error %v, want %s\n%.1000s", err, reason, out)
	}
	return exit, out
}

func needCgroup(t *testing.T) {
	t.Helper()
	if s := sandbox.Probe(t.Context()); s.Cgroup == 0 {
		t.Skipf("no control groups here: %s", s.CgroupProblem)
	}
}

func TestMemoryLimit(t *testing.T) {
	needCgroup(t)
	s := spec(t, "hog", "500")
	s.Limits.Memory = 100 << 20
	exit, _ := limited(t, s, sandbox.MemoryLimit)
	if exit.Signal != syscall.SIGKILL || exit.Limit != "100 MiB" || !strings.Contains(exit.Error(), "memory limit of 100 MiB") {
		t.Errorf("got %+v: %v", exit, exit)
	}
	s = spec(t, "hog", "50")
	s.Limits.Memory = 100 << 20
	mustRun(t, s)
}

func TestMemoryLimitCountsAllProcesses(t *testing.T) {
	needCgroup(t)
	s := spec(t, "daemon", "hog", "60", ",", "sleep", "5", ",", "hog", "60", ",", "sleep", "5")
	s.Args = []string{"/bin/helper", "daemon", "hog", "200", ",", "hog", "60", ",", "sleep", "1", ",", "exit", "3"}
	s.Limits.Memory = 100 << 20
	if exit, _ := limited(t, s, sandbox.MemoryLimit); exit.Code == 0 {
		t.Errorf("got %+v", exit)
	}
}

func TestProcessLimit(t *testing.T) {
	needCgroup(t)
	s := spec(t, "bomb", "1000")
	s.Limits.Processes = 50
	exit, out := limited(t, s, sandbox.ProcessLimit)
	if exit.Limit != "50 processes" || !strings.Contains(out, "resource temporarily unavailable") {
		t.Errorf("got %+v\n%s", exit, out)
	}
}

func TestTimeLimit(t *testing.T) {
	s := spec(t, "stubborn")
	s.Limits.Time = 200 * time.Millisecond
	s.Grace = 100 * time.Millisecond
	if exit, _ := limited(t, s, sandbox.TimeLimit); exit.Signal != syscall.SIGKILL || exit.Limit != "200ms" {
		t.Errorf("got %+v", exit)
	}
	s.Args = []string{"/bin/helper", "polite"}
	s.Grace = time.Minute
	if exit, _ := limited(t, s, sandbox.TimeLimit); exit.Code != 7 || exit.Signal != 0 {
		t.Errorf("got %+v", exit)
	}
}

func TestOutputLimit(t *testing.T) {
	s := spec(t, "flood")
	s.Limits.Output = 100_000
	_, out := limited(t, s, sandbox.OutputLimit)
	if len(out) != 100_000 {
		t.Errorf("%d bytes", len(out))
	}
}

func TestDiskLimit(t *testing.T) {
	for _, file := range []string{"/tmp/x", "/dev/shm/x", "/var/x", "/cache/x"} {
		s := spec(t, "try", "fill", file, "30")
		s.Limits.Disk = 10 << 20
		s.Mounts = []sandbox.Mount{{Target: "/cache"}}
		if out := mustRun(t, s); !strings.Contains(out, "no space left") {
			t.Errorf("%s: %s", file, out)
		}
	}
}

// Empty files take no bytes of a tmpfs, but memory of the kernel's.
func TestDiskLimitCountsFiles(t *testing.T) {
	for _, dir := range []string{"/tmp", "/dev", "/dev/shm", "/var", "/cache"} {
		s := spec(t, "try", "litter", dir, "5000")
		s.Limits.Disk = 4 << 20
		s.Mounts = []sandbox.Mount{{Target: "/cache"}}
		if out := mustRun(t, s); !strings.Contains(out, "no space left") {
			t.Errorf("%s: %s", dir, out)
		}
	}
}

// The starting user must keep some for other programs.
func TestInotifyLimit(t *testing.T) {
	mustRun(t, spec(t, "inotify", "5"))
	if out := mustRun(t, spec(t, "try", "inotify", "17")); !strings.Contains(out, "after 16: too many open files") {
		t.Errorf("got %s", out)
	}
}

// A socket of one of these is of no network namespace.
func TestSocketFamilies(t *testing.T) {
	for _, family := range []int{unix.AF_VSOCK, unix.AF_ALG, unix.AF_PACKET} {
		if out := mustRun(t, spec(t, "try", "socket", strconv.Itoa(family))); !strings.Contains(out, "not supported") {
			t.Errorf("%d: %s", family, out)
		}
	}
	for _, family := range []int{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6} {
		mustRun(t, spec(t, "socket", strconv.Itoa(family)))
	}
}

func TestCancel(t *testing.T) {
	for _, test := range []struct {
		step  string
		grace time.Duration
		code  int
	}{{"polite", time.Minute, 7}, {"stubborn", 50 * time.Millisecond, 137}, {"stubborn", -1, 137}} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("somebody pressed Ctrl-C")
		s := spec(t, test.step)
		s.Grace = test.grace
		ready := make(chan struct{}, 1)
		s.Stdout = writerFunc(func([]byte) { ready <- struct{}{} })
		p, err := sandbox.Start(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		<-ready
		cancel(cause)
		result, err := p.Wait()
		var exit *sandbox.ExitError
		if !errors.As(err, &exit) || exit.Reason != sandbox.Cancelled || result.Code != test.code || !errors.Is(err, cause) {
			t.Errorf("%s, grace %v: %+v %v", test.step, test.grace, result, err)
		}
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

func TestNothingSurvives(t *testing.T) {
	for _, daemon := range []string{"daemon", "daemon2"} {
		dir := t.TempDir()
		s := spec(t, daemon, "beat", "/shared/beat", ",", "sleep", "1")
		s.Mounts = []sandbox.Mount{{Source: dir, Target: "/shared"}}
		mustRun(t, s)
		beat := filepath.Join(dir, "beat")
		before, err := os.ReadFile(beat)
		if err != nil || len(before) == 0 {
			t.Fatalf("%s never ran: %v", daemon, err)
		}
		time.Sleep(100 * time.Millisecond)
		if after, _ := os.ReadFile(beat); !bytes.Equal(before, after) {
			t.Errorf("%s lives", daemon)
		}
	}
}

func TestKill(t *testing.T) {
	s := spec(t, "stubborn")
	started := make(chan struct{}, 1)
	s.Stdout = writerFunc(func([]byte) { started <- struct{}{} })
	p, err := sandbox.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	<-started
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	var exit *sandbox.ExitError
	if _, err := p.Wait(); !errors.As(err, &exit) || exit.Reason != sandbox.Killed {
		t.Errorf("error: %v", err)
	}
	if err := p.Signal(syscall.SIGTERM); err == nil {
		t.Error("signalled what is gone")
	}
}

// The program that started a sandbox is killed: everything inside must end.
// The test runs itself again to have one that it can kill.
func TestKilledParent(t *testing.T) {
	const variable = "SANDBOX_TEST_ROOT"
	if root := os.Getenv(variable); root != "" {
		s := sandbox.Spec{
			Lower:  []string{root},
			Args:   []string{"/bin/helper", "daemon2", "beat", "/shared/beat", ",", "stubborn"},
			Mounts: []sandbox.Mount{{Source: filepath.Join(root, "shared"), Target: "/shared"}},
			Limits: sandbox.Limits{Memory: 1 << 30},
			Stdout: os.Stdout,
		}
		p, err := sandbox.Start(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("pid", p.Pid())
		_, _ = p.Wait()
		return
	}
	root := spec(t).Lower[0]
	if err := os.Mkdir(filepath.Join(root, "shared"), 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestKilledParent$")
	cmd.Env = append(os.Environ(), variable+"="+root)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	buf := make([]byte, 4096)
	var said string
	for !strings.Contains(said, "ready") || pid == 0 {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		said += string(buf[:n])
		if _, rest, ok := strings.Cut(said, "pid "); ok {
			pid, _ = strconv.Atoi(strings.Fields(rest + " x")[0])
		}
	}
	beat := filepath.Join(root, "shared/beat")
	for range 200 {
		if _, err := os.Stat(beat); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for range 200 {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	before, err := os.ReadFile(beat)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if after, _ := os.ReadFile(beat); !bytes.Equal(before, after) {
		t.Error("the sandbox outlived its parent")
	}
	if mounts, _ := os.ReadFile("/proc/self/mountinfo"); bytes.Contains(mounts, []byte(root)) {
		t.Errorf("left mounted:\n%s", mounts)
	}
}

func TestHostIsOutOfSight(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	attempts := [][]string{
		{"try", "cat", secret},
		{"try", "cat", "/etc/shadow"},
		{"try", "cat", "/../../../.." + secret},
		{"try", "cat", "/proc/1/root" + secret},
		{"try", "cat", "/proc/1/fd/4"},
		{"try", "ls", "/proc/1/cwd/"},
		{"try", "cat", "/proc/1/environ"},
		{"try", "cat", "/proc/1/exe"},
		{"try", "ls", "/sys/kernel"},
	}
	mustRun(t, spec(t, sequence(attempts)...))
	if got := mustRun(t, spec(t, "cat", "/proc/keys", ",", "cat", "/proc/timer_list", ",", "ls", "/sys",
		",", "cat", "/proc/vmallocinfo")); got != "" {
		t.Errorf("visible: %.200q", got)
	}
	if got := mustRun(t, spec(t, "ls", "/")); got != "bin\ndev\netc\nproc\nroot\nrun\nsrv\nsys\ntmp\nvar\n" {
		t.Errorf("the root has %q", got)
	}
	if got := mustRun(t, spec(t, "ls", "/dev")); got != "fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n" {
		t.Errorf("/dev has %q", got)
	}
	// The files of a sandbox's process are those of standard input and output.
	if got := mustRun(t, spec(t, "ls", "/proc/self/fd")); len(strings.Fields(got)) > 8 || !strings.HasPrefix(got, "0\n1\n2\n") {
		t.Errorf("open files: %q", got)
	}
}

// sequence joins steps to one command.
func sequence(steps [][]string) []string {
	var all []string
	for _, step := range steps {
		all = append(append(all, step...), ",")
	}
	return all
}

func TestHostCannotBeChanged(t *testing.T) {
	out := mustRun(t, spec(t, sequence([][]string{
		{"try", "openw", "/proc/sys/kernel/core_pattern"},
		{"try", "openw", "/proc/sysrq-trigger"},
		{"try", "openw", "/proc/sys/user/max_user_namespaces"},
		{"try", "openw", "/proc/pressure/memory"},
		{"try", "openw", "/proc/1/mem"},
		{"try", "mknod", "/dev/sda"},
		{"try", "mknod", "/var/sda"},
		{"try", "mount", "/tmp"},
		{"try", "umount", "/proc/sys"},
		{"try", "umount", "/tmp"},
		{"try", "unshare", strconv.Itoa(syscall.CLONE_NEWUSER)},
		{"try", "unshare", strconv.Itoa(syscall.CLONE_NEWNS)},
		{"try", "newuserns"},
		{"try", "ptrace", "1"},
		{"try", "keyctl"},
		{"try", "sethostname", "x"},
		{"try", "newcall"},
		{"try", "write", "/sys/x"},
		{"kill", "1", "9"}, // these have no effect
		{"kill", "1", "15"},
		{"kill", "1", "19"},
	})...))
	t.Log(out)
}

// The running program must not be writable from inside, by whatever way a
// process there comes to have it open (CVE-2019-5736 is one).
func TestProgramCannotBeChanged(t *testing.T) {
	s := spec(t, "openw", "/proc/self/exe")
	s.Lower = []string{spec(t).Lower[0]}
	s.Args = []string{"/bin/helper", "try", "openw", "/proc/1/exe"}
	mustRun(t, s)
	// A command that is process 1's own program runs, but from a read-only mount.
	s.Args = []string{"/proc/self/exe", "-test.run=^TestWriteOwnProgram$"}
	s.Env = []string{writeOwnProgram + "=1"}
	for _, dir := range []string{"/lib", "/lib64", "/usr/lib"} { // it may need libc
		if _, err := os.Stat(dir); err == nil {
			s.Mounts = append(s.Mounts, sandbox.Mount{Source: dir, Target: dir, ReadOnly: true})
		}
	}
	if out := mustRun(t, s); !strings.Contains(out, "read-only file system") && !strings.Contains(out, "text file busy") {
		t.Errorf("got %s", out)
	}
}

const writeOwnProgram = "SANDBOX_TEST_WRITE_OWN_PROGRAM"

func TestWriteOwnProgram(t *testing.T) {
	if os.Getenv(writeOwnProgram) == "" {
		t.Skip("only of use inside a sandbox")
	}
	f, err := os.OpenFile("/proc/self/exe", os.O_RDWR, 0)
	if err == nil {
		f.Close()
	}
	fmt.Println(err)
}

func TestNetwork(t *testing.T) {
	if got := mustRun(t, spec(t, "interfaces")); got != "lo true\n" {
		t.Errorf("interfaces: %q", got)
	}
	begun := time.Now()
	if out := mustRun(t, spec(t, "try", "dial", "192.0.2.1:80")); !strings.Contains(out, "unreachable") {
		t.Errorf("got %s", out)
	}
	if time.Since(begun) > 5*time.Second {
		t.Error("it took long")
	}
	s := spec(t, "interfaces")
	s.Network = sandbox.NetworkHost
	mustRun(t, s)
}

// An image chooses the texts that these errors repeat.
func TestErrorsAreFitForATerminal(t *testing.T) {
	const escape = "\x1b]0;gotcha\x07"
	for name, change := range map[string]func(*sandbox.Spec){
		"program":   func(s *sandbox.Spec) { s.Args[0] = escape },
		"path":      func(s *sandbox.Spec) { s.Args[0] = "/" + escape },
		"search":    func(s *sandbox.Spec) { s.Args[0], s.Env = "absent", []string{"PATH=" + escape} },
		"directory": func(s *sandbox.Spec) { s.Dir = escape },
		"user":      func(s *sandbox.Spec) { s.User = escape },
		"group":     func(s *sandbox.Spec) { s.User = "root:" + escape },
	} {
		s := spec(t, "echo", "ran")
		change(&s)
		if _, err := run(t, s); err == nil || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%s: %q", name, fmt.Sprint(err))
		}
	}
}

func TestHostileSpecs(t *testing.T) {
	for name, change := range map[string]func(*sandbox.Spec){
		"no command":             func(s *sandbox.Spec) { s.Args = nil },
		"no root":                func(s *sandbox.Spec) { s.Lower = nil },
		"absent root":            func(s *sandbox.Spec) { s.Lower[0] += "/absent" },
		"too many":               func(s *sandbox.Spec) { s.Lower = make([]string, 500) },
		"relative target":        func(s *sandbox.Spec) { s.Mounts = []sandbox.Mount{{Target: "x"}} },
		"root as target":         func(s *sandbox.Spec) { s.Mounts = []sandbox.Mount{{Target: "/x/.."}} },
		"absent source":          func(s *sandbox.Spec) { s.Mounts = []sandbox.Mount{{Source: "/absent/x", Target: "/x"}} },
		"zero byte":              func(s *sandbox.Spec) { s.Args = append(s.Args, "a\x00b") },
		"read-only with changes": func(s *sandbox.Spec) { s.ReadOnly, s.Upper = true, t.TempDir() },
		"no such program":        func(s *sandbox.Spec) { s.Args[0] = "absent" },
		"no such user":           func(s *sandbox.Spec) { s.User = "nobody-here" },
		"no such id":             func(s *sandbox.Spec) { s.UID = 70000 },
		"no such directory":      func(s *sandbox.Spec) { s.Dir = "/absent" },
		"not a program":          func(s *sandbox.Spec) { s.Args[0] = "/etc/motd" },
		"no port":                func(s *sandbox.Spec) { s.Forwards = []sandbox.Forward{{Socket: "/tmp/x"}} },
		"no outward address": func(s *sandbox.Spec) {
			s.Forwards = []sandbox.Forward{{Direction: sandbox.Outward, Socket: "/tmp/x", Port: 1, Address: "127.0.0.1"}}
		},
	} {
		s := spec(t, "echo", "ran")
		change(&s)
		out, err := run(t, s)
		var exit *sandbox.ExitError
		if err == nil || errors.As(err, &exit) {
			t.Errorf("%s: %v %s", name, err, out)
		}
		t.Logf("%s: %v", name, err)
	}
}
