// Package debtest makes small Debian packages for tests, by way of dpkg-deb.
package debtest

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
)

// Package is what a package is made of.
type Package struct {
	Control string            // "Package: x\nVersion: 1\n" and so on; Architecture, Maintainer and Description are added where missing
	Files   map[string]string // contents by path, as "/usr/bin/x"; a path that ends in "/" is a directory
	Modes   map[string]os.FileMode
	Links   map[string]string // targets of symbolic links, by path
	Hard    map[string]string // earlier paths that share their file, by path
	Scripts map[string]string // maintainer scripts and conffiles
}

// Build writes the package and returns the path of the .deb file. All files are
// root's, and all times are the same.
func Build(t testing.TB, p Package) string {
	t.Helper()
	oracle.Need(t, "dpkg-deb")
	root := t.TempDir()
	at := func(path string) string {
		full := filepath.Join(root, path)
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		return full
	}
	for path, content := range p.Files {
		full := at(path)
		if strings.HasSuffix(path, "/") {
			must(t, os.MkdirAll(full, 0o755))
			continue
		}
		must(t, os.WriteFile(full, []byte(content), 0o644))
	}
	for path, target := range p.Links {
		must(t, os.Symlink(target, at(path)))
	}
	for path, target := range p.Hard {
		must(t, os.Link(at(target), at(path)))
	}
	for path, mode := range p.Modes {
		must(t, os.Chmod(at(path), mode))
	}
	for name, script := range p.Scripts {
		full := at("DEBIAN/" + name)
		must(t, os.WriteFile(full, []byte(script), 0o755))
		if name == "conffiles" {
			must(t, os.Chmod(full, 0o644))
		}
	}
	must(t, os.WriteFile(at("DEBIAN/control"), []byte(control(p.Control)), 0o644))
	must(t, os.Chmod(root, 0o755))
	deb := filepath.Join(t.TempDir(), "package.deb")
	cmd := exec.CommandContext(t.Context(), "dpkg-deb", "--root-owner-group", "-Znone", "--build", root, deb)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	return deb
}

func control(text string) string {
	defaults := map[string]string{"Architecture": "all", "Maintainer": "Nobody <nobody@example.com>", "Description": "a package"}
	for _, name := range slices.Sorted(maps.Keys(defaults)) {
		if !strings.Contains("\n"+text, "\n"+name+":") {
			text += name + ": " + defaults[name] + "\n"
		}
	}
	return text
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
