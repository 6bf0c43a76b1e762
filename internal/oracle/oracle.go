// Package oracle lets tests ask for the real tools they are held against (rpm, dnf, skopeo, …).
package oracle

import (
	"os"
	"os/exec"
	"testing"
)

// Need returns when every one of the tools is on the PATH. On CI (CI=true) a missing tool fails the
// test: a check that silently does not run is no check. Elsewhere the test is skipped with a reason.
func Need(t testing.TB, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			Missing(t, tool+" is not installed (.ci/run installs it)")
		}
	}
}

// Missing fails the test on CI and skips it elsewhere, for what is not a tool on the PATH (a Python
// module, a kernel's ability). why is a whole sentence that says what to do.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}
