package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/oracle"
)

// build makes a universe as the program does. tool stands for its version.
func build(t *testing.T, folder, tool, size string) string {
	t.Helper()
	dir, err := cache.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	s, err := sizeNamed(size)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	b := builder{cache: dir, tool: tool, log: &steps{out: &log, start: time.Now()}}
	path, err := b.build(t.Context(), s)
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	t.Logf("\n%s", &log)
	return path
}

// TestSmall makes the small universe twice, and has rpm and dnf judge it.
func TestSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("it downloads 40 MB")
	}
	oracle.Need(t, "apt-get", "dpkg-deb", "rpm", "rpmkeys", "dnf")
	folder := t.TempDir()
	first := build(t, folder, "first", "small")

	t.Run("a second call finds it", func(t *testing.T) {
		if again := build(t, folder, "first", "small"); again != first {
			t.Errorf("it is in %s, and was in %s", again, first)
		}
	})
	t.Run("made again it has the same bytes", func(t *testing.T) {
		second := build(t, folder, "second", "small")
		if second == first {
			t.Fatal("another version of the program used the universe of the first")
		}
		if diff := cmp.Diff(hashes(t, first), hashes(t, second)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("rpm verifies every package", func(t *testing.T) {
		packages, _ := filepath.Glob(filepath.Join(first, "Packages", "*.rpm"))
		if len(packages) < 100 {
			t.Fatalf("there are only %d packages", len(packages))
		}
		database := t.TempDir()
		output(t, "rpmkeys", "--dbpath", database, "--import", filepath.Join(first, keyFile))
		out := output(t, "rpmkeys", append([]string{"--dbpath", database, "--checksig"}, packages...)...)
		if n := strings.Count(out, ": digests signatures OK"); n != len(packages) {
			t.Errorf("%d of %d packages verify:\n%s", n, len(packages), out)
		}
	})
	t.Run("dnf installs it", func(t *testing.T) {
		if os.Getuid() != 0 {
			oracle.Missing(t, "dnf installs into a root only as root: run the test as root")
		}
		root := install(t, first, append(listed(smallPackages), "python3-devel", "python3-pyyaml", "python3dist(flask) >= 2", "/usr/bin/awk"))
		checkInstalled(t, root)
		checkVerified(t, root)
	})
}

// TestFull makes the full universe and has dnf install all of it at once.
func TestFull(t *testing.T) {
	if os.Getenv("SLIPWAY_TEST_DEEP") == "" {
		t.Skip("it downloads 220 MB: set SLIPWAY_TEST_DEEP=1")
	}
	oracle.Need(t, "apt-get", "dpkg-deb", "rpm", "dnf")
	if os.Getuid() != 0 {
		oracle.Missing(t, "dnf installs into a root only as root: run the test as root")
	}
	universe := build(t, t.TempDir(), "full", "full")
	packages, _ := filepath.Glob(filepath.Join(universe, "Packages", "*.rpm"))
	names := strings.Fields(output(t, "rpm", append([]string{"-qp", "--nosignature", "--qf", "%{NAME} "}, packages...)...))
	// rpm 4.18 makes no users of Provides, and says so.
	names = slices.DeleteFunc(names, func(name string) bool { return name == "greeter-accounts" })
	root := install(t, universe, names)
	checkInstalled(t, root)
	if out := output(t, "chroot", root, "/usr/bin/python3", "-W", "ignore", "-c",
		"import celery, sqlalchemy, numpy.linalg, pandas, lxml.etree, PIL.Image, psycopg2, rpm, kubernetes; print(numpy.linalg.det([[2, 0], [0, 2]]))"); out != "4.0\n" {
		t.Errorf("python computes %s", out)
	}
	if out := output(t, "chroot", root, "/bin/sh", "-c", "git --version; gcc -dumpversion; echo 3 | awk '{print $1 * 2}'"); !strings.HasSuffix(out, "\n6\n") {
		t.Errorf("programs say %s", out)
	}
	checkVerified(t, root)
}

// hashes gives the content hash of every file but the .repo file, which holds
// the folder's name.
func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == repoFile {
			return err
		}
		data, err := os.ReadFile(path)
		sum := sha256.Sum256(data)
		name, _ := filepath.Rel(dir, path)
		all[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// install has dnf install packages into a root, signatures checked, and returns
// the root.
func install(t *testing.T, universe string, packages []string) string {
	t.Helper()
	work := t.TempDir()
	home, root := filepath.Join(work, "home"), filepath.Join(work, "root")
	for _, dir := range []string{home, root, filepath.Join(home, "log")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Debian's rpm keeps its database in the home folder.
	if err := os.WriteFile(filepath.Join(home, ".rpmmacros"), []byte("%_dbpath /var/lib/rpm\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	skipped := map[string]bool{}
	for _, name := range forMaintainerScripts {
		skipped[name] = true
	}
	args := []string{
		"-y", "--installroot", root, "--releasever=12", "--setopt=reposdir=" + universe, "--setopt=install_weak_deps=0",
		"--setopt=cachedir=" + filepath.Join(home, "cache"), "--setopt=logdir=" + filepath.Join(home, "log"), "install",
	}
	for _, name := range packages {
		if !skipped[name] {
			args = append(args, name)
		}
	}
	out := output(t, "dnf", args...)
	for line := range strings.Lines(out) {
		if lower := strings.ToLower(line); strings.Contains(lower, "warning:") || strings.Contains(lower, "error in") {
			t.Errorf("dnf says: %s", line)
		}
	}
	return root
}

// checkInstalled looks at what packages and their scripts have left.
func checkInstalled(t *testing.T, root string) {
	t.Helper()
	if out := output(t, "chroot", root, "/usr/bin/python3", "-W", "ignore", "-c",
		"import setuptools, wheel, pip, flask, waitress, requests, yaml, ssl, sqlite3, ctypes; print(ssl.create_default_context().cert_store_stats()['x509_ca'] > 50)"); out != "True\n" {
		t.Errorf("the certificates are not found: %s", out)
	}
	if out := output(t, "chroot", root, "/sbin/ldconfig", "-p"); !strings.Contains(out, "libssl.so.3") {
		t.Errorf("the linker's cache: %s", out)
	}
	if out := output(t, "chroot", root, "/usr/bin/getent", "passwd", "waitress"); !strings.Contains(out, ":/var/lib/waitress:") {
		t.Errorf("the user of the scriptlet: %s", out)
	}
	if out := output(t, "rpm", "--root", root, "-qa"); strings.Count(out, "\n") < 90 {
		t.Errorf("rpm -qa lists %s", out)
	}
}

// checkVerified has rpm hold all files against the packages.
func checkVerified(t *testing.T, root string) {
	t.Helper()
	// Only what scriptlets are there to change may differ from the packages.
	changed := map[string]bool{"/etc/passwd": true, "/etc/group": true, "/etc/shadow": true, "/etc/gshadow": true, "/etc/shells": true}
	out, _ := exec.Command("rpm", "--root", root, "-Va").Output()
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 0 && !changed[fields[len(fields)-1]] {
			t.Errorf("rpm -V: %s", line)
		}
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestPrune(t *testing.T) {
	dir, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	now := time.Now()
	there := func(key string) bool { _, ok := dir.Path(kind, key); return ok }
	for key, age := range map[string]time.Duration{"0123": time.Hour, "4567": 15 * 24 * time.Hour} {
		path, _, err := dir.Tree(t.Context(), kind, key, func(string) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	b := builder{cache: dir, log: &steps{out: &log, start: now}}
	if err := b.prune(now.Add(-keepUnused)); err != nil {
		t.Fatal(err)
	}
	if !there("0123") || there("4567") {
		t.Errorf("the one in use is there: %v, the other one: %v", there("0123"), there("4567"))
	}
	if !strings.Contains(log.String(), "4567") {
		t.Errorf("it says %q", &log)
	}
}

func TestRunRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		`no size "huge": small, full or listed`: {"--size", "huge", "--cache", t.TempDir()},
		`"extra" is no option`:                  {"extra"},
		"not a directory":                       {"--cache", "/dev/null/x"},
		"flag provided but not defined":         {"--sizes", "small"},
	} {
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), args, &stdout, &stderr)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error that says %q", args, err, want)
		}
		if stdout.Len() > 0 {
			t.Errorf("%q prints %q", args, stdout.String())
		}
	}
}

func TestLists(t *testing.T) {
	for _, name := range []string{"small", "full"} {
		s, err := sizeNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, p := range s.packages {
			if seen[p] {
				t.Errorf("%s lists %s twice", name, p)
			}
			seen[p] = true
		}
		if !seen["python3-flask"] || seen["#"] {
			t.Errorf("%s lists %q", name, s.packages)
		}
	}
}

func TestMixedCompression(t *testing.T) {
	kinds := map[string]int{}
	for _, name := range listed(fullPackages) {
		kind := mixedCompression(name, 1000)
		kinds[kind]++
		if mixedCompression(name, 1000) != kind {
			t.Errorf("%s changes", name)
		}
		if kind == "xz" && mixedCompression(name, 5<<20) != "zstd" {
			t.Errorf("%s is large, and still packed with xz", name)
		}
	}
	if kinds["gzip"] == 0 || kinds["xz"] == 0 || kinds["zstd"] < kinds["xz"] {
		t.Errorf("kinds are %v", kinds)
	}
}
