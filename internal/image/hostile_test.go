package image_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// perlScript is a %post in Perl, whose system calls need no modules.
func perlScript(body string) rpm.Script {
	return rpm.Script{Kind: rpm.ScriptPost, Program: []string{"/usr/bin/perl"}, Body: body}
}

// failingScript has a package's script fail, and gives the build's error.
func failingScript(t *testing.T, s rpm.Script) string {
	t.Helper()
	packages := build(t, shell(t, "/usr/bin/perl"), rpmwrite.Spec{Name: "bad", Requires: requires("shell"), Scripts: []rpm.Script{s}})
	_, err := builder(t).Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64"})
	if err == nil {
		t.Fatal("no error")
	}
	if !strings.Contains(err.Error(), "%post of package bad-1-1.noarch") {
		t.Errorf("error %q does not name the script", err)
	}
	return err.Error()
}

// TestScriptWithoutNetwork: what connects outside of the sandbox reaches nothing inside it, on this machine nor beyond.
func TestScriptWithoutNetwork(t *testing.T) {
	oracle.Need(t, "perl")
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var visitors atomic.Int32
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			visitors.Add(1)
			_, _ = c.Write([]byte("hello\n"))
			_ = c.Close()
		}
	}()
	visit := func(address string, port int) string {
		return fmt.Sprintf("socket(my $s, 2, 1, 0) or die \"no socket: $!\\n\"; connect($s, pack('S n C4 x8', 2, %d, %s)) or die \"no connection: $!\\n\"; print <$s>;\n",
			port, strings.ReplaceAll(address, ".", ","))
	}
	here := visit("127.0.0.1", listener.Addr().(*net.TCPAddr).Port)

	control := exec.Command("perl")
	control.Stdin = strings.NewReader(here)
	if out, err := control.CombinedOutput(); err != nil || string(out) != "hello\n" || visitors.Load() != 1 {
		t.Fatalf("outside of the sandbox: %v: %q, %d visitors", err, out, visitors.Load())
	}
	if got := failingScript(t, perlScript(here)); !strings.Contains(got, "no connection: Connection refused") {
		t.Errorf("this machine: %s", got)
	}
	if got := failingScript(t, perlScript(visit("192.0.2.1", 80))); !strings.Contains(got, "no connection: Network is unreachable") {
		t.Errorf("another machine: %s", got)
	}
	if n := visitors.Load(); n != 1 {
		t.Errorf("%d visitors came, of which one was no script", n)
	}
}

// TestScriptThatForks: processes come to an end at their limit, and none outlives the build.
func TestScriptThatForks(t *testing.T) {
	oracle.Need(t, "perl")
	mark := fmt.Sprintf("forking-%d-%d", os.Getpid(), time.Now().UnixNano())
	got := failingScript(t, perlScript("$0 = '"+mark+"'; while (1) { fork // die \"cannot fork: $!\\n\" }"))
	if !strings.Contains(got, "cannot fork: Resource temporarily unavailable") {
		t.Errorf("error %s", got)
	}
	if len(got) > 1<<16 {
		t.Errorf("the error has %d bytes", len(got))
	}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		t.Fatalf("reading the list of processes: %d, %v", len(lines), err)
	}
	for _, name := range lines {
		if line, err := os.ReadFile(name); err == nil && bytes.Contains(line, []byte(mark)) {
			t.Errorf("%s is left: %q", name, line)
		}
	}
}
