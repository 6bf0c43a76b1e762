package image_test

import (
	"archive/tar"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// buildTime of all test packages: 2023-11-14.
const buildTime = 1700000000

// build writes packages and gives them as a lock would. What a spec leaves out is filled in.
func build(t testing.TB, specs ...rpmwrite.Spec) []image.BasePackage {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for _, s := range specs {
		if s.EVR.IsZero() {
			s.EVR = rpm.EVR{Version: "1", Release: "1"}
		}
		if s.Arch == "" {
			s.Arch = "noarch"
		}
		if s.BuildTime == 0 {
			s.BuildTime = buildTime
		}
		for i := range s.Files {
			if s.Files[i].ModTime == 0 {
				s.Files[i].ModTime = buildTime - 1000
			}
		}
		path := filepath.Join(dir, fmt.Sprintf("%s-%s.%s.rpm", s.Name, s.EVR.Version, s.Arch))
		if err := rpmwrite.WriteFile(path, s); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return locked(t, paths)
}

// base makes a base image of packages.
func base(t testing.TB, b *image.Builder, packages []image.BasePackage) *image.Image {
	t.Helper()
	img, err := b.Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64"})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// listing describes a layer's entries, in order: mode, owner, time, path, link, attributes.
func listing(t testing.TB, l v1.Layer) []string {
	t.Helper()
	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []string
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%c %04o %d:%d %d %s", h.Typeflag, h.Mode, h.Uid, h.Gid, h.ModTime.Unix(), h.Name)
		if h.Linkname != "" {
			line += " -> " + h.Linkname
		}
		if h.Size > 0 {
			data, err := io.ReadAll(tr)
			if err != nil {
				t.Fatal(err)
			}
			line += fmt.Sprintf(" %.40q", data)
		}
		for k, v := range h.PAXRecords {
			if strings.HasPrefix(k, "SCHILY.xattr") {
				line += " " + k + "=" + hex.EncodeToString([]byte(v))
			}
		}
		out = append(out, line)
	}
}

// content is the tar listing of the layer of an image whose history says that it is of this kind.
func layerOf(t testing.TB, img *image.Image, kind string) v1.Layer {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range config.History {
		if strings.HasPrefix(h.CreatedBy, "slipway: "+kind) {
			return layers[i]
		}
	}
	t.Fatalf("no layer is of %q: %+v", kind, config.History)
	return nil
}

func digest(t testing.TB, img *image.Image) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// shell is a package with a /bin/sh, and other programs, of /bin unless they have a path, that work
// alone in a root: this machine's and their libraries.
func shell(t testing.TB, programs ...string) rpmwrite.Spec {
	t.Helper()
	s := rpmwrite.Spec{
		Name: "shell", Arch: "x86_64",
		Provides: []rpm.Dependency{{Name: "/bin/sh"}},
		Files:    []rpmwrite.File{rpmwrite.Dir("/var/tmp")},
	}
	have := map[string]bool{}
	add := func(name string) {
		// /bin and /lib may be links, as they are on most machines.
		top := "/" + strings.Split(name, "/")[1]
		dir, err := filepath.EvalSymlinks(filepath.Dir(name))
		if err != nil {
			t.Fatal(err)
		}
		if target, err := os.Readlink(top); err == nil && !have[top] {
			have[top] = true
			s.Files = append(s.Files, rpmwrite.Symlink(top, target))
		}
		name = filepath.Join(dir, filepath.Base(name))
		if have[name] {
			return
		}
		have[name] = true
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f := rpmwrite.Text(name, string(data))
		f.Mode = rpm.ModeRegular | 0o755
		s.Files = append(s.Files, f)
	}
	for _, name := range append([]string{"sh"}, programs...) {
		program := name
		if !strings.HasPrefix(name, "/") {
			program = "/bin/" + name
		}
		out, err := exec.Command("ldd", program).Output()
		if err != nil {
			t.Skipf("ldd cannot say what this machine's %s needs: %v", program, err)
		}
		add(program)
		for _, lib := range regexp.MustCompile(`/\S+`).FindAllString(string(out), -1) {
			add(lib)
		}
	}
	return s
}

func script(kind rpm.ScriptKind, body string, conditions ...string) rpm.Script {
	s := rpm.Script{Kind: kind, Program: []string{"/bin/sh"}, Body: body, Priority: rpm.DefaultPriority}
	for _, c := range conditions {
		s.Conditions = append(s.Conditions, rpm.Dependency{Name: c})
	}
	return s
}

func requires(names ...string) (out []rpm.Dependency) {
	for _, n := range names {
		out = append(out, rpm.Dependency{Name: n})
	}
	return out
}

// withProc is no option of rpm's, but has installed mount /proc and /dev.
const withProc = "with /proc"

// installed makes a root as rpm does and gives its path.
func installed(t testing.TB, packages []image.BasePackage, options ...string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("rpm --root needs root")
	}
	root := scratch(t)
	if err := os.MkdirAll(filepath.Join(root, "var/lib/rpm"), 0o755); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--root", root, "--dbpath", "/var/lib/rpm", "-i", "--nodeps", "--nosignature"}, options...)
	sorted := slices.Clone(packages)
	if !slices.Contains(options, "--noorder") {
		slices.SortFunc(sorted, func(a, b image.BasePackage) int { return a.NEVRA.Compare(b.NEVRA) })
	}
	for _, p := range sorted {
		args = append(args, p.Path)
	}
	// As in a chroot that somebody prepared, scripts find /proc and /dev/null.
	const prepare = `mount -t tmpfs none "$0/dev" && mknod -m 666 "$0/dev/null" c 1 3 && mount -t proc proc "$0/proc" && exec "$@"`
	cmd := exec.Command("rpm", args...)
	if slices.Contains(options, withProc) {
		for _, dir := range []string{"dev", "proc"} {
			if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		args = slices.DeleteFunc(args, func(a string) bool { return a == withProc })
		cmd = exec.Command("unshare", append([]string{"--mount", "sh", "-c", prepare, root, "rpm"}, args...)...)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("rpm: %v\n%s", err, out)
	}
	return root
}

// scratch is a folder of the test's own, in memory where the machine has it: rpm waits for the disk
// with every file.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "slipway-test-") //nolint:usetesting // it has to be in memory
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// unpacked unpacks an image with umoci and gives its root.
func unpacked(t testing.TB, img *image.Image) string {
	t.Helper()
	dir := t.TempDir()
	if err := image.WriteLayout(filepath.Join(dir, "layout"), "x", img); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("umoci", "unpack", "--image", filepath.Join(dir, "layout")+":x", filepath.Join(dir, "bundle"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("umoci: %v\n%s", err, out)
	}
	return filepath.Join(dir, "bundle", "rootfs")
}
