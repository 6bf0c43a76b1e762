package image_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	if dir := os.Getenv(childVariable); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// universe gives the packages of an RPM universe, which it makes or finds made: the small one, or with
// SLIPWAY_TEST_DEEP the full one.
func universe(t testing.TB) []image.BasePackage {
	t.Helper()
	oracle.Need(t, "apt-get", "dpkg-deb")
	dir, err := universeFolder()
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "Packages", "*.rpm"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s/Packages holds no RPMs: %v", dir, err)
	}
	return locked(t, paths)
}

var universeFolder = sync.OnceValues(func() (string, error) {
	size := "small"
	if os.Getenv("SLIPWAY_TEST_DEEP") != "" {
		size = "full"
	}
	cmd := exec.Command("go", "run", "./tools/universe", "--size", size)
	cmd.Dir = "../.."
	var msg strings.Builder
	cmd.Stderr = &msg
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("making the RPM universe: %w\n%s", err, msg.String())
	}
	return strings.TrimSpace(string(out)), nil
})

// locked makes a lock of RPM files.
func locked(t testing.TB, paths []string) []image.BasePackage {
	t.Helper()
	packages, err := lockFiles(paths)
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

func lockFiles(paths []string) ([]image.BasePackage, error) {
	var list []lock.Package
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		p, err := rpm.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		list = append(list, lock.Package{
			NEVRA: p.NEVRA(), SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data)),
			Source: p.SourceRPM(), Roots: []string{"web"},
		})
	}
	lock.Plan(list, 0)
	out := make([]image.BasePackage, len(list))
	for i := range list {
		out[i] = image.BasePackage{Package: list[i], Path: paths[i]}
	}
	return out, nil
}

