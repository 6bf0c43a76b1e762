package sandbox_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/sandbox"
	"github.com/slipway-build/slipway/internal/sandbox/sandboxtest"
)

// Root runs these tests again as an ordinary user that the machine does not know
// of: once without subordinate ids, once with a range of them, which files
// mounted over /etc/subuid and so on say, where nobody else sees them.

const (
	ordinaryID       = 12345
	ordinaryVariable = "SANDBOX_TEST_ORDINARY" // a directory with files to mount over those in /etc, or "none"
)

// ordinaryTests hold for every user.
const ordinaryTests = "TestOutput|TestChanges|TestProbe|TestOrdinary.*|TestWhiteoutAndOpaque|TestUpperIsKeptBetweenRuns" +
	"|TestMounts|TestMountsAreNoChanges|TestFileOverLinkToNothing|TestReadOnly|TestForwards|TestNetwork|TestHostIsOutOfSight|TestHostCannotBeChanged" +
	"|TestProgramCannotBeChanged|TestNothingSurvives|TestKilledParent|TestTimeLimit|TestOutputLimit|TestDiskLimit|TestDiskLimitCountsFiles|TestSocketFamilies|TestInotifyLimit|TestCancel"

func TestRootless(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	dir := publicDir(t)
	program := filepath.Join(dir, "sandbox.test")
	copyFile(t, "/proc/self/exe", program)
	if err := os.Chown(program, ordinaryID, ordinaryID); err != nil { // it could write to its own program
		t.Fatal(err)
	}
	helper := filepath.Join(dir, "helper")
	copyFile(t, filepath.Join(sandboxtest.Root(t), "bin/helper"), helper)
	for _, test := range []struct{ name, files, tests string }{
		{"OneID", "none", ordinaryTests},
		{"Range", rangeFiles(t, dir), ordinaryTests + "|TestUsers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.files == "" {
				t.Skip("newuidmap, /etc/subuid or /etc/subgid is missing")
			}
			home := filepath.Join(dir, test.name)
			if err := os.Mkdir(home, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(home, ordinaryID, ordinaryID); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, "-test.v", "-test.run=^("+test.tests+")$")
			cmd.Env = []string{
				"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home,
				ordinaryVariable + "=" + test.files, sandboxtest.HelperVariable + "=" + helper,
			}
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "PASS: TestOrdinary") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// publicDir is a directory that every user can reach.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sandbox-test-") //nolint:usetesting // t.TempDir is inside a directory that is the test's own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	sandboxtest.Write(t, to, string(data), 0o755)
}

// rangeFiles makes a passwd with the ordinary user and subuid and subgid with a
// range for it; it is empty where that is of no use.
func rangeFiles(t *testing.T, dir string) string {
	t.Helper()
	if _, err := exec.LookPath("newuidmap"); err != nil {
		return ""
	}
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	files := filepath.Join(dir, "etc")
	sandboxtest.Write(t, filepath.Join(files, "passwd"), fmt.Sprintf("%sordinary:x:%d:%d::/:/bin/sh\n", passwd, ordinaryID, ordinaryID), 0o644)
	for _, name := range []string{"subuid", "subgid"} {
		if _, err := os.Stat("/etc/" + name); err != nil {
			return ""
		}
		sandboxtest.Write(t, filepath.Join(files, name), "somebody:100000:65536\nordinary:500000:65536\n", 0o644)
	}
	return files
}

// becomeOrdinary turns a test process that root started for it into one of the
// ordinary user.
func becomeOrdinary() {
	files := os.Getenv(ordinaryVariable)
	if files == "" || os.Geteuid() != 0 {
		return
	}
	if err := dropRoot(files); err != nil {
		fmt.Fprintln(os.Stderr, "becoming an ordinary user:", err)
		os.Exit(2)
	}
}

func dropRoot(files string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if files != "none" {
		for _, name := range []string{"passwd", "subuid", "subgid"} {
			if err := unix.Mount(filepath.Join(files, name), "/etc/"+name, "", unix.MS_BIND, ""); err != nil {
				return err
			}
		}
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setgid(ordinaryID); err != nil {
		return err
	}
	if err := syscall.Setuid(ordinaryID); err != nil {
		return err
	}
	// Executing again gives the process's files in /proc to its new owner.
	return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
}

func TestOrdinaryIDs(t *testing.T) {
	if os.Getenv(ordinaryVariable) == "" {
		t.Skip("part of TestRootless")
	}
	support := sandbox.Probe(t.Context())
	s := spec(t, "id")
	s.UID, s.GID = 1001, 1001
	if os.Getenv(ordinaryVariable) == "none" {
		if support.IDs != 1 {
			t.Errorf("support: %+v", support)
		}
		if _, err := run(t, s); err == nil || !strings.Contains(err.Error(), "/etc/subuid") {
			t.Errorf("error: %v", err)
		}
		return
	}
	if support.IDs != 65536 {
		t.Errorf("support: %+v", support)
	}
	if out := mustRun(t, s); out != "1001 1001 []\n" {
		t.Errorf("got %q", out)
	}
}

func TestOrdinaryLimits(t *testing.T) {
	if os.Getenv(ordinaryVariable) == "" {
		t.Skip("part of TestRootless")
	}
	s := spec(t, "bomb", "1000")
	s.Limits.Processes = 50
	if out, err := run(t, s); err == nil {
		t.Errorf("a fork bomb came to an end: %.1000s", out)
	}
	s = spec(t, "hog", "500")
	s.Limits.Memory = 100 << 20
	if out, err := run(t, s); err == nil {
		t.Errorf("too much memory was had: %.1000s", out)
	}
	s = spec(t, "hog", "20")
	s.Limits = sandbox.Limits{Memory: 500 << 20, Processes: 50}
	mustRun(t, s)
	for resource, want := range map[int]string{unix.RLIMIT_NPROC: "refused: operation not permitted\n", unix.RLIMIT_DATA: "refused: operation not permitted\n"} {
		s.Args = []string{"/bin/helper", "try", "raise", strconv.Itoa(resource)}
		if got := mustRun(t, s); got != want {
			t.Errorf("resource %d: %q", resource, got)
		}
	}
	s.Args = []string{"/bin/helper", "raise", strconv.Itoa(unix.RLIMIT_NOFILE)}
	mustRun(t, s)
}
