package wheel

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	code := m.Run()
	os.RemoveAll(hostCopy)
	os.Exit(code)
}

// systemPython is Debian's own, which the tests build with and compare with.
const systemPython = "/usr/bin/python3"

// hostRoot is what Python and its build backends need of this machine, as a build root.
func hostRoot(t testing.TB) Root {
	t.Helper()
	needModules(t, "setuptools", "wheel")
	if s := sandbox.Probe(t.Context()); !s.OK {
		oracle.Missing(t, "sandboxes do not work here: "+s.Problem)
	}
	root, err := copyHost()
	if err != nil {
		t.Fatal(err)
	}
	return Root{Lowers: []string{root}, Key: "host", Python: systemPython}
}

var hostCopy string // removed at the end

// copyHost makes a root filesystem of hard links, as the machine's own root has mounts in it that no sandbox may take.
var copyHost = sync.OnceValues(func() (string, error) {
	root, err := os.MkdirTemp("", "slipway-wheel-root-")
	if err != nil {
		return "", err
	}
	hostCopy = root
	if err := os.Chmod(root, 0o755); err != nil {
		return "", err
	}
	for _, dir := range []string{
		"/usr/bin", "/usr/lib/python3", "/usr/lib/python3.11", "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib/gcc", "/usr/include", "/etc/python3.11",
	} {
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		parent := filepath.Join(root, filepath.Dir(dir))
		if err := os.MkdirAll(parent, 0o755); err != nil {
			return "", err
		}
		if exec.Command("cp", "-al", dir, parent).Run() == nil {
			continue
		}
		if out, err := exec.Command("cp", "-a", "--reflink=auto", dir, parent).CombinedOutput(); err != nil {
			return "", fmt.Errorf("cp: %w: %s", err, out)
		}
	}
	for _, link := range []string{"bin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+link, filepath.Join(root, link)); err != nil {
			return "", err
		}
	}
	return root, nil
})

// needModules wants the system's Python to have modules.
func needModules(t testing.TB, modules ...string) {
	t.Helper()
	for _, m := range modules {
		if err := exec.Command(systemPython, "-c", "import "+m).Run(); err != nil {
			oracle.Missing(t, systemPython+" has no module "+m+" (.ci/run installs it)")
		}
	}
}

func openCache(t testing.TB) *cache.Dir {
	t.Helper()
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// python runs the system's Python on this machine, outside of any sandbox.
func python(t testing.TB, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command(systemPython, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("python3 %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}