func builder(t testing.TB) *image.Builder {
	t.Helper()
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &image.Builder{Cache: c, Log: slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}

// TestUniverseSameAsRPM holds the image of a whole system against a root that rpm made of the same
// packages: every file, the database, and what its programs do.
func TestUniverseSameAsRPM(t *testing.T) {
	oracle.Need(t, "rpm", "umoci")
	if os.Geteuid() != 0 {
		oracle.Missing(t, "rpm --root needs root: run this test as root")
	}
	packages := universe(t)
	ours := unpacked(t, base(t, builder(t), packages))
	var options []string
	if os.Getenv("SLIPWAY_TEST_DEEP") != "" {
		// With that many packages, rpm before 4.20 takes another order (see script.Order).
		packages, options = inOrderOf(t, ours, packages), []string{"--noorder"}
	}
	theirs := installed(t, packages, options...)
	want, got := survey(t, theirs), survey(t, ours)
	if len(want) < 5000 {
		t.Errorf("rpm's root has only %d paths", len(want))
	}
	classes, epoch := map[string][]string{}, newest(t, packages)
	for _, path := range slices.Sorted(keys(want, got)) {
		if want[path] == got[path] {
			continue
		}
		class := classOf(want[path], got[path])
		if expected(path, want[path], got[path], epoch) {
			classes[class+", expected"] = append(classes[class+", expected"], path)
			continue
		}
		classes[class] = append(classes[class], path)
		t.Errorf("%s: %s\n  rpm:  %s\n  ours: %s", class, path, want[path], got[path])
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		t.Logf("%s: %d of %d paths, as %s", class, len(classes[class]), len(want), strings.Join(classes[class][:min(3, len(classes[class]))], " "))
	}
	t.Run("accounts", func(t *testing.T) { sameAccounts(t, theirs, ours) })
	t.Run("database", func(t *testing.T) { sameAnswers(t, theirs, ours) })
	t.Run("programs", func(t *testing.T) { samePrograms(t, theirs, ours) })
	t.Run("works", func(t *testing.T) { works(t, ours, packages) })
}

// inOrderOf brings packages into the order in which a root's database has them.
func inOrderOf(t *testing.T, root string, packages []image.BasePackage) []image.BasePackage {
	t.Helper()
	out, err := exec.Command("rpm", "--root", root, "--dbpath", "/var/lib/rpm", "-qa", "--qf", "%{NAME} %{VERSION} %{RELEASE}\n").Output()
	if err != nil {
		t.Fatal(err)
	}
	var ordered []image.BasePackage
	for line := range strings.Lines(string(out)) {
		for _, p := range packages { // there may be two versions of one
			if n := p.NEVRA; n.Name+" "+n.EVR.Version+" "+n.EVR.Release == strings.TrimSpace(line) {
				ordered = append(ordered, p)
			}
		}
	}
	if len(ordered) != len(packages) {
		t.Fatalf("the database has %d of %d packages", len(ordered), len(packages))
	}
	return ordered
}

// newest is the build time of the newest package, which an image has for what scripts wrote.
func newest(t *testing.T, packages []image.BasePackage) (epoch int64) {
	t.Helper()
	for _, p := range packages {
		f, err := rpm.Open(p.Path)
		if err != nil {
			t.Fatal(err)
		}
		built, _ := f.Uint32(rpm.TagBuildTime)
		epoch = max(epoch, int64(built))
		f.Close()
	}
	return epoch
}

// sameAccounts compares the user database, which differs in two ways: rpm before 4.19 does not make
// the users that packages declare in their Provides (here greeter, without whom its folder is
// root's), and useradd writes the day of the build as that of the last password change, where an
// image has that of its newest package.
func sameAccounts(t *testing.T, theirs, ours string) {
	read := func(root, name string) (out []string) {
		data, err := os.ReadFile(filepath.Join(root, "etc", name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			fields := strings.Split(line, ":")
			if name == "shadow" {
				fields[2] = "day"
			}
			if fields[0] != "greeter" {
				out = append(out, strings.Join(fields, ":"))
			}
		}
		return out
	}
	for _, name := range []string{"passwd", "group", "shadow", "gshadow"} {
		if diff := cmp.Diff(read(theirs, name), read(ours, name)); diff != "" {
			t.Errorf("/etc/%s (-rpm +ours):\n%s", name, diff)
		}
	}
	const greeter = "greeter:x:1001:1001:Greeter service:/var/lib/greeter:/usr/sbin/nologin\n"
	if data, err := os.ReadFile(filepath.Join(ours, "etc/passwd")); err != nil || !strings.Contains(string(data), greeter) {
		t.Errorf("/etc/passwd lacks the declared user: %v\n%s", err, data)
	}
	for path, want := range map[string]uint32{"etc/passwd": 0, "var/lib/greeter": 1001} {
		var st syscall.Stat_t
		if err := syscall.Stat(filepath.Join(ours, path), &st); err != nil || st.Uid != want || st.Gid != want {
			t.Errorf("/%s is owned by %d:%d (%v), want %d", path, st.Uid, st.Gid, err, want)
		}
	}
}

// sameAnswers asks rpm about both databases.
func sameAnswers(t *testing.T, theirs, ours string) {
	for _, query := range [][]string{
		{"-qa"}, // in the order of installation
		{"-qal"},
		{"-qas"},
		{"-qa", "--scripts", "--triggers", "--filetriggers"},
		{"-qa", "--provides", "--requires", "--conflicts", "--obsoletes", "--recommends"},
		{"-qa", "--qf", "%{NVRA} %{SIZE} %{RSAHEADER:pgpsig} %{SHA256HEADER} %{INSTALLCOLOR} %{SOURCERPM}\n"},
		{"-q", "--whatrequires", "/bin/sh"},
		{"-q", "--whatrequires", "libc.so.6()(64bit)"},
		{"-q", "--whatprovides", "python3dist(flask)"},
		{"-qf", "/usr/bin/python3", "/etc/passwd", "/bin/sh", "/usr/share"},
		{"-Va"},
	} {
		ask := func(root string) []string {
			// -Va ends with an error where scripts changed a configuration file.
			out, err := exec.Command("rpm", append([]string{"--root", root, "--dbpath", "/var/lib/rpm"}, query...)...).Output()
			if err != nil && query[0] != "-Va" {
				t.Errorf("rpm %q: %v", query, err)
			}
			return strings.Split(string(out), "\n")
		}
		want := ask(theirs)
		if len(want) < 2 {
			t.Errorf("rpm %q says nothing", query)
		}
		if diff := cmp.Diff(want, ask(ours)); diff != "" {
			t.Errorf("rpm %q (-rpm +ours):\n%s", query, diff)
		}
	}
}

// samePrograms runs programs in both roots.
func samePrograms(t *testing.T, theirs, ours string) {
	for _, command := range [][]string{
		{"/sbin/ldconfig", "-p"},
		{"/usr/bin/python3", "-c", "import ctypes, flask, json, sqlite3, ssl, waitress, zlib; print(flask.__file__, ssl.create_default_context().cert_store_stats())"},
		{"/bin/sh", "-c", "ls -l /etc/alternatives /usr/bin/python3; id waitress; ping -V; date +%Y >/dev/null"},
	} {
		run := func(root string) string {
			cmd := exec.Command(command[0], command[1:]...)
			cmd.Path, cmd.Err = command[0], nil // looked up in the root, not here
			cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
			cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%q: %v\n%s", command, err, out)
			}
			return string(out)
		}
		if diff := cmp.Diff(run(theirs), run(ours)); diff != "" {
			t.Errorf("%q (-rpm +ours):\n%s", command, diff)
		}
	}
}

// BenchmarkUniverse makes the base image of the universe from RPM files alone.
func BenchmarkUniverse(b *testing.B) {
	packages := universe(b)
	spec := image.BaseSpec{Packages: packages, Arch: "x86_64"}
	for b.Loop() {
		builder := builder(b)
		builder.Log = nil
		if _, err := builder.Base(b.Context(), spec); err != nil {
			b.Fatal(err)
		}
	}
}
