package convert

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
	"github.com/slipway-build/slipway/tools/universe/internal/debtest"
)

// TestELFAsRPM holds what is found in the machine's own programs and libraries
// against what rpm finds in them.
func TestELFAsRPM(t *testing.T) {
	const elfdeps = "/usr/lib/rpm/elfdeps"
	oracle.Need(t, "rpm", "dpkg-deb")
	if _, err := os.Stat(elfdeps); err != nil {
		oracle.Missing(t, elfdeps+" is not there: install rpm")
	}
	files := []string{"/bin/ls", "/usr/bin/perl", "/usr/bin/dpkg-deb"}
	for _, pattern := range []string{"libc.so.6", "libm.so.6", "libz.so.1", "libcrypto.so.3", "libstdc++.so.6", "ld-linux-x86-64.so.2", "libtinfo.so.6"} {
		found, _ := filepath.Glob("/lib/*/" + pattern)
		files = append(files, found...)
	}
	for _, path := range files {
		path, err := filepath.EvalSymlinks(path)
		if err != nil {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		deb, err := debian.Open(t.Context(), debtest.Build(t, debtest.Package{
			Control: "Package: x\nVersion: 1\n", Files: map[string]string{"/usr/bin/x": string(data)},
			Modes: map[string]os.FileMode{"/usr/bin/x": 0o755},
		}), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		p := &pkg{deb: deb, dirs: map[string]rpmwrite.File{}}
		if err := p.inspect(); err != nil {
			t.Fatal(err)
		}
		if err := deb.Close(); err != nil {
			t.Fatal(err)
		}
		same(t, path+" provides", texts(p.spec.Provides), elfdepsOf(t, elfdeps, "--provides", path))
		same(t, path+" requires", p.sonames, elfdepsOf(t, elfdeps, "--requires", path))
	}
}

func elfdepsOf(t *testing.T, elfdeps, option, path string) []string {
	t.Helper()
	out, err := exec.Command(elfdeps, option, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	for _, list := range []*[]string{&got, &want} {
		*list = slices.Clone(*list)
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\n%q\nwant\n%q", what, got, want)
	}
}
