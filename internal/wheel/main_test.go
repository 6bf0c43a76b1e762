package wheel

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

// systemPython is Debian's own, which the tests build with and compare with.
const systemPython = "/usr/bin/python3"

// hostRoot is this machine's root filesystem as a build root.
func hostRoot(t testing.TB) Root {
	t.Helper()
	needModules(t, "setuptools", "wheel")
	if s := sandbox.Probe(t.Context()); !s.OK {
		oracle.Missing(t, "sandboxes do not work here: "+s.Problem)
	}
	return Root{Lowers: []string{"/"}, Key: "host", Python: systemPython}
}

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
