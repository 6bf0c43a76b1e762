package sandbox_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/sandbox"
	"github.com/slipway-build/slipway/internal/sandbox/sandboxtest"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	becomeOrdinary()
	os.Exit(m.Run())
}

// spec runs steps of the helper in a root filesystem of the test's own.
func spec(t *testing.T, steps ...string) sandbox.Spec {
	t.Helper()
	return sandbox.Spec{
		Lower: []string{sandboxtest.Root(t)},
		Args:  append([]string{"/bin/helper"}, steps...),
	}
}

// run runs s and returns what it wrote to both outputs.
func run(t *testing.T, s sandbox.Spec) (string, error) {
	t.Helper()
	var out bytes.Buffer
	s.Stdout, s.Stderr = &out, &out
	_, err := sandbox.Run(t.Context(), s)
	return out.String(), err
}

// mustRun is run of what has to succeed.
func mustRun(t *testing.T, s sandbox.Spec) string {
	t.Helper()
	out, err := run(t, s)
	if err != nil {
		t.Fatalf("%v: %v\n%s", s.Args, err, out)
	}
	return out
}

func TestOutput(t *testing.T) {
	s := spec(t, "echo", "to stdout", ",", "warn", "to stderr", ",", "exit", "3")
	var stdout, stderr bytes.Buffer
	s.Stdout, s.Stderr = &stdout, &stderr
	result, err := sandbox.Run(t.Context(), s)
	var exit *sandbox.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || exit.Signal != 0 || exit.Reason != "" || result.Code != 3 {
		t.Errorf("result %+v, error %#v", result, err)
	}
	if stdout.String() != "to stdout\n" || stderr.String() != "to stderr\n" {
		t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
	}
}

func TestStdin(t *testing.T) {
	s := spec(t, "stdin")
	s.Stdin = strings.NewReader("from outside")
	if got := mustRun(t, s); got != "from outside" {
		t.Errorf("got %q", got)
	}
	s.Stdin = nil
	if got := mustRun(t, s); got != "" {
		t.Errorf("without stdin: got %q", got)
	}
}

func TestChanges(t *testing.T) {
	s := spec(t, "write", "/etc/motd", "new", ",", "rm", "/var/lib/data", ",",
		"rm", "/etc/dir", ",", "mkdir", "/etc/dir", ",", "write", "/etc/dir/c", "c", ",",
		"mkdir", "/opt", ",", "write", "/tmp/lost", "x")
	s.Upper = filepath.Join(t.TempDir(), "upper")
	mustRun(t, s)
	want := []string{"0 etc", "2 etc/dir", "0 etc/dir/c", "0 etc/motd", "0 opt", "0 var", "0 var/lib", "1 var/lib/data"}
	if got := changes(t, s.Upper); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	data, err := os.ReadFile(filepath.Join(s.Lower[0], "etc/motd"))
	if err != nil || string(data) != "hello\n" {
		t.Errorf("the lower directory was changed: %q %v", data, err)
	}
}

func changes(t *testing.T, upper string) []string {
	t.Helper()
	list, err := sandbox.Changes(upper)
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, c := range list {
		text = append(text, string('0'+rune(c.Kind))+" "+c.Path)
	}
	return text
}
